"""`decide`: what a consent grants to a call, by state, scope and time."""

from datetime import timedelta

import pytest

from consent import Consent, Granted, Purpose, Reason, Refused, Status, decide, status_at, uses_left
from consent.model import PURPOSE_NAMES
from tests.consent_builders import A_DAY, NOON, make_ask, make_consent, make_request


def test_a_consent_that_holds_grants_what_was_asked() -> None:
    """A request within the consent is granted completely."""
    assert decide(make_consent(uses=3), make_ask(), now=NOON) == Granted(
        consent_id="cst_a",
        version=2,
        datasets=("registration", "penalty"),
        questions=("is_active.v1",),
        valid_until=NOON + 100 * A_DAY,
        uses_left=7,
    )


def test_only_the_consented_part_of_an_ask_is_granted() -> None:
    """The rest is left out, in the order of the request."""
    ask = make_ask(datasets=("public_rating", "penalty"), questions=("is_active.v1", "other.v1"))
    granted = decide(make_consent(), ask, now=NOON)
    assert isinstance(granted, Granted)
    assert (granted.datasets, granted.questions) == (("penalty",), ("is_active.v1",))


def test_an_ask_wholly_outside_the_consent_is_refused_and_spends_nothing() -> None:
    """Refused instead of an empty grant."""
    ask = make_ask(datasets=("public_rating",), questions=())
    assert decide(make_consent(), ask, now=NOON) == Refused(Reason.NOT_IN_CONSENT)


@pytest.mark.parametrize(
    "consent",
    [
        None,
        make_consent(client_id="bank-2"),
        make_consent(uscc="91330106MA2CYYYY2B"),
        make_consent(purpose=Purpose.TENDER),
        make_request(),
        make_request(answer_by=NOON - A_DAY),
        make_request(status=Status.WITHDRAWN),
        make_consent(status=Status.REFUSED),
        make_consent(status=Status.SUPERSEDED),
        make_consent(client_id="bank-2", status=Status.WITHDRAWN),
    ],
)
def test_anything_but_the_callers_own_grant_is_not_available(consent: Consent | None) -> None:
    """R7: none, another client's, another purpose's and never granted get one reason."""
    assert decide(consent, make_ask(), now=NOON) == Refused(Reason.NOT_AVAILABLE)


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (make_consent(status=Status.WITHDRAWN), Reason.CONSENT_WITHDRAWN),
        (make_consent(status=Status.PAUSED), Reason.CONSENT_PAUSED),
        (make_consent(valid_until=NOON), Reason.CONSENT_EXPIRED),
        (make_consent(status=Status.EXPIRED), Reason.CONSENT_EXPIRED),
        (make_consent(uses=10), Reason.CONSENT_EXHAUSTED),
        (make_consent(status=Status.WITHDRAWN, uses=10), Reason.CONSENT_WITHDRAWN),
    ],
)
def test_a_client_learns_the_state_of_its_own_consent(consent: Consent, reason: Reason) -> None:
    """Each way of ending has its code."""
    assert decide(consent, make_ask(), now=NOON) == Refused(reason)


def test_a_consent_ends_at_its_last_instant_and_not_before() -> None:
    """`valid_until` is exclusive, to the microsecond."""
    consent = make_consent(valid_until=NOON)
    assert status_at(consent, NOON - timedelta(microseconds=1)) is Status.ACTIVE
    assert status_at(consent, NOON) is Status.EXPIRED


def test_a_pause_does_not_stop_the_term() -> None:
    """A paused consent expires as any other."""
    paused = make_consent(status=Status.PAUSED, valid_until=NOON)
    assert status_at(paused, NOON) is Status.EXPIRED


def test_an_undecided_request_lapses() -> None:
    """After `answer_by` it cannot be decided."""
    assert status_at(make_request(answer_by=NOON), NOON) is Status.EXPIRED


def test_a_consent_without_a_limit_has_no_number_of_uses_left() -> None:
    """`None`, neither zero nor a large number."""
    assert uses_left(make_consent(max_uses=None, uses=10**6)) is None


def test_every_purpose_has_a_name_in_both_languages() -> None:
    """The list is closed (R11)."""
    assert set(PURPOSE_NAMES) == set(Purpose)
    assert all(name.zh and name.en for name in PURPOSE_NAMES.values())


@pytest.mark.parametrize("purpose", ["marketing", "employment_screening", "resale", ""])
def test_a_forbidden_purpose_is_no_purpose(purpose: str) -> None:
    """R11: marketing, hiring and resale are not in the list."""
    with pytest.raises(ValueError, match="is not a valid Purpose"):
        Purpose(purpose)
