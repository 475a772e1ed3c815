"""What anybody may see of an enterprise, and only as `creditfile.disclosure_policy` allows it, now.

That nothing was found is never said as “no violations” (R6), and never for a source that could
not be asked or a dataset that the catalogue keeps from the public.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_fields, is_on_serious_list
from gateway.creditfile.divisions import division_name
from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.creditfile.records import Enterprise, Record, registration_of
from gateway.pages.i18n import Translated

WARNINGS: Final = ("penalty", "abnormal_listing", "serious_violation", "judgment_defaulter")
PUBLIC_DATASETS: Final = (*WARNINGS, "licence", "commitment", "honour")
ONLY_WHILE_VALID: Final = frozenset({"licence", "honour"})
MOST_SHOWN: Final = 20
AT_FIRST: Final = 3
"""So many of one dataset stand open: the next dataset must come into view too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedRecord:
    """One record as it is told in public."""

    record: Record
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One dataset: what there is, or that nothing was found, or that nobody could look."""

    dataset: str
    name: Translated
    state: Literal["found", "none", "unavailable"]
    statement: Translated
    told: Sequence[DisclosedRecord] = ()
    more: int = 0

    @property
    def is_warning(self) -> bool:
        """Whether what is found here speaks against the enterprise."""
        return self.dataset in WARNINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The public page's content."""

    registration: Mapping[str, Any]
    objection_since: datetime | None
    """Since when the registration is disputed."""
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
    """What the public may see of `enterprise` at `now`."""
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
    listed = is_on_serious_list(records, catalogue, now)
    told = [
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
                on_serious_list=listed,
            ),
        ]
        if fields
    ]
    if not told:
        return Section(dataset=code, name=name, state="none", statement=_nothing(name, now))
    return Section(
        dataset=code,
        name=name,
        state="found",
        statement=_found(len(told)),
        told=told[:MOST_SHOWN],
        more=max(0, len(told) - MOST_SHOWN),
    )


def _in_force(record: Record, today: date) -> bool:
    """A licence or an honour is shown while it is valid; other ends are the clocks'."""
    over = record.valid_to is not None and record.valid_to < today
    return not (over and record.dataset in ONLY_WHILE_VALID)


def _nothing(name: Translated, now: datetime) -> Translated:
    """R6."""
    at = now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return Translated(
        f"截至 {at} 未查询到在公示期内的{name.zh}记录",
        f"As of {at}, no record within its publicity period was found",
    )


def _found(count: int) -> Translated:
    return Translated(f"{count} 条", f"{count} record" if count == 1 else f"{count} records")
