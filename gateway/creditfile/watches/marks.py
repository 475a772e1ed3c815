"""Marks of an enterprise's answers, and the moment at which they may change by themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.clients.terms import ON_A_PERSON
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import context_of
from gateway.creditfile.disclosure_terms import turning_points
from gateway.creditfile.facts import facts_of
from gateway.creditfile.local_dates import day_of, midnight
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Enterprise, Record, registration_of
from gateway.signing.keyed_digests import KeyedDigests
from verification import Facts, next_day, watched_state

MARK_BYTES: Final = 8
"""Of one question: two different answers have the same mark once in 2^64."""
LONGEST: Final = timedelta(days=31)
"""The longest time between two comparisons."""


@dataclass(slots=True, kw_only=True)
class WatchedFile:
    """An enterprise's file at a moment, as far as questions see it; without an enterprise, an unknown one."""

    uscc: str
    enterprise: Enterprise | None
    records: Sequence[Record]
    datasets: Sequence[str]
    catalogue: Catalogue
    digests: KeyedDigests
    now: datetime
    _facts: Facts | None = field(init=False, default=None)
    _marks: dict[tuple[str, bool], bytes] = field(init=False, default_factory=dict)
    _joined: dict[tuple[tuple[str, ...], bool], bytes] = field(init=False, default_factory=dict)
    _next: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Apply the clocks, once for all who watch."""
        if self.enterprise is not None:
            self._facts = facts_of(
                self.enterprise,
                self.records,
                self.catalogue,
                self.now,
                datasets=self.datasets,
            )

    def marks(self, questions: tuple[str, ...], *, licensed_for_persons: bool) -> bytes:
        """The marks of these questions, to a client with or without a licence to operators' data."""
        key = questions, licensed_for_persons
        if key not in self._joined:
            marks = (self._mark(tag, licensed_for_persons) for tag in questions)
            self._joined[key] = b"".join(marks)
        return self._joined[key]

    def next_moment(self) -> datetime:
        """The next moment at which an answer may change while no record does, at most `LONGEST` ahead."""
        if self._next is None:
            latest = self.now + LONGEST
            coming = (each for each in self._moments() if self.now < each < latest)
            self._next = min(coming, default=latest)
        return self._next

    def _mark(self, tag: str, licensed_for_persons: bool) -> bytes:  # noqa: FBT001
        key = tag, licensed_for_persons
        if key not in self._marks:
            state = self._state(tag, licensed_for_persons)
            digest = self.digests.of("watch", f"{self.uscc} {tag} {state}")
            self._marks[key] = digest[:MARK_BYTES]
        return self._marks[key]

    def _state(self, tag: str, licensed_for_persons: bool) -> str:  # noqa: FBT001
        """The answers to a question; none where it is on an operator and the client has no licence."""
        kind = None if self.enterprise is None else self.enterprise.kind
        if kind == INDIVIDUAL_BUSINESS and tag in ON_A_PERSON and not licensed_for_persons:
            return watched_state(tag, None, today=day_of(self.now))
        return watched_state(tag, self._facts, today=day_of(self.now))

    def _moments(self) -> Iterable[datetime]:
        if self.enterprise is None or self._facts is None:
            return
        yield midnight(next_day(self._facts, day_of(self.now)))
        held = [registration_of(self.enterprise), *self.records]
        context = context_of(held, self.catalogue, self.now)
        for each in held:
            if each.dataset in self.catalogue.codes:
                dataset, rules = (
                    self.catalogue.dataset(each.dataset),
                    self.catalogue.rules_of(each.dataset),
                )
                yield from turning_points(each, dataset, rules, context)


def changed_questions(questions: Sequence[str], before: bytes, after: bytes) -> tuple[str, ...]:
    """The questions whose marks differ."""
    parts = range(0, MARK_BYTES * len(questions), MARK_BYTES)
    return tuple(
        tag
        for tag, start in zip(questions, parts, strict=True)
        if before[start : start + MARK_BYTES] != after[start : start + MARK_BYTES]
    )
