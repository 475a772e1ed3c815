"""Records that a bank must delete: ended terms of use, and what notices of its feed take back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xinqiao import Client, Due, errors, verify_evidence
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
LOAN: dict[str, Any] = {"purpose": "loan_approval"}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def clock() -> Clock:
    """Noon, until a test moves it."""
    return Clock()


@pytest.fixture
def fake_gateway(clock: Clock) -> FakeGateway:
    """A gateway whose agreement allows a week of retention, and one enterprise with two records."""
    made = FakeGateway(clock=clock, retention_days=7)
    ends = {"use_until": (NOON + timedelta(days=10)).isoformat()}
    made.add_enterprise(
        USCC,
        answers={"is_active.v1": "yes"},
        records=[
            {"dataset": "penalty", "record_id": "rec_1", **ends},
            {"dataset": "licence", "record_id": "rec_2"},
        ],
    )
    return made


@pytest.fixture
def bank(fake_gateway: FakeGateway) -> Iterator[Client]:
    """A bank's client."""
    with fake_gateway.client() as client:
        yield client


def test_a_record_says_how_long_it_is_used_and_kept(
    fake_gateway: FakeGateway, bank: Client
) -> None:
    """By its own clock or the consent's, the earlier, and the agreement's retention."""
    until = NOON + timedelta(days=100)
    fake_gateway.grant_consent(USCC, datasets=["penalty", "licence"], valid_until=until, **LOAN)
    penalty, licence = bank.query(USCC, datasets=["penalty", "licence"], **LOAN).records
    assert penalty.use_until == NOON + timedelta(days=10)
    assert penalty.delete_by == NOON + timedelta(days=17)
    assert (licence.use_until, licence.delete_by) == (until, until + timedelta(days=7))


def test_what_nothing_ends_has_no_term(fake_gateway: FakeGateway, bank: Client) -> None:
    """Neither a clock nor a consent."""
    fake_gateway.grant_consent(USCC, datasets=["licence"], **LOAN)
    [licence] = bank.query(USCC, datasets=["licence"], **LOAN).records
    assert (licence.use_until, licence.delete_by) == (None, None)


def test_a_record_is_due_when_its_time_has_passed(
    fake_gateway: FakeGateway, bank: Client, clock: Clock
) -> None:
    """At that second and not before."""
    fake_gateway.grant_consent(USCC, datasets=["penalty", "licence"], **LOAN)
    page = bank.query(USCC, datasets=["penalty", "licence"], **LOAN)
    clock.moment = NOON + timedelta(days=17, seconds=-1)
    assert len(bank.due_for_deletion([page])) == 0
    clock.moment = NOON + timedelta(days=17)
    assert list(bank.due_for_deletion([page])) == [
        Due(
            disclosure_id=page.disclosure_id,
            record_id="rec_1",
            since=NOON + timedelta(days=17),
            reason="delete_by",
        )
    ]


@pytest.mark.parametrize("kind", ["record_withdrawn", "record_repaired", "record_suspended"])
def test_a_notice_on_a_record_makes_it_due_at_once(
    fake_gateway: FakeGateway, bank: Client, kind: str
) -> None:
    """In each disclosure that told it, kept or not; kinds that are newer than the SDK too."""
    fake_gateway.grant_consent(USCC, datasets=["penalty"], **LOAN)
    pages = [bank.query(USCC, datasets=["penalty"], **LOAN) for _ in range(2)]
    fake_gateway.end_record("rec_1", kind)
    due = bank.due_for_deletion()
    assert {(each.disclosure_id, each.record_id, each.since, each.reason) for each in due} == {
        (page.disclosure_id, "rec_1", NOON, kind) for page in pages
    }


def test_what_is_told_again_is_not_due_by_that(fake_gateway: FakeGateway, bank: Client) -> None:
    """Its end was; a reinstatement takes nothing back."""
    fake_gateway.grant_consent(USCC, datasets=["penalty"], **LOAN)
    bank.query(USCC, datasets=["penalty"], **LOAN)
    fake_gateway.suspend("rec_1")
    suspended = bank.due_for_deletion()
    fake_gateway.reinstate("rec_1")
    assert len(suspended) == 1
    assert len(bank.due_for_deletion(after=suspended.cursor)) == 0


def test_a_withdrawn_consent_makes_whole_answers_due(
    fake_gateway: FakeGateway, bank: Client, clock: Clock
) -> None:
    """Once for an answer, though its records' time has passed as well."""
    held = fake_gateway.grant_consent(USCC, datasets=["penalty", "licence"], **LOAN)
    page = bank.query(USCC, datasets=["penalty", "licence"], **LOAN)
    fake_gateway.withdraw_consent(held.consent_id)
    clock.moment = NOON + timedelta(days=200)
    assert [(each.record_id, each.reason) for each in bank.due_for_deletion([page])] == [
        (None, "consent_withdrawn")
    ]


def test_a_shortened_consent_brings_deletion_forward(
    fake_gateway: FakeGateway, bank: Client, clock: Clock
) -> None:
    """By as much as the use is shorter; retention stays."""
    until = NOON + timedelta(days=100)
    held = fake_gateway.grant_consent(USCC, datasets=["licence"], valid_until=until, **LOAN)
    page = bank.query(USCC, datasets=["licence"], **LOAN)
    fake_gateway.narrow_consent(held.consent_id, valid_until=NOON + timedelta(days=20))
    clock.moment = NOON + timedelta(days=27, seconds=-1)
    assert len(bank.due_for_deletion([page])) == 0
    clock.moment = NOON + timedelta(days=27)
    [due] = bank.due_for_deletion([page])
    assert (due.since, due.reason) == (clock.moment, "consent_narrowed")


def test_evidence_from_the_bank_s_own_store_is_enough(
    fake_gateway: FakeGateway, bank: Client, clock: Clock, tmp_path: Path
) -> None:
    """Of queries; of a verification, which has no records, by notices only."""
    fake_gateway.grant_consent(USCC, datasets=["penalty"], **LOAN)
    page = bank.query(USCC, datasets=["penalty"], **LOAN)
    answer = bank.verify(USCC, questions=["is_active.v1"], **LOAN)
    file = page.evidence.save(tmp_path / "loan-file.json")
    kept = verify_evidence(file, keys=fake_gateway.jwks)
    clock.moment = NOON + timedelta(days=17)
    [due] = bank.due_for_deletion([kept, answer])
    assert (due.disclosure_id, due.record_id) == (page.disclosure_id, "rec_1")


def test_the_feed_is_read_from_the_cursor_and_acknowledged(
    fake_gateway: FakeGateway, bank: Client
) -> None:
    """All of it, page by page; a cursor that it has not given is refused."""
    fake_gateway.grant_consent(USCC, datasets=["penalty"], **LOAN)
    bank.query(USCC, datasets=["penalty"], **LOAN)
    for _ in range(120):
        held = fake_gateway.grant_consent(USCC, purpose="tender", datasets=["penalty"])
        fake_gateway.withdraw_consent(held.consent_id)
    fake_gateway.end_record("rec_1")
    first = bank.due_for_deletion()
    assert (len(first), first.cursor) == (1, "121")
    bank.acknowledge_changes(first.cursor)
    assert len(bank.due_for_deletion(after=first.cursor)) == 0
    assert len(bank.changes(after="120")) == 1
    with pytest.raises(errors.InvalidRequest):
        bank.changes(after="122")


def test_it_is_the_same_with_asyncio(fake_gateway: FakeGateway) -> None:
    """One flow drives both."""

    async def run() -> int:
        async with fake_gateway.async_client() as bank:
            fake_gateway.grant_consent(USCC, datasets=["penalty"], **LOAN)
            await bank.query(USCC, datasets=["penalty"], **LOAN)
            fake_gateway.end_record("rec_1")
            return len(await bank.due_for_deletion())

    assert asyncio.run(run()) == 1
