"""A credit file is read in one statement, by its USCC: these are the parts of that statement.

Each is a scalar sub-select that gives text, so that one row holds all, and either driver's answer
is the same. What was withdrawn is never read, and for others than the enterprise itself
(`NOT_ENDED`) neither is what has been repaired or taken off its list.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.disclosure_policy import SERIOUS_LIST
from gateway.creditfile.records import Enterprise, Record
from gateway.db.statements import Statement


def enterprise_json(condition: str = "true") -> str:
    """SQL for the enterprise `:uscc` where `condition` holds: a JSON object as text, or NULL.

    Read it with `enterprise_from_json`.
    """
    return f"""\
(SELECT CAST(to_jsonb(e) || jsonb_build_object('capital', CAST(e.capital AS text)) AS text)
   FROM enterprise AS e
  WHERE e.uscc = CAST(:uscc AS text) AND {condition})"""  # noqa: S608  # constants only


_NOT_WITHDRAWN: Final = "r.withdrawn_at IS NULL"

NOT_ENDED: Final = f"""{_NOT_WITHDRAWN}
    AND (r.repaired_at IS NULL OR r.repaired_at > CAST(:now AS timestamptz))
    AND (r.removed_on IS NULL
         OR r.removed_on > CAST(CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Shanghai' AS date))"""
"""What every clock ends at once (`clock.ends_at`): repaired, or off its list. Parameter `:now`."""


def records_json(
    datasets: str = "CAST(:datasets AS text[])", *, condition: str = _NOT_WITHDRAWN
) -> str:
    """SQL for the records of `:uscc` in these datasets (an SQL expression of type text[]).

    A JSON array as text, of an array for each dataset or null. Read it with `records_from_json`.
    A sub-select for each dataset, so that PostgreSQL finds them by (uscc, dataset): given all at once
    it would fetch every record of the enterprise, and drop those of other datasets.
    """
    return f"""\
(SELECT CAST(coalesce(json_agg((
          SELECT json_agg(to_json(r) ORDER BY r.decided_on DESC NULLS LAST, r.record_id)
            FROM record AS r
           WHERE r.uscc = CAST(:uscc AS text) AND r.dataset = wanted.dataset
             AND {condition})), '[]') AS text)
   FROM unnest({datasets}) AS wanted(dataset))"""  # noqa: S608  # constants only


def with_serious_list(datasets: str) -> str:
    """SQL for these datasets and the list of serious violations; for none where there are none.

    The list is public, and being on it prolongs how long other records are told.
    """
    return (
        f"CASE WHEN cardinality({datasets}) > 0 AND '{SERIOUS_LIST}' <> ALL({datasets})"
        f" THEN {datasets} || CAST('{SERIOUS_LIST}' AS text) ELSE {datasets} END"
    )


def enterprise_from_json(text: str | None) -> Enterprise | None:
    """The enterprise in what `enterprise_json` gave; `None` where there is none."""
    return None if text is None else Enterprise.from_json(orjson.loads(text))


def records_from_json(text: str) -> tuple[Record, ...]:
    """The records in what `records_json` gave: by dataset, of each the newest decision first."""
    return tuple(Record.from_json(row) for rows in orjson.loads(text) for row in rows or ())


_READ_FILE: Final = Statement(
    f"SELECT {enterprise_json()} AS enterprise, {records_json()} AS records"  # constants only
)


async def read_file(
    connection: AsyncConnection, uscc: str, datasets: Sequence[str]
) -> tuple[Enterprise, tuple[Record, ...]] | None:
    """An enterprise with its records of these datasets, all at one moment; `None`: no enterprise."""
    found = await connection.execute(_READ_FILE, {"uscc": uscc, "datasets": list(datasets)})
    row = found.one()
    enterprise = enterprise_from_json(row.enterprise)
    return None if enterprise is None else (enterprise, records_from_json(row.records))
