"""Contents of a report as its page shows them: one section for each dataset. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from gateway.credit_reports.content import UNAVAILABLE, none_found
from gateway.credit_reports.months import sum_up
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.labels import dataset_label
from gateway.pages.i18n import Translated

PREVIEW_COUNT: Final = 5
"""Records of a dataset that are shown at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """One dataset of a report: its records as in the document, or what is said in their place."""

    dataset: str
    name: Translated
    state: Literal["found", "none", "unavailable"]
    statement: Translated
    summary: Sequence[Translated] = ()
    """Sentences on the folded records, where they are months."""
    shown: Sequence[Mapping[str, Any]] = ()
    folded: Sequence[Mapping[str, Any]] = ()


def sections_of(report: Mapping[str, Any], kind: str, catalogue: Catalogue) -> list[ReportSection]:
    """The sections of a report, in its order of datasets; `kind` is the enterprise's."""
    return [_section(report, code, kind, catalogue) for code in report["datasets"]]


def _section(
    report: Mapping[str, Any], code: str, kind: str, catalogue: Catalogue
) -> ReportSection:
    name = dataset_label(code, catalogue, kind)
    records = [each for each in report["records"] if each["dataset"] == code]
    if records:
        count = len(records)
        said = Translated(f"{count} 条", f"{count} record{'' if count == 1 else 's'}")
        months = sum_up(code, records, catalogue)
        shown = len(months.listed) if months.sentences else PREVIEW_COUNT
        return ReportSection(
            dataset=code,
            name=name,
            state="found",
            statement=said,
            summary=months.sentences,
            shown=months.listed[:shown],
            folded=[*months.listed[shown:], *months.summed_up],
        )
    if code in report["nothing_found"]:
        said = none_found(report, code, catalogue, kind)
        return ReportSection(dataset=code, name=name, state="none", statement=said)
    return ReportSection(dataset=code, name=name, state="unavailable", statement=UNAVAILABLE)
