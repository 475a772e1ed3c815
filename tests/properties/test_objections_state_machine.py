"""State machine of an objection: the mark stays until the final decision; only a review reopens."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle
from gateway.creditfile.objections.model import (
    DECISIONS,
    ObjectionAct,
    ObjectionChanged,
    ObjectionOutcome,
    ObjectionRefused,
    Role,
    Status,
)
from gateway.creditfile.working_days import working_days_left
from tests.creditfile_builders import NOON
from tests.objection_builders import ENTERPRISE, KINDS, REVIEWER, SOURCE, make_objection
from tests.sampling import sampled

ACTORS = (
    ENTERPRISE,
    SOURCE,
    REVIEWER,
    replace(ENTERPRISE, party="elsewhere"),
    replace(SOURCE, party="elsewhere"),
    replace(REVIEWER, party="source"),
)
LEADS_TO = {
    (Status.OPEN, Status.OPEN): {ObjectionAct.EXTENDED},
    (Status.OPEN, Status.DECIDED): {ObjectionAct.DECIDED},
    (Status.OPEN, Status.IN_REVIEW): {ObjectionAct.REVIEW_ASKED},
    (Status.OPEN, Status.CLOSED): {
        ObjectionAct.DECIDED,
        ObjectionAct.WITHDRAWN,
        ObjectionAct.FORGOTTEN,
    },
    (Status.DECIDED, Status.IN_REVIEW): {ObjectionAct.REVIEW_ASKED},
    (Status.DECIDED, Status.CLOSED): {
        ObjectionAct.LAPSED,
        ObjectionAct.WITHDRAWN,
        ObjectionAct.FORGOTTEN,
    },
    (Status.IN_REVIEW, Status.ORDERED): {ObjectionAct.REVIEWED},
    (Status.IN_REVIEW, Status.CLOSED): {
        ObjectionAct.REVIEWED,
        ObjectionAct.WITHDRAWN,
        ObjectionAct.FORGOTTEN,
    },
    (Status.ORDERED, Status.CLOSED): {ObjectionAct.DECIDED, ObjectionAct.FORGOTTEN},
    (Status.CLOSED, Status.CLOSED): {ObjectionAct.FORGOTTEN},
}
ROLES = {
    ObjectionAct.EXTENDED: Role.SOURCE,
    ObjectionAct.DECIDED: Role.SOURCE,
    ObjectionAct.REVIEW_ASKED: Role.ENTERPRISE,
    ObjectionAct.REVIEWED: Role.REVIEWER,
    ObjectionAct.WITHDRAWN: Role.ENTERPRISE,
    ObjectionAct.LAPSED: Role.CLOCK,
    ObjectionAct.FORGOTTEN: Role.CLOCK,
}


class ObjectionMachine(RuleBasedStateMachine):
    """One objection with its actors and a clock."""

    @initialize(dataset=st.sampled_from(["penalty", "registration", "public_rating"]))
    def begins(self, dataset: str) -> None:
        """The enterprise objects."""
        self.now = NOON
        self.objection = make_objection(dataset=dataset)
        self.events = [ObjectionAct.RAISED]

    def _take(self, outcome: ObjectionChanged | ObjectionRefused) -> None:
        if isinstance(outcome, ObjectionRefused):
            return
        before, after, event = self.objection, outcome.objection, outcome.event
        assert event.what in LEADS_TO[before.status, after.status]
        assert event.role is ROLES[event.what]
        assert after.version == before.version + 1 == event.seq
        assert (event.at, event.outcome) == (self.now, after.outcome)
        own = {Role.ENTERPRISE: ENTERPRISE.name, Role.SOURCE: SOURCE.name}
        assert event.actor == own.get(event.role, event.actor)
        self.objection = after
        self.events.append(event.what)

    @rule(
        actor=st.sampled_from(ACTORS), outcome=st.sampled_from(DECISIONS), corrected=st.booleans()
    )
    def is_decided(self, actor: object, outcome: ObjectionOutcome, *, corrected: bool) -> None:
        """A decision, by the source or another actor."""
        self._take(
            lifecycle.decide(
                self.objection,
                actor=actor,  # type: ignore[arg-type]  # Hypothesis draws it
                outcome=outcome,
                reasons="理由",
                corrected=corrected,
                kinds=KINDS,
                now=self.now,
            )
        )

    @rule(
        actor=st.sampled_from(ACTORS),
        until=st.none() | st.dates(date(2026, 11, 1), date(2027, 3, 1)),
    )
    def is_extended(self, actor: object, until: date | None) -> None:
        """An extension."""
        self._take(
            lifecycle.extend(self.objection, actor=actor, reason="理由", until=until, now=self.now)  # type: ignore[arg-type]
        )

    @rule(actor=st.sampled_from(ACTORS))
    def is_appealed(self, actor: object) -> None:
        """A request for review."""
        self._take(
            lifecycle.ask_for_review(
                self.objection,
                actor=actor,  # type: ignore[arg-type]
                text="请复核",
                kinds=KINDS,
                now=self.now,
            )
        )

    @rule(actor=st.sampled_from(ACTORS), outcome=st.sampled_from(DECISIONS))
    def is_reviewed(self, actor: object, outcome: ObjectionOutcome) -> None:
        """A review."""
        self._take(
            lifecycle.review(
                self.objection,
                actor=actor,  # type: ignore[arg-type]
                outcome=outcome,
                reasons="理由",
                record_version=4,
                kinds=KINDS,
                now=self.now,
            )
        )

    @rule(actor=st.sampled_from(ACTORS))
    def is_withdrawn(self, actor: object) -> None:
        """A withdrawal of the objection."""
        self._take(lifecycle.withdraw(self.objection, actor=actor, now=self.now))  # type: ignore[arg-type]

    @rule()
    def lapses(self) -> None:
        """Lapse of deadlines."""
        self._take(lifecycle.lapse(self.objection, now=self.now))

    @rule()
    def record_is_deleted(self) -> None:
        """Retention deletes the record."""
        self._take(lifecycle.forget(self.objection, now=self.now))

    @rule(days=st.integers(1, 9))
    def time_passes(self, days: int) -> None:
        """Advance the clock."""
        self.now += timedelta(days=days)

    @invariant()
    def the_mark_stands_until_the_final_decision(self) -> None:
        """Invariant: and there is a due date for as long."""
        closed = self.objection.status is Status.CLOSED
        assert self.objection.marks is not closed
        assert (self.objection.due_on is None) is closed
        assert (self.objection.final_at is not None) is closed
        assert not closed or self.objection.outcome is not None

    @invariant()
    def each_thing_that_may_be_done_once_is_done_once(self) -> None:
        """An extension, a request for review, a review."""
        for act in (ObjectionAct.EXTENDED, ObjectionAct.REVIEW_ASKED, ObjectionAct.REVIEWED):
            assert self.events.count(act) <= 1

    @invariant()
    def deadlines_are_within_twenty_working_days(self) -> None:
        """For objections and appeals."""
        if self.objection.status is Status.OPEN:
            assert self.objection.due_on is not None
            received = day_of(self.objection.raised_at)
            assert working_days_left(received, self.objection.due_on) <= 20


ObjectionMachine.TestCase.settings = settings(
    max_examples=sampled(50, full=150), stateful_step_count=25, deadline=None
)
TestAnObjectionsLife = ObjectionMachine.TestCase
