"""Figures of data quality, over random deliveries, corrections and objections, against a naive count."""

import asyncio
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import orjson
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.history import Change, mark_record
from gateway.creditfile.local_dates import months_after
from gateway.data_quality.comparison_findings import keep_counts
from gateway.data_quality.figures import Count, DatasetFigures, Fault
from gateway.data_quality.month import Month
from gateway.data_quality.rules import published_rules
from gateway.data_quality.store import figures_of_source
from gateway.db.engine import make_engine
from gateway.ingest import Source, ingest_rows
from gateway.ingest.actions.correction import Correction, apply_corrections
from gateway.ingest.source_records import RecordReference, find_own_records
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE
from tests.naive_quality import Figures, RawTables, figures
from tests.sampling import sampled

VAULT: Final = Vault(VaultKeys.parse(Vault.generate_keys()))
RULES: Final = published_rules()
FIRST: Final = datetime(2026, 9, 25, 4, 0, tzinfo=UTC)
SOURCES: Final = (
    Source(source_id="enforcement", name="行政执法部门（合成）"),
    Source(source_id="market", name="市场监督管理部门（合成）"),
)
# The third and the fourth have a wrong check character.
CODES: Final = (
    "91330106MABWNF4C6U",
    "91330106MA2CXXXX16",
    "91330106MABWNF4C60",
    "91330106MA2CXXXX10",
)
MONTHS: Final = ("2026-09", "2026-10", "2026-11", "2026-12")
COUNTED_ALONE: Final = {Fault.UPHELD, Fault.REJECTED, Fault.ABSENT, Fault.DIFFERS}
TABLES: Final = tuple(RawTables.__dataclass_fields__)

Act = tuple[Any, ...]
"""Verb, source, what, moment."""
_ACTS: Final = ("deliver",) * 5 + ("correct", "repair", "object", "file", "compare")


def _history(chance: random.Random) -> list[Act]:
    """Acts in the order of their moments, many of them near midnight in Shanghai."""
    moments = sorted(
        FIRST
        + timedelta(days=chance.randrange(75), hours=chance.choice([0, 11, 12, 13, 15, 16, 17]))
        for _ in range(30)
    )
    return [_act(chance, moment) for moment in moments]


def _act(chance: random.Random, moment: datetime) -> Act:
    verb, source = chance.choice(_ACTS), chance.choice(SOURCES)
    if verb == "deliver":
        dataset = chance.choice(list(_ROWS))
        rows = [_ROWS[dataset](chance, moment) for _ in range(chance.randint(2, 8))]
        return verb, source, (dataset, rows), moment
    if verb == "object":
        outcome = chance.choice(["upheld", "partly", "rejected", "withdrawn", None])
        return verb, source, (chance.choice(CODES), outcome), moment
    if verb == "compare":
        found = chance.choice([Fault.ABSENT, Fault.DIFFERS]), chance.randint(0, 30)
        return verb, source, found, moment
    if verb == "file":
        return verb, source, (chance.randint(0, 30), chance.randint(0, 5)), moment
    return verb, source, (chance.choice(CODES), chance.randint(1, 4)), moment


def _some(chance: random.Random, **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if chance.random() < 0.7}


def _day(chance: random.Random, moment: datetime) -> str:
    """A day up to five weeks before, or long ago."""
    return str((moment - timedelta(days=chance.choice([*range(36), 700]))).date())


def _penalty(chance: random.Random, moment: datetime) -> dict[str, Any]:
    return {
        "uscc": chance.choice(CODES),
        "document_number": f"浙罚{chance.randint(1, 4)}号",
        "kinds": ["罚款"],
        "fine": "12",
        "decided_on": (day := _day(chance, moment)),
        **_some(chance, severity="一般", facts="未按规定明码标价。", legal_basis="《价格法》"),
        **_some(chance, publicity_ends_on=chance.choice([_months_later(day), "2027-08-01"])),
    }


def _months_later(day: str) -> str:
    """The right end of a penalty of ordinary severity."""
    return str(months_after(date.fromisoformat(day), 12))


def _licence(chance: random.Random, moment: datetime) -> dict[str, Any]:
    return {
        "uscc": chance.choice(CODES),
        "number": f"浙许{chance.randint(1, 4)}",
        **_some(chance, name="食品经营许可", decided_on=_day(chance, moment), authority="某局"),
    }


def _registration(chance: random.Random, moment: datetime) -> dict[str, Any]:
    return {
        "uscc": chance.choice(CODES),
        "name": "杭州云栖数据科技有限公司",
        "kind": "firm",
        "entity_type": "1130",
        "status": chance.choice(["active", "suspended"]),
        "legal_representative": "张三丰",
        "division": "330106",
        **_some(chance, approved_on=_day(chance, moment), address="文三路1号", industry="I65"),
    }


_ROWS: Final = {"penalty": _penalty, "licence": _licence, "registration": _registration}


@given(st.integers(0, 10**9))
@settings(max_examples=sampled(3, full=200), deadline=None, phases=[Phase.generate])
def test_the_figures_are_those_of_a_count_row_by_row(migrated_url: str, seed: int) -> None:
    """Of every source and month, whatever was delivered again, corrected, repaired or objected to."""
    acts = _history(random.Random(seed))  # noqa: S311  # no secret
    asyncio.run(_compare(migrated_url, acts))


async def _compare(url: str, acts: list[Act]) -> None:
    engine = make_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            for number, act in enumerate(acts):
                await _do(connection, number, *act)
            tables = await _raw_tables(connection)
            for source in SOURCES:
                for month in MONTHS:
                    counted = await figures_of_source(
                        connection,
                        source.source_id,
                        Month.parse(month) or Month.at(FIRST),
                        catalogue=CATALOGUE,
                        rules=RULES,
                    )
                    naive = figures(tables, source.source_id, month, RULES)
                    assert _flat(counted) == naive, (source, month)
            await connection.rollback()
    finally:
        await engine.dispose()


async def _do(
    connection: AsyncConnection, number: int, verb: str, source: Source, what: Any, now: datetime
) -> None:
    if verb == "deliver":
        dataset, rows = what
        await ingest_rows(
            connection, source, dataset, rows, now=now, catalogue=CATALOGUE, vault=VAULT
        )
    elif verb in {"correct", "repair"}:
        reference = RecordReference(dataset="penalty", uscc=what[0], key=f"浙罚{what[1]}号")
        held = await find_own_records(connection, source.source_id, [reference])
        for record in held.values():
            if verb == "repair":
                change = Change(kind="repaired", actor=source.source_id)
                await mark_record(
                    connection, record.uscc, record.record_id, {"repaired_at": now}, change, now=now
                )
                continue
            correction = Correction(
                row=0,
                record=record,
                fields={"fine": f"{number + 13}"},
                reason="更正",
                decided_on=now.date(),
            )
            await apply_corrections(
                connection, source, [correction], now=now, catalogue=CATALOGUE, vault=VAULT
            )
    elif verb == "compare":
        fault, count = what
        counts = {fault: Count(records=count, enterprises=count)}
        await keep_counts(connection, Month.at(now), source.source_id, "penalty", counts)
    elif verb == "object":
        uscc, outcome = what
        await connection.execute(text(_OBJECTION), _objection(number, source, uscc, outcome, now))
    else:
        count, rejected = what
        await connection.execute(text(_JOB), _job(number, source, count, rejected, now))


_OBJECTION: Final = """
INSERT INTO objection (uscc, objection_id, kind, dataset, record_id, record_version, source_id,
       source_name, status, outcome, raised_at, due_on, due_provisional, latest_on, final_at, version)
VALUES (:uscc, :id, 'objection', 'penalty', :id, 1, :source, '', :status, :outcome, :now,
        CASE WHEN :closed THEN NULL ELSE CURRENT_DATE END, false, CURRENT_DATE,
        CASE WHEN :closed THEN CAST(:now AS timestamptz) END, 1)"""
_JOB: Final = """
INSERT INTO intake_job (job_id, source_id, dataset, file_digest, file_name, file_bytes, encoding,
       chunk_rows, state, rows, created, updated, unchanged, rejected, warnings, rejects_bytes,
       catalogue_version, started_at, moved_at)
VALUES (:id, :source, 'penalty', decode(md5(:id), 'hex'), '', 1, 'utf-8', 1, 'done', :rows, 0, 0, 0,
        :rejected, '{}', 0, '', :now, :now)"""


def _objection(
    number: int, source: Source, uscc: str, outcome: str | None, now: datetime
) -> Mapping[str, Any]:
    return {
        "uscc": uscc,
        "id": f"obj_{number}",
        "source": source.source_id,
        "status": "open" if outcome is None else "closed",
        "closed": outcome is not None,
        "outcome": outcome,
        "now": now,
    }


def _job(
    number: int, source: Source, count: int, rejected: int, now: datetime
) -> Mapping[str, Any]:
    return {
        "id": f"job_{number}",
        "source": source.source_id,
        "rows": count + rejected,
        "rejected": rejected,
        "now": now,
    }


async def _raw_tables(connection: AsyncConnection) -> RawTables:
    found = {}
    for name in TABLES:
        sql = text(f"SELECT CAST(to_jsonb(t) AS text) FROM {name} AS t")  # noqa: S608  # constants
        found[name] = [orjson.loads(row) for row in (await connection.execute(sql)).scalars()]
    return RawTables(**found)


def _flat(counted: list[DatasetFigures]) -> Figures:
    found: Figures = {}
    for each in counted:
        found |= {
            (each.dataset, "received"): each.received.records,
            (each.dataset, "received_enterprises"): each.received.enterprises,
            (each.dataset, "dated"): each.dated.records,
            (each.dataset, "decided"): each.decided.records,
            (each.dataset, "corrected"): each.corrected.records,
            (each.dataset, "file_rows"): each.file_rows,
        }
        for kind, count in each.faults.items():
            if kind.fault in COUNTED_ALONE:
                found[each.dataset, kind.fault.value] = count.records
            elif count.records:
                key = (each.dataset, kind.fault.value, *([kind.field] if kind.field else []))
                found[key] = (count.records, count.enterprises, count.others)
    return {key: value for key, value in found.items() if value}
