"""Figures of data quality recomputed row by row from the tables' raw rows, as an oracle of the SQL."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from gateway.creditfile.working_days import is_working_day
from gateway.data_quality.rules import QualityRules
from gateway.ingest.validation.dataset_rules import DatasetRules
from tests.creditfile_builders import CATALOGUE
from verification.uscc import check_character

CHINA = timedelta(hours=8)
Counts = tuple[int, int, int]
"""Records, their enterprises, enterprises of the rest."""
Figures = dict[tuple[str, ...], Any]
"""By dataset and measure; a missing field has its name as a third part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTables:
    """Rows of the tables as dictionaries of JSON."""

    record: Sequence[Mapping[str, Any]]
    record_history: Sequence[Mapping[str, Any]]
    enterprise: Sequence[Mapping[str, Any]]
    enterprise_history: Sequence[Mapping[str, Any]]
    objection: Sequence[Mapping[str, Any]]
    intake_job: Sequence[Mapping[str, Any]]
    comparison_count: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    uscc: str
    dataset: str
    received: datetime
    own_day: date | None
    fields: Mapping[str, Any]


def figures(tables: RawTables, source: str, month: str, rules: QualityRules) -> Figures:
    """Every figure that is not zero."""
    found: Figures = {}
    by_dataset: defaultdict[str, list[_Arrival]] = defaultdict(list)
    for each in _arrivals(tables, source):
        if _month(each.received) == month:
            by_dataset[each.dataset].append(each)
    for dataset, arrived in by_dataset.items():
        found |= _of_dataset(dataset, arrived, rules)
    found |= _objections(tables, source, month)
    for row in tables.record_history:
        held, is_corrected = row["row"], row["change"] == "corrected"
        replaced = _month(_moment(row["replaced_at"]))
        if is_corrected and held["source_id"] == source and replaced == month:
            _add(found, held["dataset"], "corrected", 1)
    for row in tables.intake_job:
        if row["source_id"] == source and _month(_moment(row["started_at"])) == month:
            _add(found, row["dataset"], "file_rows", row["rows"])
            _add(found, row["dataset"], "rejected", row["rejected"])
    for row in tables.comparison_count:
        if row["source_id"] == source and row["month"] == f"{month}-01":
            _add(found, row["dataset"], row["fault"], row["records"])
    return {key: value for key, value in found.items() if value and value != (0, 0, 0)}


def _of_dataset(dataset: str, arrived: Sequence[_Arrival], rules: QualityRules) -> Figures:
    asked = rules.rules_of(dataset)
    found: Figures = {
        (dataset, "received"): len(arrived),
        (dataset, "received_enterprises"): len({each.uscc for each in arrived}),
    }
    dated = [
        each
        for each in arrived
        if asked.days and each.own_day is not None and each.own_day >= rules.counts_from
    ]
    found[dataset, "dated"] = len(dated)
    if dated and asked.days:
        days = asked.days
        found[dataset, "late"] = _split(dated, [_is_late(each, days) for each in dated])
    found[dataset, "check_character"] = _split(
        arrived, [check_character(each.uscc[:-1]) != each.uscc[-1] for each in arrived]
    )
    for name in asked.recommended:
        found[dataset, "missing", name] = _split(
            arrived, [each.fields.get(name) in (None, "", []) for each in arrived]
        )
    checks = DatasetRules.of(CATALOGUE, dataset, today=date(2026, 1, 1))
    wrong = [not checks.end_agrees(each.uscc, each.fields) for each in arrived]
    if any(wrong):
        found[dataset, "publicity_end"] = _split(arrived, wrong)
    return found


def _split(arrived: Sequence[_Arrival], faulty: Sequence[bool]) -> Counts:
    bad = [each.uscc for each, is_bad in zip(arrived, faulty, strict=True) if is_bad]
    good = [each.uscc for each, is_bad in zip(arrived, faulty, strict=True) if not is_bad]
    return (len(bad), len(set(bad)), len(set(good))) if bad else (0, 0, 0)


def _is_late(arrival: _Arrival, days: int) -> bool:
    """Counts working days one by one until the term is over."""
    if arrival.own_day is None:
        raise ValueError
    day, left = arrival.own_day, days
    while left:
        day += timedelta(days=1)
        if is_working_day(day):
            left -= 1
    return (arrival.received + CHINA).date() > day


def _arrivals(tables: RawTables, source: str) -> Iterator[_Arrival]:
    rows = [*tables.record, *(each["row"] for each in tables.record_history)]
    for row in rows:
        if row["version"] == 1 and row["source_id"] == source:
            yield _Arrival(
                uscc=row["uscc"],
                dataset=row["dataset"],
                received=_moment(row["received_at"]),
                own_day=_day(row["decided_on"]),
                fields=row["fields"],
            )
    for row in [*tables.enterprise, *(each["row"] for each in tables.enterprise_history)]:
        if row["version"] == 1 and row["source_id"] == source:
            yield _Arrival(
                uscc=row["uscc"],
                dataset="registration",
                received=_moment(row["received_at"]),
                own_day=_day(row["approved_on"]),
                fields=row,
            )


def _objections(tables: RawTables, source: str, month: str) -> Figures:
    found: Figures = {}
    for row in tables.objection:
        if row["source_id"] != source or row["final_at"] is None:
            continue
        if _month(_moment(row["final_at"])) != month:
            continue
        if row["outcome"] in {"upheld", "partly", "rejected"}:
            _add(found, row["dataset"], "decided", 1)
            _add(found, row["dataset"], "upheld", int(row["outcome"] != "rejected"))
    return found


def _add(found: Figures, dataset: str, measure: str, count: int) -> None:
    found[dataset, measure] = found.get((dataset, measure), 0) + count


def _month(moment: datetime) -> str:
    return (moment + CHINA).strftime("%Y-%m")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
