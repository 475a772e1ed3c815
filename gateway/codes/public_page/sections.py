"""Sections of the public page: one for each public dataset, with what is found in it.

What depends on the catalogue and the minute alone, the names and the words of an empty section, is made
once for all pages.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.clock_rules import ClockRules
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition, PagePart
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosure_policy import DisclosableRecord
from gateway.creditfile.labels import dataset_label
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Enterprise, Record, newest_first
from gateway.pages.i18n import Translated
from gateway.pages.rendering import format_moment

MAX_RECORDS_SHOWN: Final = 20
_UNAVAILABLE: Final = Translated("暂不可用", "Temporarily unavailable")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """One dataset of the summary: records found, none found, or source unavailable."""

    dataset: str
    name: Translated
    state: Literal["found", "none", "unavailable"]
    statement: Translated
    part: PagePart = "other"
    """The part of the page that it stands in."""
    found: Sequence[DisclosableRecord] = ()

    @property
    def records(self) -> Sequence[DisclosableRecord]:
        """The records that are shown."""
        return self.found[:MAX_RECORDS_SHOWN]

    @property
    def more(self) -> int:
        """The number of records that are not shown."""
        return max(0, len(self.found) - MAX_RECORDS_SHOWN)


def sections_of(
    disclosed: Sequence[DisclosableRecord],
    catalogue: Catalogue,
    enterprise: Enterprise,
    now: datetime,
) -> list[Section]:
    """The sections of an enterprise's page, in the page's order."""
    by_dataset: Mapping[str, list[DisclosableRecord]] = defaultdict(list)
    today = day_of(now)
    for each in disclosed:
        dataset = each.record.dataset
        if not catalogue.dataset(dataset).only_in_force or _in_force(each.record, today):
            by_dataset[dataset].append(each)
    empty = _empty_sections(catalogue, enterprise.kind == INDIVIDUAL_BUSINESS)
    unavailable = frozenset(enterprise.unavailable)
    others = by_dataset.keys() | unavailable
    return [
        _section(each, by_dataset.get(each.dataset, ()), unavailable)
        if each.dataset in others
        else each
        for each in empty.at(format_moment(now))
    ]


def _section(
    empty: Section, found: Sequence[DisclosableRecord], unavailable: AbstractSet[str]
) -> Section:
    is_unavailable = empty.dataset in unavailable
    return Section(
        dataset=empty.dataset,
        name=empty.name,
        state="unavailable" if is_unavailable else "found",
        statement=_UNAVAILABLE if is_unavailable else _count_text(len(found)),
        part=empty.part,
        found=() if is_unavailable else sorted(found, key=lambda each: newest_first(each.record)),
    )


class _EmptySections:
    """The sections of a page without records; those of the latest minutes are kept."""

    def __init__(self, catalogue: Catalogue, kind: str) -> None:
        self._catalogue = catalogue
        self._kind = kind
        self.at = lru_cache(maxsize=2)(self._at)

    def _at(self, moment: str) -> tuple[Section, ...]:
        """The sections at a moment, as it is shown."""
        return tuple(self._empty(code, moment) for code in self._catalogue.public_page)

    def _empty(self, code: str, moment: str) -> Section:
        dataset, rules = self._catalogue.dataset(code), self._catalogue.rules_of(code)
        return Section(
            dataset=code,
            name=dataset_label(code, self._catalogue, self._kind),
            state="none",
            statement=none_found_text(dataset, rules, self._kind, moment),
            part=dataset.page_part,
        )


@derived_table
def _empty_sections(catalogue: Catalogue, individual: bool) -> _EmptySections:  # noqa: FBT001  # a key
    return _EmptySections(catalogue, INDIVIDUAL_BUSINESS if individual else "")


def _in_force(record: Record, today: date) -> bool:
    """False for a lapsed licence or honour; other datasets end by `creditfile.disclosure_terms`."""
    return record.valid_to is None or record.valid_to >= today


def none_found_text(
    dataset: DatasetDefinition, rules: ClockRules, kind: str, moment: str
) -> Translated:
    """The R6 wording for an empty result; it denies nothing that by law is not published (R1)."""
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


@lru_cache
def _count_text(count: int) -> Translated:
    return Translated(f"{count} 条", f"{count} record" if count == 1 else f"{count} records")
