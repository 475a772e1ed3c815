"""Data quality of a source as the source itself and as operators read it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from gateway.access.errors import InvalidRequestError, NotFoundError
from gateway.access.http.body import WireModel
from gateway.access.serializers.timestamps import format_time
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.data_quality.figures import Fault, FaultKind, ReportedFigures
from gateway.data_quality.month import MONTH, Month
from gateway.data_quality.rules import QualityRules
from gateway.data_quality.score import Score, score_of
from gateway.data_quality.wording import fault_sentence, how_to_mend
from gateway.pages.i18n import Language

FinishedMonthParameter = Annotated[
    str | None,
    Query(pattern=f"^{MONTH.pattern}$", description="in Shanghai, over; left out: the last one"),
]
MonthParameter = Annotated[
    str | None,
    Query(pattern=f"^{MONTH.pattern}$", description="in Shanghai; left out: this month"),
]
Points = Annotated[float, Field(ge=0, le=100)]


class ScoreOut(WireModel):
    """A score of 100 and its parts; null where there is nothing to judge."""

    total: Points | None
    timely: Points | None
    complete: Points | None
    right: Points | None
    level: str | None


class FaultOut(WireModel):
    """A kind of fault. `records` is null where its count is suppressed."""

    fault: Fault
    field: str | None
    records: int | None
    found: str | None
    mend: str | None


class DatasetQualityOut(WireModel):
    """Figures of one dataset; counts are records, of `file_rows` rows."""

    dataset: str
    received: int
    dated: int
    """Records of which it can be judged whether they are late."""
    objections_decided: int
    corrected: int
    file_rows: int
    score: ScoreOut
    faults: list[FaultOut]


class SourceQualityOut(WireModel):
    """A source's month: its score, that of the month before, and its datasets."""

    source_id: str
    counted_at: str
    score: ScoreOut
    score_before: Points | None
    datasets: list[DatasetQualityOut]
    withheld: list[str]
    """Datasets with records of too few enterprises; empty for the source itself."""


class OwnQualityOut(SourceQualityOut):
    """A source's own month."""

    month: str
    month_is_over: bool
    rules_version: str


def requested_month(text: str | None, now: datetime) -> Month:
    """The month of a parameter, this one by default. Raises `InvalidRequestError` for a later one."""
    this_month = Month.at(now)
    month = this_month if text is None else Month.parse(text)
    if month is None or month > this_month:
        raise InvalidRequestError("month is a month that has begun, as 2026-10.")
    return month


def requested_finished_month(text: str | None, now: datetime) -> Month:
    """The month of a parameter, the last one by default. Raises `NotFoundError` for one not over.

    Two readings of a running month differ by single records (R16).
    """
    last = Month.at(now).previous
    month = last if text is None else Month.parse(text)
    if month is None:
        raise InvalidRequestError("month is a month, as 2026-10.")
    if month > last:
        raise NotFoundError("Nothing is published of a month that is not over.")
    return month


def source_quality(
    source_id: str,
    counted_at: datetime,
    figures: Sequence[ReportedFigures],
    before: Sequence[ReportedFigures],
    *,
    withheld: Sequence[str] = (),
    catalogue: Catalogue,
    rules: QualityRules,
    language: Language,
) -> dict[str, Any]:
    """The source's month as JSON values."""
    return {
        "source_id": source_id,
        "counted_at": format_time(counted_at),
        "score": _score(score_of(figures, rules)),
        "score_before": _points(score_of(before, rules).total),
        "datasets": [
            _dataset(each, catalogue.dataset(each.dataset), rules, language)
            for each in figures
            if catalogue.has_dataset(each.dataset)
        ],
        "withheld": list(withheld),
    }


def _dataset(
    figures: ReportedFigures, dataset: DatasetDefinition, rules: QualityRules, language: Language
) -> dict[str, Any]:
    hidden = ((kind, None) for kind in sorted(figures.hidden))
    found = ((kind, n) for kind, n in figures.worst_first() if kind not in figures.hidden)
    return {
        "dataset": figures.dataset,
        "received": figures.received,
        "dated": figures.dated,
        "objections_decided": figures.decided,
        "corrected": figures.corrected,
        "file_rows": figures.file_rows,
        "score": _score(score_of([figures], rules)),
        "faults": [
            _fault(kind, count, dataset, rules, language) for kind, count in (*found, *hidden)
        ],
    }


def _fault(
    kind: FaultKind,
    count: int | None,
    dataset: DatasetDefinition,
    rules: QualityRules,
    language: Language,
) -> dict[str, Any]:
    asked = rules.rules_of(dataset.code)
    found = None if count is None else fault_sentence(kind, count, dataset, asked).text(language)
    return {
        "fault": kind.fault.value,
        "field": kind.field or None,
        "records": count,
        "found": found,
        "mend": None if count is None else how_to_mend(kind, asked).text(language),
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "total": _points(score.total),
        "timely": _points(score.timely),
        "complete": _points(score.complete),
        "right": _points(score.right),
        "level": None if score.level is None else score.level.code,
    }


def _points(points: Decimal | None) -> float | None:
    return None if points is None else float(points)
