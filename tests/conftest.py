"""Shared fixtures: a real PostgreSQL for the session, a fresh migrated database for each module."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db import embedded
from gateway.db.engine import make_engine

if TYPE_CHECKING:
    from tests.house import House


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of an empty database on the server that the tests use."""
    given = os.environ.get("XINQIAO_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="xq-", dir="/tmp")) / "pg"
    folder.parent.chmod(0o755)
    server = embedded.start(folder)
    asyncio.run(_fast_and_forgetful(server.socket_folder))
    asyncio.run(embedded.ensure_database(server))
    yield server.url()
    shutil.rmtree(folder.parent, ignore_errors=True)


async def _fast_and_forgetful(host: str) -> None:
    """A test database need not survive a power cut."""
    connection = await asyncpg.connect(host=host, user="postgres", database="postgres")
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.fixture(scope="session")
def migrated_url(postgres_url: str) -> str:
    """The address of a database with every table in it, made by the migrations."""
    from gateway.migrations.run import upgrade

    upgrade(postgres_url)
    return postgres_url


@pytest_asyncio.fixture
async def engine(migrated_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the migrated database, of this test's own loop."""
    made = make_engine(migrated_url, pool_size=5)
    yield made
    await made.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(postgres_url: str) -> "AsyncIterator[House]":
    """The one whole gateway of the session. Tests make their own clients and consents in it."""
    from tests.house import a_house

    async with a_house(postgres_url) as made:
        yield made


@pytest.fixture(scope="session")
def served(house: "House") -> "Iterator[House]":
    """The same house, with another worker that listens on a real socket, at its issuer's address."""
    from gateway.app import create_app
    from tests.house import Server

    with Server(create_app(house.settings)).listening_on(house.listening):
        yield house
