"""Statements on reports: write one within its bounds, list cases, decide; in the caller's transaction.

A case's row is locked while a report is written, so that the bounds hold under concurrency.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes.reports.model import (
    OTHER_TEXTS,
    STORED_PER_CODE_AND_DAY,
    CaseSummary,
    Report,
    ScannedCode,
    whole_hour,
)
from gateway.codes.scans.store import UnusualDay
from gateway.creditfile.local_dates import day_of
from gateway.db.statements import Statement
from gateway.disclosure.ids import new_id

_LOCATE: Final = Statement("SELECT uscc FROM enterprise_code_locator WHERE code_id = :code_id")
_KNOWN: Final = Statement("SELECT 1 FROM code_report WHERE report_id = :report_id")
_NEW_KEYS: Final = Statement("""
SELECT count(*) FROM (
    SELECT 1 FROM code_report_case
     WHERE uscc IS NULL AND (code_key ~ '^[A-Z2-7]{26}$') = :is_id
       AND first_at >= date_trunc('day', CAST(:now AS timestamptz), 'Asia/Shanghai')
     LIMIT :limit) AS c""")
_IS_OPEN: Final = Statement(
    "SELECT 1 FROM code_report_case WHERE code_key = :code_key AND status = 'open'"
)
_OPEN: Final = Statement("""
INSERT INTO code_report_case AS c
       (case_id, code_key, status, uscc, reports, grounds, first_at, last_at, stored_on, stored, revoked)
VALUES (:case_id, :code_key, 'open', :uscc, 0, '{}', :now, :now, :today, 0, false)
    ON CONFLICT (code_key) WHERE status = 'open' DO UPDATE
       SET stored = CASE WHEN c.stored_on = excluded.stored_on THEN c.stored ELSE 0 END,
           stored_on = excluded.stored_on
RETURNING case_id, stored""")
_COUNT: Final = Statement("""
UPDATE code_report_case
   SET reports = reports + 1, last_at = :now, stored = stored + :stored,
       grounds = grounds || jsonb_build_object(CAST(:ground AS text),
           coalesce(CAST(grounds ->> CAST(:ground AS text) AS integer), 0) + 1)
 WHERE case_id = :case_id""")
_STORE: Final = Statement("""
INSERT INTO code_report (report_id, case_id, ground, text, at)
VALUES (:report_id, :case_id, :ground, :text, :now)""")
_MAKE_ROOM: Final = Statement("""
DELETE FROM code_report WHERE report_id = (
    SELECT report_id FROM code_report
     WHERE case_id = :case_id AND at >= date_trunc('day', CAST(:now AS timestamptz), 'Asia/Shanghai')
     ORDER BY text <> '', count(*) OVER (PARTITION BY ground) DESC, random() LIMIT 1)""")
_UNUSUAL: Final = Statement("""
UPDATE code_report_case SET unusual = CAST(:unusual AS jsonb), last_at = :now
 WHERE case_id = :case_id""")
_LIST: Final = Statement("""
SELECT * FROM code_report_case
 WHERE (CAST(:status AS text) IS NULL OR status = :status)
   AND (CAST(:issued AS boolean) IS NULL OR (uscc IS NOT NULL) = :issued)
   AND (CAST(:after AS text) IS NULL OR (last_at, case_id) < (
        SELECT l.last_at, l.case_id FROM code_report_case l WHERE l.case_id = :after))
 ORDER BY last_at DESC, case_id DESC LIMIT :limit""")
_FIND: Final = Statement("""
SELECT c.*, (SELECT count(*) FROM code_report r WHERE r.case_id = c.case_id) AS kept
  FROM code_report_case c WHERE c.case_id = :case_id""")
_LOCK: Final = Statement("SELECT * FROM code_report_case WHERE case_id = :case_id FOR UPDATE")
_TEXTS: Final = Statement("""
SELECT ground, text, at FROM code_report WHERE case_id = :case_id
 ORDER BY at DESC, report_id LIMIT :limit""")
_DECIDE: Final = Statement("""
UPDATE code_report_case SET status = :status, decided_at = :now, decided_by = :actor,
       reasons = :reasons, revoked = :revoked WHERE case_id = :case_id""")
_OF_CODES: Final = Statement("""
SELECT DISTINCT ON (code_key) code_key, status, reports, first_at, decided_at FROM code_report_case
 WHERE code_key = ANY(CAST(:codes AS text[])) AND (reports > 0 OR status = 'confirmed')
 ORDER BY code_key, decided_at DESC NULLS FIRST""")

TEXTS_SHOWN: Final = 200
Row = dict[str, Any]


async def is_written(connection: AsyncConnection, report_id: str) -> bool:
    """True if the same form was written before."""
    found = await connection.execute(_KNOWN, {"report_id": report_id})
    return found.first() is not None


async def is_new(connection: AsyncConnection, scanned: ScannedCode) -> bool:
    """True for what is no code of ours and has no open case."""
    if await _enterprise_of(connection, scanned):
        return False
    found = await connection.execute(_IS_OPEN, {"code_key": scanned.key})
    return found.first() is None


async def write_report(
    connection: AsyncConnection, report: Report, *, may_store: bool, new_keys: int, now: datetime
) -> None:
    """Count a report on its code's open case; store it too, within the bounds and if it may be.

    A case of its own for what is new and no code of ours is one of `new_keys` of the day at most.
    """
    if await is_written(connection, report.report_id):
        return
    now = whole_hour(now)
    uscc = await _enterprise_of(connection, report.scanned)
    key = await _key_of(connection, report.scanned, new_keys, now)
    case_id, stored_today = await _open_case(connection, key, uscc, now)
    if await is_written(connection, report.report_id):  # meanwhile, by the same form
        return
    written = report.text if key != OTHER_TEXTS else f"{report.scanned.text}\n{report.text}".strip()
    is_full = stored_today >= STORED_PER_CODE_AND_DAY
    is_stored = may_store and (not is_full or bool(written))
    values = {"case_id": case_id, "ground": report.ground, "now": now}
    await connection.execute(_COUNT, values | {"stored": int(is_stored and not is_full)})
    if is_stored and is_full:
        await connection.execute(_MAKE_ROOM, values)
    if is_stored:
        await connection.execute(_STORE, values | {"report_id": report.report_id, "text": written})


async def list_unusual_days(
    connection: AsyncConnection, days: Iterable[UnusualDay], *, now: datetime
) -> None:
    """List each unusual day on its code's open case."""
    now = whole_hour(now)
    for each in sorted(days, key=lambda day: (day.code_id, day.day)):
        code = ScannedCode(text=each.code_id, code_id=each.code_id)
        uscc = await _enterprise_of(connection, code)
        case_id, _ = await _open_case(connection, each.code_id, uscc, now)
        document = orjson.dumps(each.as_json()).decode()
        await connection.execute(_UNUSUAL, {"case_id": case_id, "unusual": document, "now": now})


async def list_cases(
    connection: AsyncConnection,
    *,
    status: str | None,
    issued: bool | None,
    after: str | None,
    limit: int,
) -> list[Row]:
    """Cases, the one with the newest report first."""
    values = {"status": status, "issued": issued, "after": after, "limit": limit}
    return [dict(row) for row in (await connection.execute(_LIST, values)).mappings()]


async def find_case(connection: AsyncConnection, case_id: str, *, lock: bool = False) -> Row | None:
    """A case by its id."""
    found = await connection.execute(_LOCK if lock else _FIND, {"case_id": case_id})
    row = found.mappings().one_or_none()
    return dict(row) if row else None


async def texts_of(connection: AsyncConnection, case_id: str) -> list[Row]:
    """The stored reports of a case, the newest first; `TEXTS_SHOWN` at most."""
    values = {"case_id": case_id, "limit": TEXTS_SHOWN}
    return [dict(row) for row in (await connection.execute(_TEXTS, values)).mappings()]


async def save_decision(
    connection: AsyncConnection,
    case_id: str,
    *,
    status: str,
    actor: str,
    reasons: str,
    revoked: bool,
    now: datetime,
) -> None:
    """Write the decision on a locked, open case."""
    values = {"case_id": case_id, "status": status, "actor": actor, "reasons": reasons}
    await connection.execute(_DECIDE, values | {"revoked": revoked, "now": now})


async def summaries_of(connection: AsyncConnection, codes: Sequence[str]) -> dict[str, CaseSummary]:
    """The newest case of each code that was reported, for its enterprise."""
    found = await connection.execute(_OF_CODES, {"codes": list(codes)})
    return {
        row.code_key: CaseSummary(
            status=row.status,
            reports=row.reports,
            first_on=day_of(row.first_at),
            decided_on=day_of(row.decided_at) if row.decided_at else None,
        )
        for row in found
    }


async def _enterprise_of(connection: AsyncConnection, scanned: ScannedCode) -> str | None:
    if scanned.code_id is None:
        return None
    found = await connection.execute(_LOCATE, {"code_id": scanned.code_id})
    uscc: str | None = found.scalar_one_or_none()
    return uscc


async def _key_of(
    connection: AsyncConnection, scanned: ScannedCode, new_keys: int, now: datetime
) -> str:
    """The key of its case: its own, or one for all once too many of its kind are new today."""
    if not await is_new(connection, scanned):
        return scanned.key
    values = {"now": now, "limit": new_keys, "is_id": scanned.code_id is not None}
    counted = await connection.execute(_NEW_KEYS, values)
    return scanned.key if counted.scalar_one() < new_keys else OTHER_TEXTS


async def _open_case(
    connection: AsyncConnection, key: str, uscc: str | None, now: datetime
) -> tuple[str, int]:
    """The open case of a key, made if missing and locked; with its reports stored today."""
    values = {"case_id": new_id("crc"), "code_key": key, "uscc": uscc, "now": now}
    row = (await connection.execute(_OPEN, values | {"today": day_of(now)})).one()
    return row.case_id, row.stored
