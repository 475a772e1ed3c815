"""History of enterprises and records: every superseded version in full, until retention deletes it.

A version is valid from its `received_at` until the next one's, which is never earlier.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.records import Enterprise, Record
from gateway.creditfile.watches.changed_files import note_changed
from gateway.db.statements import Statement

CHANGE_KINDS: Final = (
    "updated",
    "corrected",
    "repaired",
    "suspended",
    "withdrawn",
    "reinstated",
    "repair_revoked",
    "restored",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalFile:
    """A credit file as stored at a moment."""

    enterprise: Enterprise | None
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Reason and actor of a change."""

    kind: str
    actor: str
    reason: str | None = None
    decided_on: date | None = None
    operator: str | None = None
    approved_by: str | None = None
    """The second person, where the change needs two."""


_EXACT: Final = "jsonb_build_object('capital', CAST(e.capital AS text))"
_ENTERPRISE_THEN: Final = Statement(f"""
SELECT CAST(held AS text) FROM (
  SELECT to_jsonb(e) || {_EXACT} AS held FROM enterprise AS e
   WHERE e.uscc = :uscc AND e.received_at <= :at
  UNION ALL
  SELECT h.row || jsonb_build_object('personal', h.personal) FROM enterprise_history AS h
   WHERE h.uscc = :uscc AND CAST(h.row ->> 'received_at' AS timestamptz) <= :at
     AND h.replaced_at > :at) AS found LIMIT 1""")  # noqa: S608  # constants
_RECORDS_THEN: Final = Statement("""
SELECT CAST(coalesce(jsonb_agg(held ORDER BY held ->> 'dataset', held ->> 'category',
         held ->> 'period', held ->> 'decided_on', held ->> 'record_id'), '[]') AS text)
  FROM (
  SELECT to_jsonb(r) AS held FROM record AS r WHERE r.uscc = :uscc AND r.received_at <= :at
  UNION ALL
  SELECT h.row || jsonb_build_object('personal', h.personal) FROM record_history AS h
   WHERE h.uscc = :uscc AND CAST(h.row ->> 'received_at' AS timestamptz) <= :at
     AND h.replaced_at > :at) AS found""")


async def file_at(connection: AsyncConnection, uscc: str, moment: datetime) -> HistoricalFile:
    """The credit file stored at `moment`, disclosable or not."""
    values = {"uscc": uscc, "at": moment}
    enterprise = (await connection.execute(_ENTERPRISE_THEN, values)).scalar_one_or_none()
    records = (await connection.execute(_RECORDS_THEN, values)).scalar_one()
    return HistoricalFile(
        enterprise=None if enterprise is None else Enterprise.from_json(orjson.loads(enterprise)),
        records=tuple(Record.from_json(row) for row in orjson.loads(records)),
    )


_LOCK_RECORD: Final = Statement("""
SELECT version FROM record WHERE uscc = :uscc AND record_id = :record_id FOR UPDATE""")
_KEEP_RECORD: Final = Statement("""
INSERT INTO record_history
       (uscc, record_id, version, replaced_at, change, reason, decided_on, actor, operator,
        approved_by, row, personal)
SELECT r.uscc, r.record_id, r.version, greatest(CAST(:now AS timestamptz), r.received_at),
       CAST(:kind AS text), CAST(:reason AS text), CAST(:decided_on AS date),
       CAST(:actor AS text), CAST(:operator AS text), CAST(:approved_by AS text),
       to_jsonb(r) - 'personal', r.personal
  FROM record AS r WHERE r.uscc = :uscc AND r.record_id = :record_id""")
_MARKS: Final = dict.fromkeys(("repaired_at", "suspended_at", "withdrawn_at"), "timestamptz")


async def mark_record(
    connection: AsyncConnection,
    uscc: str,
    record_id: str,
    marks: Mapping[str, datetime | None],
    change: Change,
    *,
    now: datetime,
) -> int | None:
    """Set or clear `repaired_at`, `suspended_at` or `withdrawn_at`, and keep the earlier version in history.

    The change is noted for those who watch the enterprise. Returns the new version number; `None` if there
    is no such record.
    """
    if not marks or not set(marks) <= set(_MARKS) or change.kind not in CHANGE_KINDS:
        raise ValueError(f"Only {sorted(_MARKS)} can be set, by one of {CHANGE_KINDS}.")
    row: dict[str, Any] = {"uscc": uscc, "record_id": record_id}
    held = (await connection.execute(_LOCK_RECORD, row)).scalar_one_or_none()
    if held is None:
        return None
    await connection.execute(_KEEP_RECORD, row | {"now": now} | asdict(change))
    set_marks = ", ".join(f"{name} = CAST(:{name} AS {_MARKS[name]})" for name in marks)
    await connection.execute(
        Statement(
            "UPDATE record SET version = version + 1,"  # noqa: S608  # constants
            f" received_at = greatest(CAST(:now AS timestamptz), received_at), {set_marks}"
            " WHERE uscc = :uscc AND record_id = :record_id"
        ),
        row | {"now": now} | dict(marks),
    )
    await note_changed(connection, [uscc])
    return int(held) + 1
