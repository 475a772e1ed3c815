"""Public credit summary of an enterprise, filtered by `creditfile.disclosure_policy`.

An empty result is never worded as “no violations” (R6), and is not stated for an unavailable
source or a dataset that the catalogue does not make public.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.codes.public_page.sections import MAX_RECORDS_SHOWN, Section, sections_of
from gateway.codes.public_page.status_line import Found, Status, status_line
from gateway.codes.public_page.trade_licences import TradeLicence, trade_licences
from gateway.codes.public_page.wording import record_sentence
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import DisclosableRecord, disclosable_records
from gateway.creditfile.divisions import division_label
from gateway.creditfile.labels import dataset_label
from gateway.creditfile.local_dates import day_of, end_of
from gateway.creditfile.records import (
    REGISTRATION,
    Enterprise,
    Record,
    newest_first,
    registration_of,
)
from gateway.pages.i18n import Translated
from gateway.pages.rendering import format_moment

LICENCE: Final = "licence"
RECORDS_UNFOLDED: Final = 3
"""Records per dataset shown unfolded, so that the next dataset stays in view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A record that is a warning: its sentence, with the dataset and the record."""

    dataset: str
    name: Translated
    sentence: Translated
    disclosed: DisclosableRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The content of the public page."""

    registration: Mapping[str, Any]
    objection_since: datetime | None
    """The time of the open objection to the registration."""
    kind: str
    """The enterprise's kind."""
    district: Translated
    status: Status
    alerts: Sequence[Alert]
    """Warnings, the gravest first and then the newest; `MAX_RECORDS_SHOWN` at most."""
    more_alerts: int
    trade_licences: Sequence[TradeLicence]
    as_of: datetime
    catalogue_version: str
    sections: Sequence[Section]

    @property
    def shown(self) -> list[Section]:
        """Datasets found or unavailable, but what is folded."""
        return [e for e in self.sections if e.state != "none" and e.part != "folded"]

    @property
    def empty(self) -> list[Section]:
        """Datasets in which nothing is found, but what is folded."""
        return [e for e in self.sections if e.state == "none" and e.part != "folded"]

    @property
    def folded(self) -> list[Section]:
        """Datasets of the folded part that have records, or are unavailable."""
        return [e for e in self.sections if e.state != "none" and e.part == "folded"]

    @property
    def none_found(self) -> Translated:
        """The R6 wording for all empty sections together; it denies no more than they do."""
        moment, count = format_moment(self.as_of), len(self.empty)
        return Translated(
            f"以下 {count} 类截至 {moment} 未查询到列入名录（名单）或在公示期内、有效期内的信息；"
            "依法不予公示、中止公示、正在复议诉讼或已修复的不在此列",
            f"In these {count} datasets, as of {moment}, no listing and no record within its publicity "
            "or validity period was found; what by law is not published, is suspended, under appeal or "
            "repaired is left out",
        )


def public_datasets(catalogue: Catalogue) -> tuple[str, ...]:
    """Datasets of the public page by its parts, in the catalogue's order: all that have a public field."""
    return catalogue.public_page


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
    sections = sections_of(disclosed, catalogue, enterprise, now)
    warnings = _warnings(sections, catalogue)
    found = Found(
        registration_status=enterprise.status,
        bad=[each.record.dataset for each in warnings if each.counts_as_bad],
        notices=[each.record.dataset for each in warnings if not each.counts_as_bad],
        is_complete=not enterprise.unavailable
        or {REGISTRATION, *public_datasets(catalogue)}.isdisjoint(enterprise.unavailable),
    )
    return Summary(
        registration=next((e.fields for e in disclosed if e.record.dataset == REGISTRATION), {}),
        objection_since=enterprise.objection_since,
        kind=enterprise.kind,
        district=division_label(enterprise.division),
        status=status_line(found, catalogue, enterprise.kind, format_moment(now)),
        alerts=[_alert(each, catalogue, enterprise.kind) for each in warnings[:MAX_RECORDS_SHOWN]],
        more_alerts=max(0, len(warnings) - MAX_RECORDS_SHOWN),
        trade_licences=trade_licences(
            enterprise.industry, _licences(sections), catalogue.licensing_items, day_of(now)
        ),
        as_of=now,
        catalogue_version=catalogue.version,
        sections=sections,
    )


def next_minute(now: datetime) -> datetime:
    """The moment at which another summary of the same records begins, which names its minute."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def same_until(records: Sequence[Record], now: datetime) -> datetime:
    """The first moment after `now` at which the same records may say more than another minute.

    Every term ends with a day; acts of a source have any moment.
    """
    acts = (
        moment
        for each in records
        for moment in (each.repaired_at, each.suspended_at, each.withdrawn_at)
        if moment is not None and moment > now
    )
    return min((end_of(day_of(now)), *acts))


def _warnings(sections: Sequence[Section], catalogue: Catalogue) -> list[DisclosableRecord]:
    """Records that warn: bad information, and what a warning dataset has that is never bad."""
    found = [
        each
        for section in sections
        for each in section.found
        if each.counts_as_bad
        or (section.part == "warning" and not catalogue.dataset(section.dataset).is_ever_bad)
    ]
    found.sort(key=lambda each: newest_first(each.record))
    return sorted(found, key=lambda each: catalogue.dataset(each.record.dataset).gravity)


def _alert(disclosed: DisclosableRecord, catalogue: Catalogue, kind: str) -> Alert:
    dataset = disclosed.record.dataset
    return Alert(
        dataset=dataset,
        name=dataset_label(dataset, catalogue, kind),
        sentence=record_sentence(dataset, disclosed.fields, catalogue, kind),
        disclosed=disclosed,
    )


def _licences(sections: Sequence[Section]) -> Sequence[DisclosableRecord] | None:
    """The licences found; `None` where their source is unavailable or not public."""
    section = next((each for each in sections if each.dataset == LICENCE), None)
    return None if section is None or section.state == "unavailable" else section.found
