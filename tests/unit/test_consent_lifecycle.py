"""Acts on a consent, one by one; `test_consent_state_machine` combines them."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from consent import (
    Act,
    Channel,
    Consent,
    Granted,
    Reason,
    Refused,
    Request,
    Status,
    Transition,
    amend,
    decide,
    end_cool_down,
    end_with,
    give_up,
    grant,
    may_ask_again,
    narrow,
    pause,
    refuse,
    request,
    resume,
    supersede,
    withdraw,
)
from consent.ids import consent_id_from
from tests.consent_builders import (
    A_DAY,
    BANK,
    NOON,
    SHOWN,
    make_ask,
    make_consent,
    make_consent_request,
    make_person,
    make_request,
    make_scope,
    must_succeed,
)

STRANGER = make_person("91330106MA2CYYYY2B")


def try_request(**changes: object) -> Transition | Refused:
    """Result of a bank's request at noon."""
    usual: dict[str, object] = {
        "consent_id": "cst_b",
        "channel": Channel.API,
        "now": NOON,
    }
    names = {each.name for each in fields(Request)}
    wanted = make_consent_request(
        **{k: v for k, v in changes.items() if k in names and k != "amends"}
    )
    rest = {k: v for k, v in changes.items() if k not in names or k == "amends"}
    return request(wanted, **usual | rest)  # type: ignore[arg-type]


def test_a_request_waits_for_its_answer() -> None:
    """It grants nothing; the first event is the client's."""
    outcome = try_request()
    assert isinstance(outcome, Transition)
    assert (outcome.consent.status, outcome.consent.version) == (Status.REQUESTED, 1)
    assert (outcome.event.what, outcome.event.actor, outcome.event.seq) == (Act.REQUESTED, BANK, 1)
    assert outcome.event.scope == outcome.consent.scope


@pytest.mark.parametrize(
    "changes",
    [
        {"datasets": (), "questions": ()},
        {"max_uses": 0},
        {"valid_until": NOON},
    ],
)
def test_a_request_for_nothing_is_refused(changes: dict[str, object]) -> None:
    """No data, no uses or no time."""
    assert try_request(**changes) == Refused(Reason.NOTHING_CHOSEN)


def test_after_a_refusal_the_same_client_waits_thirty_days() -> None:
    """R9: to the instant."""
    refused = must_succeed(refuse(make_request(), person=make_person(), shown=SHOWN, now=NOON))
    last_moment = NOON + timedelta(days=30, microseconds=-1)
    again = {"previous_refusals": [refused], "valid_until": NOON + 90 * A_DAY}
    told = Refused(Reason.COOLING_DOWN, until=NOON + timedelta(days=30))
    assert try_request(now=last_moment, **again) == told
    assert isinstance(try_request(now=NOON + timedelta(days=30), **again), Transition)


@pytest.mark.parametrize(
    "other",
    [{"client_id": "bank-2"}, {"uscc": "91330106MA2CYYYY2B"}, {"purpose": "tender"}],
)
def test_a_refusal_cools_down_only_its_own_relation(other: dict[str, object]) -> None:
    """Another client, enterprise or purpose is not affected."""
    refused = must_succeed(refuse(make_request(), person=make_person(), shown=SHOWN, now=NOON))
    assert isinstance(try_request(previous_refusals=[replace(refused, **other)]), Transition)  # type: ignore[arg-type]


def test_a_grant_may_be_a_part_of_what_was_asked() -> None:
    """Fewer data, a shorter term, fewer uses."""
    scope = make_scope(
        datasets=("penalty",),
        questions=(),
        valid_until=NOON + A_DAY,
        max_uses=1,
        separate_consents=(),
    )
    outcome = grant(make_request(), scope=scope, person=make_person(), shown=SHOWN, now=NOON)
    assert isinstance(outcome, Transition)
    consent = outcome.consent
    assert (consent.status, consent.scope, consent.decided_at) == (Status.ACTIVE, scope, NOON)
    assert (consent.subject, consent.text_version, consent.language) == ("person-1", "2026.1", "zh")
    assert outcome.event.identity_token_digest == b"\x01" * 32


def test_a_grant_keeps_which_fields_were_named_behind_what_it_grants() -> None:
    """R8: fields added to a dataset later are not covered; consents without a list cover all."""
    named = ("registration.name", "penalty.fine", "penalty.document_number")
    shown = replace(SHOWN, fields=named)
    scope = make_scope(datasets=("penalty",), questions=())
    held = must_succeed(
        grant(make_request(), scope=scope, person=make_person(), shown=shown, now=NOON)
    )
    assert held.fields == ("penalty.fine", "penalty.document_number")
    allowed = decide(held, make_ask(), now=NOON)
    assert isinstance(allowed, Granted)
    assert allowed.fields == held.fields
    less = replace(held.scope, max_uses=2)
    assert (
        must_succeed(narrow(held, scope=less, person=make_person(), now=NOON)).fields == held.fields
    )
    unknown = must_succeed(
        grant(make_request(), scope=scope, person=make_person(), shown=SHOWN, now=NOON)
    )
    assert unknown.fields is None


@pytest.mark.parametrize(
    "wider",
    [
        {"datasets": ("registration", "public_rating")},
        {"questions": ("is_active.v1", "other.v1")},
        {"valid_until": NOON + 101 * A_DAY},
        {"max_uses": 11},
        {"max_uses": None},
    ],
)
def test_a_grant_is_never_wider_than_the_request(wider: dict[str, object]) -> None:
    """R8: widening needs a new request."""
    outcome = grant(
        make_request(), scope=make_scope(**wider), person=make_person(), shown=SHOWN, now=NOON
    )
    assert outcome == Refused(Reason.WIDER_THAN_ASKED)


def test_a_grant_of_nothing_is_no_grant() -> None:
    """Neither a grant nor a refusal."""
    scope = make_scope(datasets=(), questions=())
    outcome = grant(make_request(), scope=scope, person=make_person(), shown=SHOWN, now=NOON)
    assert outcome == Refused(Reason.NOTHING_CHOSEN)


def test_a_request_that_lapsed_while_it_was_read_is_not_granted() -> None:
    """A stale page decides nothing."""
    lapsed = make_request(answer_by=NOON)
    outcome = grant(lapsed, scope=make_scope(), person=make_person(), shown=SHOWN, now=NOON)
    assert outcome == Refused(Reason.CONSENT_EXPIRED)


def test_a_double_click_decides_once() -> None:
    """The second grant is refused."""
    first = must_succeed(
        grant(make_request(), scope=make_scope(), person=make_person(), shown=SHOWN, now=NOON)
    )
    second = grant(first, scope=make_scope(), person=make_person(), shown=SHOWN, now=NOON)
    assert second == Refused(Reason.ALREADY_ACTIVE)


def test_pause_and_resume_lead_back_to_the_same_consent() -> None:
    """The version changes."""
    paused = must_succeed(pause(make_consent(), person=make_person(), now=NOON))
    resumed = must_succeed(resume(paused, person=make_person(), now=NOON))
    assert paused.status is Status.PAUSED
    assert resumed == replace(make_consent(), version=4)


@pytest.mark.parametrize(
    "consent",
    [
        make_consent(),
        make_consent(status=Status.PAUSED),
        make_consent(uses=10),
        make_consent(valid_until=NOON),
    ],
)
def test_every_granted_consent_can_be_withdrawn(consent: Consent) -> None:
    """Also expired ones, so that certificates based on them end."""
    assert (
        must_succeed(withdraw(consent, person=make_person(), now=NOON)).status is Status.WITHDRAWN
    )


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (make_request(), Reason.NOT_DECIDED),
        (make_request(answer_by=NOON), Reason.CONSENT_EXPIRED),
        (make_consent(status=Status.WITHDRAWN), Reason.CONSENT_WITHDRAWN),
        (make_consent(status=Status.REFUSED), Reason.ALREADY_REFUSED),
        (make_consent(status=Status.SUPERSEDED), Reason.ALREADY_SUPERSEDED),
    ],
)
def test_a_consent_that_is_not_active_cannot_be_withdrawn(consent: Consent, reason: Reason) -> None:
    """The reason says what happened."""
    assert withdraw(consent, person=make_person(), now=NOON) == Refused(reason)


@pytest.mark.parametrize(
    "act",
    [
        lambda: grant(make_request(), scope=make_scope(), person=STRANGER, shown=SHOWN, now=NOON),
        lambda: refuse(make_request(), person=STRANGER, shown=SHOWN, now=NOON),
        lambda: pause(make_consent(), person=STRANGER, now=NOON),
        lambda: resume(make_consent(status=Status.PAUSED), person=STRANGER, now=NOON),
        lambda: withdraw(make_consent(), person=STRANGER, now=NOON),
        lambda: give_up(make_consent(), client_id="bank-2", now=NOON),
        lambda: supersede(
            make_consent(),
            newer=make_consent(consent_id="cst_b"),
            person=STRANGER,
            now=NOON,
        ),
    ],
)
def test_acts_on_another_partys_consent_are_refused(
    act: Callable[[], Transition | Refused],
) -> None:
    """Not found for another enterprise or client."""
    assert act() == Refused(Reason.NOT_AVAILABLE)


@pytest.mark.parametrize(
    "consent", [make_request(), make_consent(), make_consent(status=Status.PAUSED)]
)
def test_a_client_may_give_up_what_it_asked_for(consent: Consent) -> None:
    """Status withdrawn; the event has the client as actor."""
    outcome = give_up(consent, client_id=BANK, now=NOON)
    assert isinstance(outcome, Transition)
    assert outcome.consent.status is Status.WITHDRAWN
    assert (outcome.event.what, outcome.event.actor) == (Act.GIVEN_UP, BANK)


def test_a_newer_grant_supersedes_the_older_one() -> None:
    """Only the newer one applies."""
    newer = make_consent(consent_id="cst_b")
    outcome = supersede(make_consent(), newer=newer, person=make_person(), now=NOON)
    assert must_succeed(outcome).status is Status.SUPERSEDED


@pytest.mark.parametrize(
    "newer",
    [
        make_consent(),
        make_request(consent_id="cst_b"),
        make_consent(consent_id="cst_b", purpose="tender"),
        make_consent(consent_id="cst_b", client_id="bank-2"),
    ],
)
def test_only_a_running_grant_of_the_same_relation_supersedes(newer: Consent) -> None:
    """Requests, and grants of other relations, supersede nothing."""
    outcome = supersede(make_consent(), newer=newer, person=make_person(), now=NOON)
    assert outcome == Refused(Reason.NOT_AVAILABLE)


def test_an_id_is_made_of_randomness_alone() -> None:
    """Thirty characters; too little randomness is an error."""
    made = consent_id_from(bytes(range(16)))
    assert made == "cst_aaaqeayeaudaocajbifqydiob4"
    with pytest.raises(ValueError, match="16 random bytes"):
        consent_id_from(b"short")


def make_amendment(**changes: object) -> Consent:
    """A request for one more dataset on an active consent."""
    wider = {"datasets": ("registration", "penalty", "public_rating"), "max_uses": 20}
    outcome = try_request(**({"amends": make_consent()} | wider | changes))
    assert isinstance(outcome, Transition), outcome
    return outcome.consent


def test_an_amendment_keeps_the_id_and_counts_on() -> None:
    """Same id, and the uses count on."""
    held, amendment = make_consent(uses=7), make_amendment()
    outcome = amend(
        held, amendment, scope=amendment.scope, person=make_person(), shown=SHOWN, now=NOON
    )
    assert not isinstance(outcome, Refused)
    changed, taken_up = outcome
    after = changed.consent
    assert (after.consent_id, after.uses, after.max_uses) == (held.consent_id, 7, 20)
    assert after.datasets == ("registration", "penalty", "public_rating")
    assert (changed.event.what, after.decided_at) == (Act.AMENDED, NOON)
    assert taken_up.consent.status is Status.SUPERSEDED


def test_a_refused_amendment_leaves_the_old_grant() -> None:
    """With a cool-down."""
    amendment = make_amendment()
    refused = must_succeed(refuse(amendment, person=make_person(), shown=SHOWN, now=NOON))
    assert refused.cool_down_until is not None
    assert try_request(previous_refusals=[refused]) == Refused(
        Reason.COOLING_DOWN, until=refused.cool_down_until
    )


def test_an_amendment_is_never_granted_as_a_consent_of_its_own() -> None:
    """There is one consent for each relation."""
    amendment = make_amendment()
    outcome = grant(amendment, scope=amendment.scope, person=make_person(), shown=SHOWN, now=NOON)
    assert outcome == Refused(Reason.NOT_AVAILABLE)


@pytest.mark.parametrize(
    ("amends", "reason"),
    [
        (make_consent(status=Status.WITHDRAWN), Reason.CONSENT_WITHDRAWN),
        (make_consent(valid_until=NOON), Reason.CONSENT_EXPIRED),
        (make_consent(uses=10), Reason.CONSENT_EXHAUSTED),
        (make_consent(client_id="bank-2"), Reason.NOT_AVAILABLE),
        (make_consent(uscc="91330106MA2CYYYY2B"), Reason.NOT_AVAILABLE),
        (make_request(), Reason.NOT_DECIDED),
    ],
)
def test_only_a_running_consent_of_the_same_relation_is_amended(
    amends: Consent, reason: Reason
) -> None:
    """Ended consents need a new request (R8)."""
    assert try_request(amends=amends) == Refused(reason)


def test_an_amendment_changes_only_the_consent_that_it_names() -> None:
    """Not another, and not one that ended meanwhile."""
    amendment = make_amendment()
    both = {"scope": amendment.scope, "person": make_person(), "shown": SHOWN, "now": NOON}
    other = make_consent(consent_id="cst_other")
    assert amend(other, amendment, **both) == Refused(Reason.NOT_AVAILABLE)  # type: ignore[arg-type]
    ended = must_succeed(withdraw(make_consent(), person=make_person(), now=NOON))
    assert amend(ended, amendment, **both) == Refused(Reason.CONSENT_WITHDRAWN)  # type: ignore[arg-type]


def test_an_amendment_ends_with_what_it_would_change_by_the_same_act() -> None:
    """By the person with the proof of that act, or by the client; never granted."""
    amendment = make_amendment()
    for ended in (
        withdraw(make_consent(), person=make_person(), now=NOON),
        give_up(make_consent(), client_id=BANK, now=NOON),
    ):
        assert isinstance(ended, Transition)
        gone = end_with(amendment, ended)
        assert isinstance(gone, Transition)
        assert (gone.consent.status, gone.consent.was_granted) == (Status.WITHDRAWN, False)
        assert (gone.event.what, gone.event.actor) == (ended.event.what, ended.event.actor)
        assert gone.event.identity_token_digest == ended.event.identity_token_digest
        assert gone.event.seq == amendment.version + 1


def test_an_amendment_does_not_end_with_anything_else() -> None:
    """Another consent's end, a pause, or an end after the decision."""
    withdrawn = withdraw(make_consent(), person=make_person(), now=NOON)
    paused = pause(make_consent(), person=make_person(), now=NOON)
    other = withdraw(make_consent(consent_id="cst_other"), person=make_person(), now=NOON)
    assert isinstance(withdrawn, Transition)
    assert isinstance(paused, Transition)
    assert isinstance(other, Transition)
    assert end_with(make_amendment(), paused) == Refused(Reason.NOT_AVAILABLE)
    assert end_with(make_amendment(), other) == Refused(Reason.NOT_AVAILABLE)
    refused = must_succeed(refuse(make_amendment(), person=make_person(), shown=SHOWN, now=NOON))
    assert end_with(refused, withdrawn) == Refused(Reason.ALREADY_REFUSED)


def test_an_amendment_is_answered_while_what_it_changes_runs() -> None:
    """At most a week, and at most until the consent expires."""
    soon, later = NOON + timedelta(days=2), NOON + timedelta(days=90)
    ends_soon = make_consent(valid_until=soon)
    assert make_amendment(amends=ends_soon, valid_until=later).answer_by == soon
    assert make_amendment(valid_until=later).answer_by == NOON + timedelta(days=7)
    assert make_amendment(valid_until=soon).answer_by == soon


def test_the_enterprise_narrows_by_itself_and_never_widens() -> None:
    """Fewer data, a shorter term, fewer uses; for nothing there is withdrawal."""
    held = make_consent(uses=3)
    less = make_scope(datasets=("penalty",), questions=(), max_uses=4)
    narrowed = must_succeed(narrow(held, scope=less, person=make_person(), now=NOON))
    assert (narrowed.datasets, narrowed.questions, narrowed.max_uses) == (("penalty",), (), 4)
    for scope, reason in (
        (make_scope(datasets=("penalty", "licence")), Reason.WIDER_THAN_ASKED),
        (make_scope(max_uses=11), Reason.WIDER_THAN_ASKED),
        (make_scope(max_uses=3), Reason.NOTHING_CHOSEN),
        (make_scope(datasets=(), questions=()), Reason.NOTHING_CHOSEN),
        (make_scope(), Reason.NOTHING_CHANGED),
    ):
        assert narrow(held, scope=scope, person=make_person(), now=NOON) == Refused(reason)
    assert narrow(held, scope=less, person=STRANGER, now=NOON) == Refused(Reason.NOT_AVAILABLE)


def test_a_cool_down_is_ended_early_by_its_enterprise_once() -> None:
    """By an event of the person; the refusal stays. A stranger and a running consent are refused."""
    asked = make_request()
    refused = must_succeed(refuse(asked, person=make_person(), shown=SHOWN, now=NOON))
    later = NOON + timedelta(days=1)
    ended = end_cool_down(refused, person=make_person(), now=later)
    assert isinstance(ended, Transition)
    assert (ended.consent.status, ended.consent.decided_at) == (Status.REFUSED, NOON)
    assert (ended.event.what, ended.event.actor) == (Act.COOL_DOWN_ENDED, make_person().subject)
    assert may_ask_again([ended.consent], now=later)
    again = end_cool_down(ended.consent, person=make_person(), now=later)
    assert again == Refused(Reason.NOTHING_CHANGED)
    assert end_cool_down(refused, person=STRANGER, now=later) == Refused(Reason.NOT_AVAILABLE)
    running = end_cool_down(make_consent(), person=make_person(), now=later)
    assert running == Refused(Reason.ALREADY_ACTIVE)
