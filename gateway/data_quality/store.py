"""Store of data-quality figures: a source's month, counted from records, histories, objections and jobs.

A record counts in the month in which it was first received, as it was first received: by its first
version, which `record` holds or `record_history` keeps. What was found wrong counts in the month in which
that became final. A month that is over therefore has the same figures whenever they are counted, until
retention deletes the records. Each statement reads one source's month, without a lock.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.data_quality.arrivals import ARRIVED, ARRIVED_DAYS, CHECK_AGREES
from gateway.data_quality.figures import Count, DatasetFigures, Fault, FaultKind
from gateway.data_quality.month import Month, earliest_in_time
from gateway.data_quality.publicity_ends import count_wrong_ends
from gateway.data_quality.rules import QualityRules
from gateway.db.statements import Statement

# Records are first summed by enterprise, by hashing: counting distinct codes would sort them all.
_ARRIVALS: Final = Statement(f"""
SELECT e.dataset,
       CAST(sum(e.received) AS bigint) AS received,
       count(*) AS received_enterprises,
       CAST(sum(e.dated) AS bigint) AS dated,
       count(*) FILTER (WHERE e.dated > 0) AS dated_enterprises,
       count(*) FILTER (WHERE e.dated < e.received) AS undated_enterprises,
       CAST(sum(e.late) AS bigint) AS late,
       count(*) FILTER (WHERE e.late > 0) AS late_enterprises,
       count(*) FILTER (WHERE e.late < e.dated) AS timely_enterprises,
       coalesce(CAST(sum(e.received) FILTER (WHERE NOT {CHECK_AGREES}) AS bigint), 0) AS wrong_check,
       count(*) FILTER (WHERE NOT {CHECK_AGREES}) AS wrong_check_enterprises,
       count(*) FILTER (WHERE {CHECK_AGREES}) AS right_check_enterprises
  FROM (SELECT v.dataset, v.uscc, count(*) AS received,
               count(*) FILTER (WHERE v.own_day >= t.counts_from) AS dated,
               count(*) FILTER (WHERE v.own_day >= t.counts_from AND v.own_day < t.first_in_time)
                 AS late
          FROM ({ARRIVED_DAYS}) AS v
          LEFT JOIN (SELECT u.*, CAST(:counts_from AS date) AS counts_from
                       FROM unnest(CAST(:datasets AS text[]), CAST(:days AS date[]),
                                   CAST(:firsts AS date[])) AS u(dataset, day, first_in_time)) AS t
            ON t.dataset = v.dataset AND t.day = v.day
         GROUP BY v.dataset, v.uscc) AS e
 GROUP BY e.dataset""")  # noqa: S608  # constants only

# Each record's missing fields together first, of which an enterprise has few combinations.
_MISSING: Final = Statement(f"""
SELECT e.dataset, e.name AS field,
       CAST(sum(e.missing) AS bigint) AS missing,
       count(*) FILTER (WHERE e.missing > 0) AS enterprises,
       count(*) FILTER (WHERE e.missing < e.received) AS others
  FROM (SELECT c.dataset, c.uscc, f.name, sum(c.records) AS received,
               coalesce(sum(c.records) FILTER (WHERE f.name = ANY(c.missing)), 0) AS missing
          FROM (SELECT m.dataset, m.uscc, m.names, m.missing, count(*) AS records
                  FROM (SELECT v.dataset, v.uscc, u.names,
                               ARRAY(SELECT name FROM unnest(u.names) AS name
                                      WHERE coalesce(v.fields ->> name, '') IN ('', '[]')) AS missing
                          FROM ({ARRIVED}) AS v
                          JOIN (SELECT dataset, string_to_array(joined, ',') AS names
                                  FROM unnest(CAST(:datasets AS text[]), CAST(:names AS text[]))
                                         AS j(dataset, joined)) AS u
                            ON u.dataset = v.dataset) AS m
                 GROUP BY m.dataset, m.uscc, m.names, m.missing) AS c
         CROSS JOIN unnest(c.names) AS f(name)
         GROUP BY c.dataset, c.uscc, f.name) AS e
 GROUP BY e.dataset, e.name""")  # noqa: S608  # constants only

_OBJECTIONS: Final = Statement("""
SELECT o.dataset, count(*) AS decided, count(DISTINCT o.uscc) AS enterprises,
       count(*) FILTER (WHERE o.outcome <> 'rejected') AS upheld,
       count(DISTINCT o.uscc) FILTER (WHERE o.outcome <> 'rejected') AS upheld_enterprises,
       count(DISTINCT o.uscc) FILTER (WHERE o.outcome = 'rejected') AS other_enterprises
  FROM objection AS o
 WHERE o.source_id = CAST(:source AS text) AND o.outcome IN ('upheld', 'partly', 'rejected')
   AND o.final_at >= CAST(:start AS timestamptz) AND o.final_at < CAST(:end AS timestamptz)
 GROUP BY o.dataset""")

_CORRECTIONS: Final = Statement("""
SELECT h.row ->> 'dataset' AS dataset, count(*) AS corrected, count(DISTINCT h.uscc) AS enterprises
  FROM record_history AS h
 WHERE h.row ->> 'source_id' = CAST(:source AS text) AND h.change = 'corrected'
   AND h.replaced_at >= CAST(:start AS timestamptz) AND h.replaced_at < CAST(:end AS timestamptz)
 GROUP BY h.row ->> 'dataset'""")

_FILES: Final = Statement("""
SELECT j.dataset, CAST(sum(j.rows) AS bigint) AS rows, CAST(sum(j.rejected) AS bigint) AS rejected
  FROM intake_job AS j
 WHERE j.source_id = CAST(:source AS text)
   AND j.started_at >= CAST(:start AS timestamptz) AND j.started_at < CAST(:end AS timestamptz)
 GROUP BY j.dataset""")

_COMPARISONS: Final = Statement("""
SELECT dataset, fault, records, enterprises FROM comparison_count
 WHERE month = CAST(:first_day AS date) AND source_id = CAST(:source AS text)""")

_Parts = defaultdict[str, dict[str, Any]]
"""Members of `DatasetFigures` by dataset; `faults` is a dictionary in each."""


async def figures_of_source(
    connection: AsyncConnection,
    source_id: str,
    month: Month,
    *,
    catalogue: Catalogue,
    rules: QualityRules,
) -> list[DatasetFigures]:
    """A source's figures of a month, by dataset in the catalogue's order, with what has any."""
    values = {
        "source": source_id,
        "start": month.start,
        "end": month.end,
        "first_day": month.first_day,
    }
    parts: _Parts = defaultdict(lambda: {"faults": {}})
    await _add_arrivals(connection, values, parts, month, rules)
    await _add_missing(connection, values, parts, rules)
    for dataset, count in (await count_wrong_ends(connection, values, catalogue)).items():
        parts[dataset]["faults"][FaultKind(fault=Fault.PUBLICITY_END)] = count
    await _add_findings(connection, values, parts)
    places = {code: place for place, code in enumerate(catalogue.codes)}
    ordered = sorted(parts, key=lambda code: (places.get(code, len(places)), code))
    made = [DatasetFigures(dataset=code, **parts[code]) for code in ordered]
    return [each for each in made if each]


async def _rows(
    connection: AsyncConnection, statement: Statement, values: Mapping[str, Any]
) -> Sequence[RowMapping]:
    wanted = {name: values[name] for name in statement.names}
    return (await connection.execute(statement, wanted)).mappings().all()


async def _add_arrivals(
    connection: AsyncConnection,
    values: Mapping[str, Any],
    parts: _Parts,
    month: Month,
    rules: QualityRules,
) -> None:
    terms = [
        (code, day, earliest_in_time(day, each.days))
        for code, each in rules.datasets.items()
        if each.days is not None
        for day in month.days
    ]
    more = {
        "counts_from": rules.counts_from,
        "datasets": [dataset for dataset, _, _ in terms],
        "days": [day for _, day, _ in terms],
        "firsts": [first for _, _, first in terms],
    }
    for row in await _rows(connection, _ARRIVALS, {**values, **more}):
        part = parts[row["dataset"]]
        part["received"] = Count(records=row["received"], enterprises=row["received_enterprises"])
        part["dated"] = Count(
            records=row["dated"],
            enterprises=row["dated_enterprises"],
            others=row["undated_enterprises"],
        )
        if row["dated"]:
            part["faults"][FaultKind(fault=Fault.LATE)] = Count(
                records=row["late"],
                enterprises=row["late_enterprises"],
                others=row["timely_enterprises"],
            )
        part["faults"][FaultKind(fault=Fault.CHECK_CHARACTER)] = Count(
            records=row["wrong_check"],
            enterprises=row["wrong_check_enterprises"],
            others=row["right_check_enterprises"],
        )


async def _add_missing(
    connection: AsyncConnection, values: Mapping[str, Any], parts: _Parts, rules: QualityRules
) -> None:
    asked = {code: each.recommended for code, each in rules.datasets.items() if each.recommended}
    more = {"datasets": list(asked), "names": [",".join(names) for names in asked.values()]}
    for row in await _rows(connection, _MISSING, {**values, **more}):
        kind = FaultKind(fault=Fault.MISSING, field=row["field"])
        parts[row["dataset"]]["faults"][kind] = Count(
            records=row["missing"], enterprises=row["enterprises"], others=row["others"]
        )


async def _add_findings(
    connection: AsyncConnection, values: Mapping[str, Any], parts: _Parts
) -> None:
    """Objections, corrections, and rows of files that were not taken."""
    for row in await _rows(connection, _OBJECTIONS, values):
        part = parts[row["dataset"]]
        part["decided"] = Count(records=row["decided"], enterprises=row["enterprises"])
        part["faults"][FaultKind(fault=Fault.UPHELD)] = Count(
            records=row["upheld"],
            enterprises=row["upheld_enterprises"],
            others=row["other_enterprises"],
        )
    for row in await _rows(connection, _CORRECTIONS, values):
        count = Count(records=row["corrected"], enterprises=row["enterprises"])
        parts[row["dataset"]]["corrected"] = count
    for row in await _rows(connection, _COMPARISONS, values):
        kind = FaultKind(fault=Fault(row["fault"]))
        parts[row["dataset"]]["faults"][kind] = Count(
            records=row["records"], enterprises=row["enterprises"]
        )
    for row in await _rows(connection, _FILES, values):
        part, rows, rejected = parts[row["dataset"]], row["rows"], row["rejected"]
        part["file_rows"] = rows
        part["faults"][FaultKind(fault=Fault.REJECTED)] = Count(
            records=rejected, enterprises=rejected, others=rows - rejected
        )
