"""Public credit summary of an enterprise, filtered by `creditfile.disclosure_policy`.

An empty result is never worded as “no violations” (R6), and is not stated for an unavailable
source or a dataset that the catalogue does not make public.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_fields
from gateway.creditfile.divisions import division_name
from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.creditfile.records import Enterprise, Record, registration_of
from gateway.pages.i18n import Translated

WARNINGS: Final = ("penalty", "abnormal_listing", "serious_violation", "judgment_defaulter")
PUBLIC_DATASETS: Final = (*WARNINGS, "licence", "commitment", "honour")
ONLY_WHILE_VALID: Final = frozenset({"licence", "honour"})
MAX_RECORDS_SHOWN: Final = 20
RECORDS_UNFOLDED: Final = 3
"""Records per dataset shown unfolded, so that the next dataset stays in view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedRecord:
    """One record with its public fields."""

    record: Record
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One dataset of the summary: records found, none found, or source unavailable."""

    dataset: str
    name: Translated
    state: Literal["found", "none", "unavailable"]
    statement: Translated
    records: Sequence[DisclosedRecord] = ()
    more: int = 0

    @property
    def is_warning(self) -> bool:
        """Whether the dataset holds negative information."""
        return self.dataset in WARNINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The content of the public page."""

    registration: Mapping[str, Any]
    objection_since: datetime | None
    """When the open objection to the registration was raised."""
    kind: str
    district: str
    as_of: datetime
    catalogue_version: str
    sections: Sequence[Section]


def summary_of(
    enterprise: Enterprise,
    records: Sequence[Record],
    catalogue: Catalogue,
    *,
    now: datetime,
) -> Summary:
    """Build the public summary of `enterprise` at `now`."""
    return Summary(
        registration=disclosable_fields(
            registration_of(enterprise),
            Audience.PUBLIC,
            catalogue,
            now,
            kind=enterprise.kind,
        ),
        objection_since=enterprise.objection_since,
        kind=enterprise.kind,
        district=division_name(enterprise.division),
        as_of=now,
        catalogue_version=catalogue.version,
        sections=[
            _section(code, enterprise, records, catalogue, now)
            for code in PUBLIC_DATASETS
            if catalogue.fields_for(code, Audience.PUBLIC)
        ],
    )


def _section(
    code: str,
    enterprise: Enterprise,
    records: Sequence[Record],
    catalogue: Catalogue,
    now: datetime,
) -> Section:
    dataset = catalogue.dataset(code)
    name = Translated(dataset.zh, dataset.en)
    if code in enterprise.unavailable:
        return Section(
            dataset=code,
            name=name,
            state="unavailable",
            statement=Translated("暂不可用", "Temporarily unavailable"),
        )
    context = context_of(records, catalogue, now)
    disclosed = [
        DisclosedRecord(record=each, fields=fields)
        for each in records
        if each.dataset == code and _in_force(each, day_of(now))
        for fields in [
            disclosable_fields(
                each,
                Audience.PUBLIC,
                catalogue,
                now,
                kind=enterprise.kind,
                context=context,
            ),
        ]
        if fields
    ]
    if not disclosed:
        return Section(dataset=code, name=name, state="none", statement=_none_found_text(name, now))
    return Section(
        dataset=code,
        name=name,
        state="found",
        statement=_count_text(len(disclosed)),
        records=disclosed[:MAX_RECORDS_SHOWN],
        more=max(0, len(disclosed) - MAX_RECORDS_SHOWN),
    )


def _in_force(record: Record, today: date) -> bool:
    """Whether a licence or honour is still valid; other datasets end by `creditfile.disclosure_terms`."""
    over = record.valid_to is not None and record.valid_to < today
    return not (over and record.dataset in ONLY_WHILE_VALID)


def _none_found_text(name: Translated, now: datetime) -> Translated:
    """The R6 wording for an empty result."""
    moment = now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return Translated(
        f"截至 {moment} 未查询到在公示期内的{name.zh}记录",
        f"As of {moment}, no record within its publicity period was found",
    )


def _count_text(count: int) -> Translated:
    return Translated(f"{count} 条", f"{count} record" if count == 1 else f"{count} records")
