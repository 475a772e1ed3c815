"""The monthly bulletin (数据质量通报): sources ranked by score, from published figures alone. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gateway.data_quality.figures import DatasetFigures, ReportedFigures
from gateway.data_quality.month import Month
from gateway.data_quality.reporting import published_of
from gateway.data_quality.rules import QualityRules
from gateway.data_quality.score import Score, score_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMonth:
    """A source and its exact figures of a month and of the month before."""

    source_id: str
    name: str
    figures: Sequence[DatasetFigures]
    before: Sequence[DatasetFigures]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """Published figures of one source."""

    source_id: str
    name: str
    figures: Sequence[ReportedFigures]
    withheld: Sequence[str]
    """Datasets whose records are of too few enterprises."""
    score: Score
    before: Decimal | None
    """Score of the month before."""
    rank: int | None = None

    @property
    def trend(self) -> Decimal | None:
        """Change of the score since the month before."""
        total = self.score.total
        return None if total is None or self.before is None else total - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """The bulletin of a month."""

    month: Month
    rules: QualityRules = field(repr=False)
    reports: Sequence[SourceReport]
    """Ranked ones first; then those without a score."""
    score: Score
    """Over everything that is published."""
    before: Decimal | None

    @property
    def ranked(self) -> Sequence[SourceReport]:
        """Sources with a score, the best first."""
        return [each for each in self.reports if each.rank is not None]

    @property
    def unranked(self) -> Sequence[SourceReport]:
        """Sources of whose month too little can be published."""
        return [each for each in self.reports if each.rank is None and each.withheld]

    @property
    def silent(self) -> Sequence[SourceReport]:
        """Sources that delivered nothing."""
        return [each for each in self.reports if not each.figures and not each.withheld]


def make_bulletin(month: Month, sources: Iterable[SourceMonth], rules: QualityRules) -> Bulletin:
    """Rank the sources: by score, the same rank for the same score."""
    sources = list(sources)
    reports = sorted((_report(each, rules) for each in sources), key=_order)
    best_first = [each.score.total for each in reports if each.score.total is not None]
    ranked = [
        replace(each, rank=best_first.index(each.score.total) + 1)
        if each.score.total is not None
        else each
        for each in reports
    ]
    everything = [figures for each in ranked for figures in each.figures]
    before = [figures for each in sources for figures in _before(each, rules)]
    return Bulletin(
        month=month,
        rules=rules,
        reports=ranked,
        score=score_of(everything, rules),
        before=score_of(before, rules).total,
    )


def _report(source: SourceMonth, rules: QualityRules) -> SourceReport:
    shown, withheld = published_of(source.figures, rules.least_enterprises)
    return SourceReport(
        source_id=source.source_id,
        name=source.name,
        figures=shown,
        withheld=withheld,
        score=score_of(shown, rules),
        before=score_of(_before(source, rules), rules).total,
    )


def _before(source: SourceMonth, rules: QualityRules) -> list[ReportedFigures]:
    """Published figures of the month before."""
    return published_of(source.before, rules.least_enterprises)[0]


def _order(report: SourceReport) -> tuple[bool, Decimal, str]:
    total = report.score.total
    return total is None, -(total or Decimal()), report.source_id
