"""SQL of the records that a source's month brought, each as it was first received.

The first version of a record is in `record`, or kept in its history once it was replaced: then it was
replaced after the month had begun, so that both are found by an index on source and moment. A
registration is a record of the dataset `registration`, whose fields are its columns.
"""

from typing import Final

from gateway.creditfile.records import REGISTRATION
from verification.uscc import ALPHABET

_LENGTH: Final = 18


def _first_versions(table: str, dataset: str, own_day: str, fields: str) -> str:
    """First versions that are still held, and those that are kept in history."""
    held = {name: f"r.{name}" for name in ("dataset", "fields", own_day)}
    kept = {
        "dataset": "h.row ->> 'dataset'",
        "fields": "h.row -> 'fields'",
        own_day: f"CAST(h.row ->> '{own_day}' AS date)",
    }
    is_registration = table == "enterprise"
    return f"""
SELECT r.uscc, {dataset or held["dataset"]} AS dataset, r.received_at, {held[own_day]} AS own_day,
       {fields or held["fields"]} AS fields
  FROM {table} AS r
 WHERE r.source_id = CAST(:source AS text) AND r.version = 1
   AND r.received_at >= CAST(:start AS timestamptz) AND r.received_at < CAST(:end AS timestamptz)
UNION ALL
SELECT h.uscc, {dataset or kept["dataset"]}, CAST(h.row ->> 'received_at' AS timestamptz),
       {kept[own_day]}, {"h.row" if is_registration else kept["fields"]}
  FROM {table}_history AS h
 WHERE h.row ->> 'source_id' = CAST(:source AS text) AND h.version = 1
   AND h.replaced_at >= CAST(:start AS timestamptz)
   AND CAST(h.row ->> 'received_at' AS timestamptz) >= CAST(:start AS timestamptz)
   AND CAST(h.row ->> 'received_at' AS timestamptz) < CAST(:end AS timestamptz)"""  # noqa: S608  # constants only


ARRIVED: Final = f"""{_first_versions("record", "", "decided_on", "")}
UNION ALL{_first_versions("enterprise", f"'{REGISTRATION}'", "approved_on", "to_jsonb(r)")}"""
"""Columns uscc, dataset, received_at, own_day, fields; parameters source, start, end."""

ARRIVED_DAYS: Final = f"""
SELECT uscc, dataset, own_day, CAST(received_at AT TIME ZONE 'Asia/Shanghai' AS date) AS day
  FROM ({ARRIVED}) AS v"""  # noqa: S608  # constants only
"""The same with the day of receipt in Shanghai."""


def _value(place: int) -> str:
    return f"(strpos('{ALPHABET}', substr(e.uscc, {place}, 1)) - 1)"


_SUM: Final = " + ".join(f"{3**place % 31} * {_value(place + 1)}" for place in range(_LENGTH - 1))
CHECK_AGREES: Final = f"((31 - ({_SUM}) % 31) % 31 = {_value(_LENGTH)})"
"""SQL condition: the check character of `e.uscc` is that of GB 32100."""
