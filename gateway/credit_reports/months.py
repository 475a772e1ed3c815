"""Months of tax, social insurance and the like in a report, summed up by kind. Pure.

What is not plainly paid on time is listed: months not paid on time, those that do not say, and those
under objection.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.labels import field_value
from gateway.pages.i18n import Translated

MONTHLY: Final = "tax_and_social"
FEWEST: Final = 6
"""Months of one kind paid on time that are summed up; fewer are listed."""

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """The records of a dataset: a sentence on each kind that is summed up, and which are listed."""

    sentences: Sequence[Translated]
    listed: Records
    summed_up: Records


def sum_up(dataset: str, records: Records, catalogue: Catalogue) -> Months:
    """The records of `dataset`, in their order; of another dataset than `MONTHLY` all are listed."""
    by_kind: Mapping[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in records if dataset == MONTHLY else ():
        by_kind[each["fields"]["kind"]].append(each)
    long = {
        kind: held for kind, held in by_kind.items() if len(_months(held, on_time=True)) >= FEWEST
    }
    summed_up = [each for held in long.values() for each in held if _is_plain(each)]
    ids = {each["record_id"] for each in summed_up}
    return Months(
        sentences=[
            _sentence(field_value(MONTHLY, "kind", {"kind": kind}, catalogue), held)
            for kind, held in long.items()
        ],
        listed=[each for each in records if each["record_id"] not in ids],
        summed_up=[each for each in records if each["record_id"] in ids],
    )


def _is_plain(record: Mapping[str, Any]) -> bool:
    return _is_on_time(record) and not record.get("objection")


def _is_on_time(record: Mapping[str, Any]) -> bool:
    return record["fields"].get("on_time") is True


def _months(records: Records, *, on_time: bool = False) -> list[str]:
    """The months of these records in order, or of them those for which all was paid on time."""
    late = {each["fields"]["period"] for each in records if on_time and not _is_on_time(each)}
    return sorted({each["fields"]["period"] for each in records} - late)


def _sentence(kind: Translated, records: Records) -> Translated:
    months, paid = _months(records), len(_months(records, on_time=True))
    first, last, count = months[0], months[-1], len(months)
    gaps = _ordinal(last) - _ordinal(first) + 1 - count
    said = (
        Translated(f"{count} 个月均按时缴纳", f"all {count} months paid on time")
        if paid == count
        else Translated(
            f"{count} 个月中 {paid} 个月按时缴纳，其余列于下方",
            f"{paid} of {count} months paid on time, the others below",
        )
    )
    without = (
        Translated(f"（其间 {gaps} 个月没有记录）", f" (no record of {gaps} between)")
        if gaps
        else Translated("", "")
    )
    return Translated(
        f"{kind.zh}：{first} 至 {last}，{said.zh}{without.zh}",
        f"{kind.en}: {first} to {last}, {said.en}{without.en}",
    )


def _ordinal(month: str) -> int:
    """The number of a month `YYYY-MM`."""
    year, _, of_year = month.partition("-")
    return int(year) * 12 + int(of_year)
