"""Public credit summary of an enterprise, filtered by `creditfile.disclosure_policy`.

An empty result is never worded as “no violations” (R6), and is not stated for an unavailable
source or a dataset that the catalogue does not make public.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Literal

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import DatasetDefinition
from gateway.creditfile.clock_rules import ClockRules
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import DisclosableRecord, disclosable_records
from gateway.creditfile.divisions import division_name
from gateway.creditfile.labels import dataset_label
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from gateway.pages.i18n import Translated
from gateway.pages.rendering import format_moment

MAX_RECORDS_SHOWN: Final = 20
RECORDS_UNFOLDED: Final = 3
"""Records per dataset shown unfolded, so that the next dataset stays in view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One dataset of the summary: records found, none found, or source unavailable."""

    dataset: str
    name: Translated
    state: Literal["found", "none", "unavailable"]
    statement: Translated
    is_warning: bool = False
    """Shown among the warnings, which come first."""
    records: Sequence[DisclosableRecord] = ()
    more: int = 0
    bad: int = 0
    """Number of records that count as bad information, among all found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The content of the public page."""

    registration: Mapping[str, Any]
    objection_since: datetime | None
    """The time of the open objection to the registration."""
    kind: str
    """The enterprise's kind."""
    district: str
    as_of: datetime
    catalogue_version: str
    sections: Sequence[Section]

    @property
    def status(self) -> Translated:
        """The number of public negative records, and what it leaves out (R6)."""
        bad = sum(section.bad for section in self.sections)
        if bad:
            return Translated(
                f"公示期内的失信信息共 {bad} 条",
                f"{bad} negative record{'s' if bad > 1 else ''} within publicity",
            )
        if any(each.state == "unavailable" for each in self.sections):
            return Translated(
                "部分来源暂不可用；其余来源未查询到在公示期内的失信信息（依法不予公示等情形除外）",
                "Some sources are unavailable; in the others no negative record within publicity was found "
                "(what by law is not published left aside)",
            )
        return Translated(
            "未查询到在公示期内的失信信息（依法不予公示等情形除外）",
            "No negative record within publicity was found (what by law is not published left aside)",
        )

    def none_found(self, *, is_warning: bool) -> Translated:
        """The R6 wording for all empty sections of one part together; it denies no more than they do."""
        moment = format_moment(self.as_of)
        count = sum(s.state == "none" and s.is_warning == is_warning for s in self.sections)
        if not is_warning:
            return Translated(
                f"以下 {count} 类截至 {moment} 未查询到有效的公开信息",
                f"In these {count} datasets, as of {moment}, no public record in force was found",
            )
        return Translated(
            f"以下 {count} 类截至 {moment} 未查询到列入名录（名单）或在公示期内、有效期内的信息；"
            "依法不予公示、中止公示、正在复议诉讼或已修复的不在此列",
            f"In these {count} datasets, as of {moment}, no listing and no record within its publicity "
            "or validity period was found; what by law is not published, is suspended, under appeal or "
            "repaired is left out",
        )


def public_datasets(catalogue: Catalogue) -> tuple[str, ...]:
    """Datasets of the public page: warnings first, then the others, in the catalogue's order."""
    return tuple(
        each.code
        for part in ("warning", "other")
        for each in catalogue.datasets
        if each.page_part == part and catalogue.fields_for(each.code, Audience.PUBLIC)
    )


def summary_of(
    enterprise: Enterprise, records: Sequence[Record], catalogue: Catalogue, *, now: datetime
) -> Summary:
    """Build the public summary of `enterprise` at `now`."""
    disclosed = disclosable_records(
        (registration_of(enterprise), *records),
        Audience.PUBLIC,
        catalogue,
        now,
        kind=enterprise.kind,
    )
    return Summary(
        registration=next((e.fields for e in disclosed if e.record.dataset == REGISTRATION), {}),
        objection_since=enterprise.objection_since,
        kind=enterprise.kind,
        district=division_name(enterprise.division),
        as_of=now,
        catalogue_version=catalogue.version,
        sections=[
            _section(
                code,
                [each for each in disclosed if each.record.dataset == code],
                catalogue,
                now,
                kind=enterprise.kind,
                is_available=code not in enterprise.unavailable,
            )
            for code in public_datasets(catalogue)
        ],
    )


def _section(
    code: str,
    records: Sequence[DisclosableRecord],
    catalogue: Catalogue,
    now: datetime,
    *,
    kind: str,
    is_available: bool,
) -> Section:
    dataset = catalogue.dataset(code)
    section = partial(
        Section,
        dataset=code,
        name=dataset_label(code, catalogue, kind),
        is_warning=dataset.page_part == "warning",
    )
    if not is_available:
        return section(
            state="unavailable", statement=Translated("暂不可用", "Temporarily unavailable")
        )
    disclosed = [
        each for each in records if not dataset.only_in_force or _in_force(each.record, day_of(now))
    ]
    if not disclosed:
        statement = none_found_text(dataset, catalogue.rules_of(code), kind, now)
        return section(state="none", statement=statement)
    return section(
        state="found",
        statement=_count_text(len(disclosed)),
        records=disclosed[:MAX_RECORDS_SHOWN],
        more=max(0, len(disclosed) - MAX_RECORDS_SHOWN),
        bad=sum(each.counts_as_bad for each in disclosed),
    )


def _in_force(record: Record, today: date) -> bool:
    """False for a lapsed licence or honour; other datasets end by `creditfile.disclosure_terms`."""
    return record.valid_to is None or record.valid_to >= today


def none_found_text(
    dataset: DatasetDefinition, rules: ClockRules, kind: str, now: datetime
) -> Translated:
    """The R6 wording for an empty result; it denies nothing that by law is not published (R1)."""
    moment = format_moment(now)
    own, name = dataset.none_found_for(kind), dataset.names_for(kind)
    if own is not None:
        return Translated(f"截至 {moment} 未查询到{own.zh}", f"As of {moment}, {own.en}")
    if rules.until_removed and dataset.tone == "bad":  # a list, not what is simply in force
        return Translated(
            f"截至 {moment} 未查询到列入{name.zh}的信息", f"As of {moment}, no listing was found"
        )
    if not rules.has_publicity:
        valid = dataset.only_in_force
        return Translated(
            f"截至 {moment} 未查询到{'在有效期内的' if valid else ''}{name.zh}记录",
            f"As of {moment}, no {'valid ' if valid else ''}record was found",
        )
    return Translated(
        f"截至 {moment} 未查询到在公示期内的{name.zh}记录；"
        "依法不予公示、中止公示、正在复议诉讼或已修复的不在此列",
        f"As of {moment}, no record within its publicity period was found; "
        "what by law is not published, is suspended, under appeal or repaired is left out",
    )


def _count_text(count: int) -> Translated:
    return Translated(f"{count} 条", f"{count} record" if count == 1 else f"{count} records")
