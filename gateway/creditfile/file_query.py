"""SQL expressions that read an enterprise's credit file in one statement, by USCC.

Each is a scalar sub-select, so that one row holds everything, with the same result from either driver:
JSON as text, and of records, which are long, as bytes. With `NOT_ENDED` records that are withdrawn,
repaired, suspended or delisted are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import SERIOUS_LIST
from gateway.creditfile.records import (
    ENTERPRISE_COLUMNS,
    RECORD_COLUMNS,
    Enterprise,
    Record,
)
from gateway.db.statements import Statement

_USCC: Final = "CAST(:uscc AS text)"
_RECORD: Final = f"json_build_array({', '.join(f'r.{name}' for name in RECORD_COLUMNS)})"
"""SQL for a record `r`: its columns alone, since names would be half of a file."""
_EXACT: Final = {"capital": "CAST(e.capital AS text)"}
_NOT_READ: Final = {"personal": "CAST(NULL AS text)", "digests": "CAST('{}' AS json)"}


def enterprise_json(
    condition: str = "true", *, uscc: str = _USCC, left_out: Sequence[str] = ()
) -> str:
    """SQL for the enterprise `uscc` if `condition` holds: its columns as a JSON array, or NULL.

    Parse it with `enterprise_from_json`. Of `left_out`, `personal` and `digests`, nothing is read.
    """
    return f"""\
(SELECT CAST({_enterprise_columns(left_out)} AS text)
   FROM enterprise AS e
  WHERE e.uscc = {uscc} AND {condition})"""  # noqa: S608  # constants only


def _enterprise_columns(left_out: Sequence[str] = ()) -> str:
    """SQL for an enterprise `e`: a third of the time of an object with names."""
    instead = _EXACT | {name: _NOT_READ[name] for name in left_out}
    columns = ", ".join(instead.get(name, f"e.{name}") for name in ENTERPRISE_COLUMNS)
    return f"json_build_array({columns})"


def enterprise_mark(*, uscc: str = _USCC) -> str:
    """SQL for a text that changes with every change of the enterprise's row."""
    return f"(SELECT CAST(e.xmin AS text) FROM enterprise AS e WHERE e.uscc = {uscc})"  # noqa: S608


def records_mark(datasets: str = "CAST(:datasets AS text[])", *, uscc: str = _USCC) -> str:
    """SQL for a text that changes when a record of these datasets is added, changed or deleted.

    It names the transaction that wrote each row (`xmin`), so that whoever changes a record, in
    whatever way, changes it in the same commit; numbers are used again after 2^32 transactions.
    """
    return f"""\
(SELECT encode(sha256(convert_to(
          string_agg(r.record_id || ' ' || CAST(r.xmin AS text), ',' ORDER BY r.record_id),
          'UTF8')), 'hex')
   FROM record AS r WHERE r.uscc = {uscc} AND r.dataset = ANY({datasets}))"""  # noqa: S608  # constants only


NOT_ENDED: Final = """r.withdrawn_at IS NULL
    AND (r.repaired_at IS NULL OR r.repaired_at > CAST(:now AS timestamptz))
    AND (r.suspended_at IS NULL OR r.suspended_at > CAST(:now AS timestamptz))
    AND (r.removed_on IS NULL
         OR r.removed_on > CAST(CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Shanghai' AS date))"""
"""SQL condition: not withdrawn, repaired, suspended or delisted (`disclosure_terms.ends_at`).

Parameter `:now`.
"""


def records_json(
    datasets: str = "CAST(:datasets AS text[])", *, condition: str = "true", uscc: str = _USCC
) -> str:
    """SQL for the records of `uscc` in these datasets (SQL expression of type text[]).

    JSON in UTF-8: an array or null for each dataset. Parse it with `records_from_json`. One
    sub-select per dataset makes PostgreSQL use the index on (uscc, dataset); for all at once it
    would fetch every record of the enterprise.
    """
    return f"""\
(SELECT convert_to(CAST(coalesce(json_agg((
          SELECT json_agg({_RECORD} ORDER BY r.decided_on DESC NULLS LAST, r.record_id)
            FROM record AS r
           WHERE r.uscc = {uscc} AND r.dataset = wanted.dataset
             AND {condition})), '[]') AS text), 'UTF8')
   FROM unnest({datasets}) AS wanted(dataset))"""  # noqa: S608  # constants only


def nearly_all_records_json(datasets: str, *, condition: str = "true", uscc: str = _USCC) -> str:
    """SQL for the same by one scan of the enterprise's records: faster where most of them are wanted."""
    return f"""\
(SELECT convert_to(CAST(json_build_array(json_agg({_RECORD}
          ORDER BY array_position({datasets}, r.dataset), r.decided_on DESC NULLS LAST, r.record_id)
        ) AS text), 'UTF8')
   FROM record AS r WHERE r.uscc = {uscc} AND r.dataset = ANY({datasets}) AND {condition})"""  # noqa: S608  # constants only


NEEDED: Final = f"(({NOT_ENDED}) OR r.dataset = ANY(CAST(:ends_others AS text[])))"
"""SQL condition: not ended, or of a dataset whose ends are those of other records too.

Parameters `:now` and those of `context_values`.
"""


def with_context(datasets: str) -> str:
    """SQL for these datasets plus those on which their disclosure depends; empty stays empty.

    These are public: the list of serious violations, which prolongs how long other records are
    disclosed, and datasets with whose records others end. Parameters as in `context_values`.
    """
    return f"""\
CASE WHEN cardinality({datasets}) = 0 THEN {datasets} ELSE {datasets} || ARRAY(
    SELECT more.dataset FROM (
        SELECT '{SERIOUS_LIST}' UNION SELECT pair.ends_others
          FROM unnest(CAST(:ending AS text[]), CAST(:ends_others AS text[]))
            AS pair(ending, ends_others)
         WHERE pair.ending = ANY({datasets})) AS more(dataset)
     WHERE more.dataset <> ALL({datasets})) END"""  # noqa: S608  # constants only


def context_values(catalogue: Catalogue, datasets: Iterable[str]) -> Mapping[str, list[str]]:
    """Parameters of `NEEDED` and `with_context` for these datasets."""
    pairs = catalogue.ending_with(datasets)
    return {"ending": [each for each, _ in pairs], "ends_others": [other for _, other in pairs]}


def enterprise_from_json(text: str | None) -> Enterprise | None:
    """Parse the result of `enterprise_json`."""
    return None if text is None else Enterprise.from_columns(orjson.loads(text))


def records_from_json(json: bytes) -> tuple[Record, ...]:
    """Parse the result of `records_json`: by dataset, newest decision first."""
    return tuple(Record.from_columns(row) for rows in orjson.loads(json) for row in rows or ())


CreditFile = tuple[Enterprise, tuple[Record, ...]]

_ENTERPRISES: Final = Statement(f"""
    SELECT CAST({_enterprise_columns()} AS text)
      FROM enterprise AS e WHERE e.uscc = ANY(CAST(:usccs AS text[]))""")  # noqa: S608  # constants only
_RECORDS: Final = Statement(f"""
    SELECT r.uscc, r.dataset,
           CAST(json_agg({_RECORD} ORDER BY r.decided_on DESC NULLS LAST, r.record_id) AS text)
      FROM record AS r
     WHERE r.uscc = ANY(CAST(:usccs AS text[])) AND r.dataset = ANY(CAST(:datasets AS text[]))
     GROUP BY r.uscc, r.dataset""")  # noqa: S608  # constants only


async def read_file(
    connection: AsyncConnection, uscc: str, datasets: Sequence[str]
) -> CreditFile | None:
    """Read an enterprise and all its records of these datasets; `None` if there is no such enterprise."""
    return next(iter(await read_files(connection, [uscc], datasets)), None)


async def read_files(
    connection: AsyncConnection, usccs: Sequence[str], datasets: Sequence[str]
) -> list[CreditFile]:
    """Read the files of these enterprises; unknown ones are left out."""
    found = await connection.execute(_ENTERPRISES, {"usccs": list(usccs)})
    enterprises = [Enterprise.from_columns(orjson.loads(each)) for each in found.scalars()]
    held: dict[tuple[str, str], str] = {}
    if datasets:
        values = {"usccs": list(usccs), "datasets": list(datasets)}
        rows = await connection.execute(_RECORDS, values)
        held = {(uscc, dataset): records for uscc, dataset, records in rows}
    return [
        (
            each,
            tuple(
                Record.from_columns(row)
                for dataset in datasets
                for row in orjson.loads(held.get((each.uscc, dataset), "[]"))
            ),
        )
        for each in sorted(enterprises, key=lambda one: usccs.index(one.uscc))
    ]
