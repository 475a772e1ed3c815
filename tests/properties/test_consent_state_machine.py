"""State machine of a consent: in any order of acts, an ended consent grants nothing."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from consent import (
    Channel,
    Consent,
    Granted,
    Refused,
    Scope,
    Status,
    Transition,
    amend,
    decide,
    give_up,
    grant,
    narrow,
    pause,
    refuse,
    request,
    resume,
    status_at,
    supersede,
    withdraw,
)
from tests.consent_builders import (
    BANK,
    NOON,
    SHOWN,
    make_ask,
    make_consent,
    make_consent_request,
    make_person,
    make_request,
)
from tests.sampling import sampled

DATASETS = ("registration", "penalty", "public_rating")
QUESTIONS = ("is_active.v1", "other.v1")
EVERYTHING = make_ask(datasets=DATASETS, questions=QUESTIONS)
ENDED = {Status.REFUSED, Status.WITHDRAWN, Status.EXPIRED, Status.EXHAUSTED, Status.SUPERSEDED}

data = st.lists(st.sampled_from(DATASETS), unique=True).map(tuple)
questions = st.lists(st.sampled_from(QUESTIONS), unique=True).map(tuple)
limits = st.none() | st.integers(0, 4)
spans = st.integers(0, 12).map(lambda days: timedelta(days=days))
scopes = st.tuples(data, questions, spans, limits)


def _scope(drawn: tuple[tuple[str, ...], tuple[str, ...], timedelta, int | None]) -> Scope:
    data, questions, span, limit = drawn
    return Scope(datasets=data, questions=questions, valid_until=NOON + span, max_uses=limit)


class ConsentMachine(RuleBasedStateMachine):
    """A consent with its actors, a clock, and a client that asks for everything."""

    @initialize(asked=scopes.filter(lambda drawn: drawn[0] or drawn[1]))
    def begins(self, asked: tuple[tuple[str, ...], tuple[str, ...], timedelta, int | None]) -> None:
        """The client requests a consent."""
        wanted_data, wanted_questions, span, limit = asked
        self.now = NOON
        self.consent: Consent = make_request(
            datasets=wanted_data,
            questions=wanted_questions,
            valid_until=NOON + span,
            max_uses=limit,
            answer_by=NOON + timedelta(days=5),
        )
        self.asked_for: Scope = self.consent.scope
        self.has_ended = False
        self.grants = 0
        self.told = 0

    def _take(self, outcome: Transition | Refused) -> None:
        if isinstance(outcome, Refused):
            return
        before = self.consent
        assert outcome.consent.version == before.version + 1 == outcome.event.seq
        assert outcome.consent.uses == before.uses
        self.consent = outcome.consent

    @rule(drawn=scopes)
    def is_granted(
        self,
        drawn: tuple[tuple[str, ...], tuple[str, ...], timedelta, int | None],
    ) -> None:
        """The enterprise grants a scope, possibly wider than requested."""
        self._grant(_scope(drawn))

    @rule()
    def is_granted_whole(self) -> None:
        """The enterprise grants the requested scope."""
        self._grant(self.asked_for)

    def _grant(self, scope: Scope) -> None:
        outcome = grant(self.consent, scope=scope, person=make_person(), shown=SHOWN, now=self.now)
        self.grants += isinstance(outcome, Transition)
        self._take(outcome)

    @rule()
    def is_refused(self) -> None:
        """The enterprise refuses."""
        self._take(refuse(self.consent, person=make_person(), shown=SHOWN, now=self.now))

    @rule()
    def is_paused(self) -> None:
        """The enterprise pauses."""
        self._take(pause(self.consent, person=make_person(), now=self.now))

    @rule()
    def is_resumed(self) -> None:
        """The enterprise resumes."""
        self._take(resume(self.consent, person=make_person(), now=self.now))

    @rule()
    def is_withdrawn(self) -> None:
        """The enterprise withdraws."""
        self._take(withdraw(self.consent, person=make_person(), now=self.now))

    @rule()
    def is_given_up(self) -> None:
        """The client gives it up."""
        self._take(give_up(self.consent, client_id=BANK, now=self.now))

    @rule()
    def is_superseded(self) -> None:
        """A newer grant supersedes it."""
        newer = make_consent(consent_id="cst_newer")
        self._take(supersede(self.consent, newer=newer, person=make_person(), now=self.now))

    @rule(drawn=scopes)
    def is_narrowed(
        self,
        drawn: tuple[tuple[str, ...], tuple[str, ...], timedelta, int | None],
    ) -> None:
        """The enterprise changes it, possibly to a wider scope."""
        before = self.consent.scope
        self._take(narrow(self.consent, scope=_scope(drawn), person=make_person(), now=self.now))
        assert self.consent.scope.within(before)

    @rule(
        asked=scopes.filter(lambda drawn: drawn[0] or drawn[1]), drawn=scopes, agreed=st.booleans()
    )
    def is_amended(
        self,
        asked: tuple[tuple[str, ...], tuple[str, ...], timedelta, int | None],
        drawn: tuple[tuple[str, ...], tuple[str, ...], timedelta, int | None],
        agreed: bool,  # a drawn value
    ) -> None:
        """The client requests an amendment; the enterprise grants a part or refuses."""
        wanted, given = _scope(asked), _scope(drawn)
        amendment = request(
            make_consent_request(
                datasets=wanted.datasets,
                questions=wanted.questions,
                valid_until=wanted.valid_until,
                max_uses=wanted.max_uses,
            ),
            consent_id="cst_amendment",
            channel=Channel.LINK,
            now=self.now,
            amends=self.consent,
        )
        if isinstance(amendment, Refused):
            return
        before = self.consent
        if not agreed:
            refused = refuse(amendment.consent, person=make_person(), shown=SHOWN, now=self.now)
            assert isinstance(refused, Transition)
            assert self.consent == before
            return
        outcome = amend(
            before, amendment.consent, scope=given, person=make_person(), shown=SHOWN, now=self.now
        )
        if isinstance(outcome, Refused):
            return
        changed, taken_up = outcome
        assert changed.consent.scope.within(wanted)
        assert isinstance(decide(taken_up.consent, EVERYTHING, now=self.now), Refused)
        self.asked_for = wanted
        self._take(changed)

    @rule(span=st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=6)]))
    def time_passes(self, span: timedelta) -> None:
        """Advance the clock."""
        self.now += span

    @rule()
    def is_used(self) -> None:
        """The client asks for everything; what is granted spends a use."""
        answer = decide(self.consent, EVERYTHING, now=self.now)
        if isinstance(answer, Granted):
            self.consent = replace(self.consent, uses=self.consent.uses + 1)
            self.told += 1

    @invariant()
    def what_has_ended_never_tells_again(self) -> None:
        """Invariant: no use after the end."""
        answer = decide(self.consent, EVERYTHING, now=self.now)
        if self.has_ended:
            assert isinstance(answer, Refused)
        self.has_ended = self.has_ended or status_at(self.consent, self.now) in ENDED

    @invariant()
    def what_is_told_was_granted_by_the_enterprise_within_the_request(self) -> None:
        """R8: only after a grant, and within the request."""
        answer = decide(self.consent, EVERYTHING, now=self.now)
        if isinstance(answer, Granted):
            assert self.grants == 1  # whatever was amended since
            assert self.consent.scope.within(self.asked_for)
            assert set(answer.datasets) <= set(self.asked_for.datasets)
            assert set(answer.questions) <= set(self.asked_for.questions)
            assert answer.uses_left is None or answer.uses_left > 0

    @invariant()
    def n_allowed_means_at_most_n_told(self) -> None:
        """R8: uses never exceed their limit."""
        if self.consent.max_uses is not None:
            assert self.told <= self.consent.max_uses


ConsentMachine.TestCase.settings = settings(
    max_examples=sampled(50, full=150), stateful_step_count=25, deadline=None
)
TestAConsentsLife = ConsentMachine.TestCase
