"""Difference of agreements: each widening is named, narrowing is not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.clients.agreement_widening import still_counts, widens
from gateway.clients.terms import Signature, Signatures, Terms, TermsError, check_licensed
from gateway.limits.quotas import Quotas

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIGNED = Signature(name="王芳", role="处长", signed_on=date(2026, 1, 5))
PRESENT = Terms(
    purposes=frozenset({"loan_approval", "tender"}),
    datasets=frozenset({"registration", "penalty"}),
    questions=frozenset({"is_active.v1"}),
    quotas=Quotas(per_minute=100),
    retention_days=30,
    valid_from=NOON - timedelta(days=10),
    valid_until=NOON + timedelta(days=10),
    signatures=Signatures(operator=SIGNED, client=SIGNED),
)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"purposes": PRESENT.purposes | {"supplier_check"}}, "purpose supplier_check"),
        ({"datasets": PRESENT.datasets | {"licence"}}, "dataset licence"),
        ({"questions": PRESENT.questions | {"enterprise_name.v1"}}, "question enterprise_name.v1"),
        ({"quotas": Quotas(per_minute=101)}, "quota per_minute from 100 to 101"),
        ({"quotas": Quotas()}, "quota per_minute from 100 to 600"),
        ({"retention_days": 31}, "a longer retention, from 30 to 31 days"),
        ({"valid_until": NOON + timedelta(days=11)}, "a longer term, until 2026-12-03"),
        ({"valid_from": NOON - timedelta(days=11)}, "an earlier start, 2026-11-11"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else "",
)
def test_each_widening_is_named(changes: dict[str, Any], named: str) -> None:
    """One phrase for the second operator to check."""
    (found,) = widens(PRESENT, replace(PRESENT, **changes))
    assert found.startswith(named)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"purposes": frozenset({"tender"})},
        {"datasets": frozenset()},
        {"questions": frozenset()},
        {"quotas": Quotas(per_minute=99, per_day=1)},
        {"retention_days": 0},
        {"valid_until": NOON + timedelta(days=9)},
        {"valid_from": NOON},
        {"signatures": Signatures(operator=SIGNED, client=replace(SIGNED, name="李强"))},
    ],
    ids=lambda changes: "".join(changes) or "the same",
)
def test_a_narrowing_adds_nothing(changes: dict[str, Any]) -> None:
    """It takes effect at once."""
    assert widens(PRESENT, replace(PRESENT, **changes)) == ()


def test_to_require_signatures_narrows_and_to_require_them_no_more_widens() -> None:
    """A client that must sign may do less than one that may."""
    strict = replace(PRESENT, requires_signed_requests=True)
    assert widens(PRESENT, strict) == ()
    assert widens(strict, PRESENT) == ("requests that need not be signed",)


def test_exchanging_one_dataset_for_another_widens() -> None:
    """Datasets are compared one by one."""
    swapped = replace(PRESENT, datasets=frozenset({"registration", "licence"}))
    assert widens(PRESENT, swapped) == ("dataset licence",)


def test_a_first_agreement_widens_even_if_it_grants_nothing() -> None:
    """Without an agreement the client cannot get a token."""
    nothing = replace(PRESENT, purposes=frozenset(), datasets=frozenset(), questions=frozenset())
    assert widens(None, nothing)


@pytest.mark.parametrize(
    ("ended_at", "until", "counts"),
    [
        (None, NOON + timedelta(seconds=1), True),
        (None, NOON, False),
        (NOON, NOON + timedelta(days=1), False),
        (NOON + timedelta(seconds=1), NOON + timedelta(days=1), True),
    ],
)
def test_a_version_that_is_over_is_no_measure_for_a_new_one(
    ended_at: datetime | None, until: datetime, counts: bool
) -> None:
    """Otherwise an expired wide version would need no second operator."""
    assert still_counts(replace(PRESENT, valid_until=until), ended_at, NOON) is counts


def test_terms_come_back_from_their_document_as_they_were() -> None:
    """A proposal is approved by its document's digest, then read back."""
    document = PRESENT.document("bank", 3)
    assert Terms.from_document(document) == PRESENT
    assert Terms.from_document(document).document("bank", 3) == document


def test_terms_without_retention_have_the_document_of_before() -> None:
    """So that what was signed and proposed before still has its digest."""
    document = replace(PRESENT, retention_days=0).document("bank", 3)
    assert "retention_days" not in document
    assert Terms.from_document(document).retention_days == 0


def test_the_same_moment_in_another_zone_is_the_same_document() -> None:
    """The digest does not depend on the offset."""
    shanghai = datetime.fromisoformat("2026-11-12T20:00:00+08:00")
    assert replace(PRESENT, valid_from=shanghai).document("b", 1) == PRESENT.document("b", 1)


@pytest.mark.parametrize(
    ("end", "moment"),
    [("valid_until", "9999-12-31T23:59:59-23:59"), ("valid_from", "0001-01-01T00:00:00+23:59")],
)
def test_a_term_that_no_calendar_has_is_refused(end: str, moment: str) -> None:
    """Years beyond 9999 or before 1 in UTC."""
    changes: Any = {end: datetime.fromisoformat(moment)}
    with pytest.raises(TermsError, match="our era"):
        replace(PRESENT, **changes)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_an_agreement_without_signatories_is_refused(name: str) -> None:
    """Both parties must be named."""
    with pytest.raises(TermsError):
        replace(SIGNED, name=name)


def test_an_agency_needs_a_licence_for_questions_on_a_persons_id() -> None:
    """R13; other roles and questions need none."""
    personal = replace(PRESENT, questions=frozenset({"legal_representative_id.v1"}))
    with pytest.raises(TermsError, match="personal-credit licence"):
        check_licensed("agency", None, personal)
    check_licensed("agency", "LICENCE-1", personal)
    check_licensed("agency", None, PRESENT)
    check_licensed("bank", None, personal)
