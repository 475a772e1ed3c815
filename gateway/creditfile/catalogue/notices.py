"""Notices to past recipients of what a new catalogue version no longer discloses, or discloses again.

The kinds are those of `file_changes`. A record's own clock ends it under both versions and is no change.

A version is noted when it is first seen; the first of a database has nothing to be compared with. After
a delay, in which every worker has switched to it, it is compared enterprise by enterprise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final

from sqlalchemy import Column, DateTime, Integer, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue.versions import find_version
from gateway.creditfile.file_changes import (
    FileState,
    RecordChange,
    changes_between,
    notify_changes,
)
from gateway.creditfile.file_query import read_files
from gateway.creditfile.records import Enterprise, Record
from gateway.db.engine import autocommit
from gateway.db.locks import LockKey, try_session_lock, unlock_session
from gateway.db.metadata import metadata
from gateway.db.statements import Statement

EARLIER_CATALOGUES: Final = files("gateway.creditfile.catalogue") / "earlier"
"""Published versions of earlier releases, by name."""
DELAY: Final = timedelta(minutes=5)
ENTERPRISES_PER_TRANSACTION: Final = 100
TRANSACTIONS_PER_ROUND: Final = 50

catalogue_notice_run = Table(
    "catalogue_notice_run",
    metadata,
    Column("version", Text, primary_key=True),
    Column("base", Text, comment="the version before; none for the first of a database"),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("position", Text, nullable=False, comment="USCC of the last enterprise compared"),
    Column("notices", Integer, nullable=False),
    Column("finished_at", DateTime(timezone=True)),
)

_RUN: Final = Statement("""
    SELECT base, seen_at, position, finished_at FROM catalogue_notice_run
    WHERE version = CAST(:version AS text)""")
_START: Final = Statement("""
    INSERT INTO catalogue_notice_run (version, base, seen_at, position, notices, finished_at)
    SELECT CAST(:version AS text), latest.version, CAST(:now AS timestamptz), '', 0,
           CASE WHEN latest.version IS NULL THEN CAST(:now AS timestamptz) END
    FROM (SELECT 1) AS one LEFT JOIN (
        SELECT version FROM catalogue_notice_run ORDER BY seen_at DESC LIMIT 1) AS latest ON true
    ON CONFLICT (version) DO NOTHING""")
_TOLD: Final = Statement("""
    SELECT d.uscc, array_agg(DISTINCT told.one ->> 0) AS record_ids
    FROM disclosure d CROSS JOIN jsonb_array_elements(d.relied_on) AS told(one)
    WHERE d.outcome = 'told' AND d.uscc IN (
        SELECT DISTINCT uscc FROM disclosure
        WHERE uscc > CAST(:position AS text) AND outcome = 'told' AND relied_on <> '[]'
        ORDER BY uscc LIMIT :limit)
    GROUP BY d.uscc""")
_ADVANCE: Final = Statement("""
    UPDATE catalogue_notice_run
    SET position = CAST(:position AS text), notices = notices + :notices,
        finished_at = CAST(:finished_at AS timestamptz)
    WHERE version = CAST(:version AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueChange:
    """Two versions of the catalogue, compared at a moment."""

    base: Catalogue
    new: Catalogue
    now: datetime

    def of_file(self, enterprise: Enterprise, records: Sequence[Record]) -> Iterator[RecordChange]:
        """Changes of the records of one file."""
        before, after = (
            FileState(enterprise=enterprise, records=records, catalogue=each, now=self.now)
            for each in (self.base, self.new)
        )
        return changes_between(before, after)


async def run(engine: AsyncEngine, catalogue: Catalogue, *, now: datetime) -> int:
    """Start or proceed with the notices of the version in force; the number written this round."""
    async with autocommit(engine).connect() as connection:
        values = {"version": catalogue.version, "now": now}
        noted = (await connection.execute(_RUN, values)).one_or_none()
        if noted is None:
            await connection.execute(_START, values)
            return 0
        if noted.finished_at is not None or now < noted.seen_at + DELAY:
            return 0
        if not await try_session_lock(connection, LockKey.CATALOGUE_NOTICES):
            return 0
        try:
            base = await _catalogue(connection, noted.base)
            change = CatalogueChange(base=base, new=catalogue, now=now)
            return await _proceed(engine, change)
        finally:
            await unlock_session(connection, LockKey.CATALOGUE_NOTICES)


async def _proceed(engine: AsyncEngine, change: CatalogueChange) -> int:
    """Compare at most one round's enterprises, each transaction with its position."""
    written = 0
    for _ in range(TRANSACTIONS_PER_ROUND):
        async with engine.begin() as connection:
            more, count = await _compare_batch(connection, change)
        written += count
        if not more:
            break
    return written


async def _compare_batch(connection: AsyncConnection, change: CatalogueChange) -> tuple[bool, int]:
    version = change.new.version
    noted = (await connection.execute(_RUN, {"version": version})).one()
    told = {
        row.uscc: row.record_ids
        for row in await connection.execute(
            _TOLD, {"position": noted.position, "limit": ENTERPRISES_PER_TRANSACTION}
        )
    }
    datasets = {*change.base.codes, *change.new.codes}
    changes = [
        each
        for enterprise, records in await read_files(connection, list(told), sorted(datasets))
        for each in change.of_file(enterprise, records)
        if each.record.record_id in told[enterprise.uscc]
    ]
    count = await notify_changes(connection, changes, now=change.now)
    more = len(told) == ENTERPRISES_PER_TRANSACTION
    await connection.execute(
        _ADVANCE,
        {
            "version": version,
            "position": max(told, default=noted.position),
            "notices": count,
            "finished_at": None if more else change.now,
        },
    )
    return more, count


async def _catalogue(connection: AsyncConnection, version: str) -> Catalogue:
    """A version that was loaded, or that this release or an earlier one published."""
    loaded = await find_version(connection, version)
    if loaded is not None:
        return load_catalogue(loaded.document)
    published = load_catalogue()
    if published.version == version:
        return published
    return load_catalogue((EARLIER_CATALOGUES / f"{version}.yaml").read_text(encoding="utf-8"))
