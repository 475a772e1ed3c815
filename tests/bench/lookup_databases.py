"""Databases of the look-up benchmark: a small and a large one.

A given large database keeps what a run writes: a client, suspended at the end, and log entries.
"""

import asyncio
import os
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from gateway.clients.registry import put_agreement, register_client
from gateway.codes.store import issue
from gateway.codes.tables import CodeLocatorRow, CodeRow
from gateway.creditfile.catalogue import load_catalogue
from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.migrations.run import upgrade
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.synthetic.demo.clients import DEMO_CLIENTS, registration_of, terms_of
from gateway.synthetic.generator.province import province
from gateway.synthetic.load import load
from tests.bench.environment import UNLIMITED, Environment, public_keys
from tests.bench.options import KIT_CLIENT, Options
from tests.client_builders import set_active

T = TypeVar("T")
EXISTING: Final = "XINQIAO_BENCH_DATABASE_URL"
VERIFICATION: Final = "verification"
PAGE: Final = "public page"
PATHS: Final = (VERIFICATION, PAGE)
SMALL: Final = 10_000
HOT: Final = 40
TODAY: Final = date(2026, 11, 23)
SEED: Final = 20261123
_SPARE: Final = 4  # how many times what is needed the sample of pages holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An enterprise to look up."""

    uscc: str
    name: str
    code_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupDatabase:
    """A database with the enterprises to look up in it."""

    url: str
    entities: int
    records: int
    size: int
    """Bytes of the database."""
    drawn: Mapping[str, Sequence[Target]]
    """By the path: of each call, in their order. No path is asked about enterprises that another has
    asked about; the pages of `enterprise` that they stand on were read once, when they were drawn."""
    client_id: str
    """Calling client, with the keys of the environment's kit."""


def lookup_databases(
    options: Options, environment: Environment, say: Callable[[str], None]
) -> Iterator[AbstractContextManager[LookupDatabase]]:
    """The small and the large database; the large one may exist already."""
    yield _database(environment, _filled(environment, "lookup_small", SMALL, say), options.lookups)
    existing = os.environ.get(EXISTING)
    yield _database(
        environment,
        existing or _filled(environment, "lookup_large", options.scale, say),
        options.lookups,
    )


def _filled(environment: Environment, name: str, entities: int, say: Callable[[str], None]) -> str:
    began = time.monotonic()
    server = embedded.start(environment.database_folder)
    asyncio.run(embedded.ensure_database(server, name, anew=True))
    url = server.url(name)
    upgrade(url)
    asyncio.run(_load(url, entities))
    say(f"{entities:,} enterprises loaded in {time.monotonic() - began:,.0f} s")
    return url


async def _load(url: str, entities: int) -> None:
    catalogue = load_catalogue()
    engine = make_engine(url)
    await load(
        engine,
        province(1, entities, today=TODAY, catalogue=catalogue),
        vault=Vault(VaultKeys.parse(Vault.generate_keys())),
        catalogue=catalogue,
    )
    await engine.dispose()


@contextmanager
def _database(environment: Environment, url: str, lookups: int) -> Iterator[LookupDatabase]:
    """Register the client and issue the codes of a run; remove them afterwards."""
    database = asyncio.run(
        _with_engine(url, lambda engine: _prepared(environment, engine, url, lookups))
    )
    try:
        yield database
    finally:
        asyncio.run(_with_engine(url, lambda engine: _cleared(engine, database)))


async def _with_engine(url: str, use: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    engine = make_engine(url)
    try:
        return await use(engine)
    finally:
        await engine.dispose()


async def _prepared(
    environment: Environment, engine: AsyncEngine, url: str, lookups: int
) -> LookupDatabase:
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE enterprise, record"))
        entities, records = await _counts(connection)
        found = await _sample(connection, (lookups // 2 + HOT) * len(PATHS), entities)
        codes = [await _with_code(connection, uscc, name) for uscc, name in found]
        client_id = await _admitted(connection, environment)
        size = (
            await connection.execute(text("SELECT pg_database_size(current_database())"))
        ).scalar_one()
    return LookupDatabase(
        url=url,
        entities=entities,
        records=records,
        size=size,
        drawn={path: _draws(codes[at :: len(PATHS)]) for at, path in enumerate(PATHS)},
        client_id=client_id,
    )


def _draws(found: Sequence[Target]) -> Sequence[Target]:
    """Alternate new enterprises with a few repeated ones."""
    hot, cold = found[:HOT], found[HOT:]
    chance = random.Random(SEED)  # noqa: S311  # the same draws in each run
    return tuple(each for one in cold for each in (one, chance.choice(hot)))


async def _with_code(connection: AsyncConnection, uscc: str, name: str) -> Target:
    code = await issue(connection, uscc, name, now=datetime.now(UTC))
    return Target(uscc=uscc, name=name, code_id=code.code_id)


async def _admitted(connection: AsyncConnection, environment: Environment) -> str:
    """A client of this run, without quotas."""
    role, now = next(role for role in DEMO_CLIENTS if role.key == KIT_CLIENT), datetime.now(UTC)
    keys: dict[str, Any] = {"keys": public_keys(environment.kit)}
    client_id = f"bench-{secrets.token_hex(6)}"
    registration = replace(registration_of(role, keys, []), client_id=client_id)
    await register_client(connection, registration, now=now)
    terms = replace(terms_of(role, now), quotas=UNLIMITED)
    await put_agreement(connection, client_id, terms)
    return client_id


async def _counts(connection: AsyncConnection) -> tuple[int, int]:
    estimated = text(
        "SELECT (SELECT reltuples FROM pg_class WHERE oid = 'enterprise'::regclass)::bigint,"
        " (SELECT reltuples FROM pg_class WHERE oid = 'record'::regclass)::bigint"
    )
    row = (await connection.execute(estimated)).one()
    return row[0], row[1]


async def _sample(
    connection: AsyncConnection, count: int, entities: int
) -> Sequence[tuple[str, str]]:
    """Enterprises from random pages of the table, shuffled."""
    percent = min(100.0, 100 * _SPARE * count / max(entities, 1))
    pages = text(
        "SELECT uscc, name FROM enterprise TABLESAMPLE SYSTEM (:percent) REPEATABLE (1)"
        " WHERE code_ok"
    )
    rows = (await connection.execute(pages, {"percent": percent})).all()
    found = sorted((row.uscc, row.name) for row in rows)
    if len(found) < count:
        raise SystemExit(f"{count:,} enterprises are needed for so many look-ups: ask for fewer.")
    return random.Random(SEED).sample(found, count)  # noqa: S311


async def _cleared(engine: AsyncEngine, database: LookupDatabase) -> None:
    ids = {each.code_id for drawn in database.drawn.values() for each in drawn}
    async with engine.begin() as connection:
        for table in (CodeLocatorRow, CodeRow):
            await connection.execute(delete(table).where(col(table.code_id).in_(ids)))
        await set_active(connection, database.client_id, active=False)
