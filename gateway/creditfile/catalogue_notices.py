"""Notices to past recipients of what a new catalogue version no longer discloses, or discloses again.

A record that was disclosable under the version before and is not under the new one is `record_ended`;
one that lost fields is `record_corrected`; one that can be disclosed again is `record_reinstated` for
those who were told of its end. A record's own clock ends it under both versions and is no change.

A version is noted when it is first seen; the first of a database has nothing to be compared with. After
a delay, in which every worker has switched to it, it is compared enterprise by enterprise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final

import orjson
from sqlalchemy import Column, DateTime, Integer, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue_versions import find_version
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_records
from gateway.creditfile.records import Enterprise, Record, registration_of
from gateway.db.engine import autocommit
from gateway.db.locks import LockKey, try_session_lock, unlock_session
from gateway.db.metadata import metadata
from gateway.db.statements import Statement
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord, RecordKind

EARLIER_CATALOGUES: Final = files("gateway.creditfile") / "earlier_catalogues"
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
_FILES: Final = Statement("""
    SELECT CAST(to_jsonb(e) || jsonb_build_object('capital', CAST(e.capital AS text)) AS text) AS enterprise,
           (SELECT CAST(coalesce(json_agg(to_json(r)), '[]') AS text) FROM record r
             WHERE r.uscc = e.uscc AND r.withdrawn_at IS NULL) AS records
    FROM enterprise e WHERE e.uscc = ANY(CAST(:usccs AS text[]))""")
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

    def of_record(self, before: frozenset[str], after: frozenset[str]) -> RecordKind | None:
        """Kind of the notice on a record whose disclosed fields changed so."""
        if before and not after:
            return "record_ended"
        if before - after:
            return "record_corrected"
        return "record_reinstated" if after and not before else None

    def of_file(
        self, enterprise: Enterprise, records: Sequence[Record], told: Iterable[str]
    ) -> Iterable[tuple[RecordKind, ChangedRecord]]:
        """Notices on the records of one file that were `told`, by id."""
        held = (registration_of(enterprise), *records)
        before = _disclosed(held, self.base, self.now, kind=enterprise.kind)
        after = _disclosed(held, self.new, self.now, kind=enterprise.kind)
        datasets = {each.record_id: each.dataset for each in held}
        none: frozenset[str] = frozenset()
        for record_id in set(told) & set(datasets):
            kind = self.of_record(before.get(record_id, none), after.get(record_id, none))
            if kind is not None:
                yield (
                    kind,
                    ChangedRecord(
                        uscc=enterprise.uscc, dataset=datasets[record_id], record_id=record_id
                    ),
                )


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
    changes: dict[RecordKind, list[ChangedRecord]] = {}
    for row in await connection.execute(_FILES, {"usccs": list(told)}):
        enterprise = Enterprise.from_json(orjson.loads(row.enterprise))
        records = [Record.from_json(each) for each in orjson.loads(row.records)]
        for kind, changed in change.of_file(enterprise, records, told[enterprise.uscc]):
            changes.setdefault(kind, []).append(changed)
    count = 0
    for kind, records_changed in changes.items():
        count += await withdrawal_notices.notify_changed_records(
            connection, kind, records_changed, now=change.now
        )
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


def _disclosed(
    records: Sequence[Record], catalogue: Catalogue, now: datetime, *, kind: str
) -> Mapping[str, frozenset[str]]:
    """Disclosed fields by record id, to clients and to questions."""
    found: dict[str, frozenset[str]] = {}
    for audience in (Audience.AUTHORISED, Audience.VERIFICATION):
        for each in disclosable_records(records, audience, catalogue, now, kind=kind):
            names = frozenset(f"{audience.value}:{name}" for name in each.fields)
            found[each.record.record_id] = found.get(each.record.record_id, frozenset()) | names
    return found
