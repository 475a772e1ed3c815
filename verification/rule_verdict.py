"""A rule's verdict, and the records that it rests on."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from verification.facts import Facts, LiveRecord

Answer = Literal["yes", "no", "not_determined"]
Match = Literal["strict", "loose"]
RestsOn = tuple[tuple[str, int], ...]


class RuleVerdict(NamedTuple):
    """A rule's verdict: the answer, the kind of name match, and the records it rests on."""

    answer: Answer
    match: Match | None = None
    rests_on: RestsOn = ()


UNDETERMINED: Final = RuleVerdict(answer="not_determined")


def verdict(answer: Answer, records: Iterable[LiveRecord] = ()) -> RuleVerdict:
    """An answer with the records that it rests on; `not_determined` rests on none."""
    if answer == "not_determined":
        return UNDETERMINED
    return RuleVerdict(answer=answer, rests_on=resting_on(records))


def resting_on(records: Iterable[LiveRecord]) -> RestsOn:
    """The ids and versions of records, sorted and without repeats."""
    return tuple(sorted({(each.record_id, each.version) for each in records}))


def of_dataset(facts: Facts, dataset: str) -> tuple[LiveRecord, ...]:
    """The live records of one dataset."""
    return tuple(each for each in facts.records if each.dataset == dataset)


def yes_if(holds: bool) -> Answer:  # noqa: FBT001 - a truth value as a word
    """The truth value as an answer."""
    return "yes" if holds else "no"
