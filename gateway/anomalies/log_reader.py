"""Reads new calls from the disclosure log, in its order and each once, in sets.

The log's order is given after commit, so that nothing is skipped, whichever way a call came: single, in a
batch or a job. The calls themselves pay nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.anomalies.activity import ASSERTED, AskedOnce
from gateway.creditfile.local_dates import day_of
from gateway.db.statements import Statement
from verification.probe_budget import LIMIT

BATCH: Final = 2_500
_FRESH: Final = timedelta(days=1)
"""A budget counts as spent by a call where its last value is not older than this."""

_NEXT_INDEX: Final = Statement("SELECT next_index FROM anomaly_cursor")
_MOVE: Final = Statement("UPDATE anomaly_cursor SET next_index = CAST(:next AS bigint)")
_ENTRIES: Final = Statement("""
    SELECT index AS position, uscc, disclosure_id FROM log_entry
     WHERE index >= CAST(:first AS bigint) ORDER BY index LIMIT :batch""")
# Left out: changes told by a watch (caused by deliveries, perhaps code by code), and openings of reports
# (by holders of an address, no clients).
_DISCLOSURES: Final = Statement("""
    SELECT d.uscc, d.client_id, d.at, d.items
      FROM unnest(CAST(:usccs AS text[]), CAST(:disclosure_ids AS text[]))
        AS entry(uscc, disclosure_id)
      JOIN disclosure AS d
        ON d.uscc = entry.uscc AND d.disclosure_id = entry.disclosure_id
     WHERE d.kind NOT IN ('watch', 'report')""")
_BUDGETS: Final = Statement("""
    SELECT p.uscc, p.client_id, p.asked
      FROM unnest(CAST(:usccs AS text[]), CAST(:clients AS text[])) AS asker(uscc, client_id)
      JOIN probe AS p ON p.uscc = asker.uscc AND p.client_id = asker.client_id
     WHERE p.question = ANY(CAST(:budgets AS text[]))
       AND (SELECT count(*) FROM jsonb_object_keys(p.asked)) >= CAST(:full AS integer)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCalls:
    """The calls of one batch of log entries; `is_full` where more may wait."""

    calls: tuple[AskedOnce, ...]
    is_full: bool


async def take_new_calls(connection: AsyncConnection, *, batch: int = BATCH) -> NewCalls:
    """Read the next calls and move the cursor past them, in this transaction."""
    first = (await connection.execute(_NEXT_INDEX)).scalar_one()
    entries = (await connection.execute(_ENTRIES, {"first": first, "batch": batch})).all()
    if not entries:
        return NewCalls(calls=(), is_full=False)
    calls = await _calls_of(connection, [each for each in entries if each.uscc])
    await connection.execute(_MOVE, {"next": entries[-1].position + 1})
    return NewCalls(calls=calls, is_full=len(entries) == batch)


async def _calls_of(
    connection: AsyncConnection, entries: Sequence[Row[Any]]
) -> tuple[AskedOnce, ...]:
    values = {
        "usccs": [each.uscc for each in entries],
        "disclosure_ids": [each.disclosure_id for each in entries],
    }
    found = (await connection.execute(_DISCLOSURES, values)).all()
    spent = await _spent_budgets(
        connection, {(each.uscc, each.client_id): each.at for each in found}
    )
    return tuple(
        AskedOnce(
            client_id=each.client_id,
            uscc=each.uscc,
            day=day_of(each.at),
            items=each.items or (),
            has_spent_budget=(each.uscc, each.client_id) in spent,
        )
        for each in found
    )


async def _spent_budgets(
    connection: AsyncConnection, asked_at: Mapping[tuple[str, str], datetime]
) -> frozenset[tuple[str, str]]:
    """The pairs of enterprise and client of which a budget was used up shortly before the call."""
    values = {
        "usccs": [uscc for uscc, _ in asked_at],
        "clients": [client_id for _, client_id in asked_at],
        "budgets": list(ASSERTED),
        "full": LIMIT,
    }
    budgets = (await connection.execute(_BUDGETS, values)).all()
    return frozenset(
        (uscc, client_id)
        for uscc, client_id, asked in budgets
        if max(asked.values()) > (asked_at[uscc, client_id] - _FRESH).timestamp()
    )
