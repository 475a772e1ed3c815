"""A credit file is read in one statement, by its USCC: these are the parts of that statement.

Each is a scalar sub-select that gives text, so that one row holds all, and either driver's answer
is the same. What was withdrawn is not even read.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.records import Enterprise, Record
from gateway.db.engine import statement

ENTERPRISE_JSON: Final = """\
(SELECT CAST(to_jsonb(e) || jsonb_build_object('capital', CAST(e.capital AS text)) AS text)
   FROM enterprise AS e
  WHERE e.uscc = CAST(:uscc AS text))"""
"""Parameter `:uscc`; one JSON object as text, or NULL. Read it with `enterprise_from_json`."""

RECORDS_JSON: Final = """\
(SELECT CAST(coalesce(
          json_agg(to_json(r) ORDER BY r.decided_on DESC NULLS LAST, r.record_id), '[]') AS text)
   FROM record AS r
  WHERE r.uscc = CAST(:uscc AS text)
    AND r.dataset = ANY(CAST(:datasets AS text[]))
    AND r.withdrawn_at IS NULL)"""
"""Parameters `:uscc`, `:datasets`; a JSON array as text. Read it with `records_from_json`."""


def enterprise_from_json(text: str | None) -> Enterprise | None:
    """The enterprise in what `ENTERPRISE_JSON` gave; `None` where there is none."""
    return None if text is None else Enterprise.from_json(orjson.loads(text))


def records_from_json(text: str) -> tuple[Record, ...]:
    """The records in what `RECORDS_JSON` gave, the newest decision first."""
    return tuple(Record.from_json(row) for row in orjson.loads(text))


_READ_FILE: Final = statement(
    f"SELECT {ENTERPRISE_JSON} AS enterprise, {RECORDS_JSON} AS records"  # constants only
)


async def read_file(
    conn: AsyncConnection, uscc: str, datasets: Sequence[str]
) -> tuple[Enterprise, tuple[Record, ...]] | None:
    """An enterprise with its records of these datasets, all at one moment; `None`: no enterprise."""
    found = await conn.execute(_READ_FILE, {"uscc": uscc, "datasets": list(datasets)})
    row = found.one()
    enterprise = enterprise_from_json(row.enterprise)
    return None if enterprise is None else (enterprise, records_from_json(row.records))
