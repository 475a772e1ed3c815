"""Consent builders: valid values of which a test changes a part."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from consent import (
    AccessRequest,
    Act,
    Channel,
    Consent,
    DisplayedText,
    Event,
    Person,
    Purpose,
    Refused,
    Request,
    Scope,
    Status,
    Transition,
    grant,
)
from consent.mapping import consent_of
from consent.tables import consents

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
A_DAY = timedelta(days=1)
USCC = "91330106MA2CXXXX1A"
BANK = "bank-1"
SHOWN = DisplayedText(text_version="2026.1", language="zh")


async def stored_consents(connection: AsyncConnection, uscc: str) -> list[Consent]:
    """Every consent of one enterprise, the newest first."""
    query = consents.select().where(consents.c.uscc == uscc)
    newest_first = query.order_by(consents.c.requested_at.desc(), consents.c.consent_id)
    return [consent_of(row._asdict()) for row in await connection.execute(newest_first)]


def make_person(uscc: str = USCC) -> Person:
    """A signed-in person."""
    return Person(
        subject="person-1",
        uscc=uscc,
        channel=Channel.PORTAL,
        identity_token_digest=b"\x01" * 32,
    )


def make_ask(**changes: Any) -> AccessRequest:
    """A bank's request for two datasets and a question."""
    ask = AccessRequest(
        client_id=BANK,
        uscc=USCC,
        purpose=Purpose.LOAN_APPROVAL,
        datasets=("registration", "penalty"),
        questions=("is_active.v1",),
    )
    return replace(ask, **changes)


def make_consent_request(**changes: Any) -> Request:
    """A consent request for two datasets and a question, for a day."""
    usual = Request(
        client_id=BANK,
        uscc=USCC,
        purpose=Purpose.LOAN_APPROVAL,
        datasets=("registration", "penalty"),
        questions=("is_active.v1",),
        valid_until=NOON + A_DAY,
        max_uses=1,
    )
    return replace(usual, **changes)


def make_request(**changes: Any) -> Consent:
    """A requested consent that is not decided yet."""
    consent = Consent(
        consent_id="cst_a",
        client_id=BANK,
        uscc=USCC,
        purpose=Purpose.LOAN_APPROVAL,
        datasets=("registration", "penalty"),
        questions=("is_active.v1",),
        status=Status.REQUESTED,
        requested_at=NOON - A_DAY,
        answer_by=NOON + 6 * A_DAY,
        valid_until=NOON + 100 * A_DAY,
        max_uses=10,
    )
    return replace(consent, **changes)


def make_consent(**changes: Any) -> Consent:
    """A consent that is valid at noon."""
    granted = {
        "status": Status.ACTIVE,
        "decided_at": NOON - A_DAY / 2,
        "subject": "person-1",
        "identity_token_digest": b"\x01" * 32,
        "text_version": "2026.1",
        "language": "zh",
        "version": 2,
    }
    return make_request(**(granted | changes))


def make_scope(**changes: Any) -> Scope:
    """The scope that `make_request` asks for."""
    return replace(make_request().scope, **changes)


def make_event_of(consent: Consent) -> Event:
    """The event that belongs to a consent a test has built."""
    return Event(
        uscc=consent.uscc,
        consent_id=consent.consent_id,
        seq=consent.version,
        what=Act.REQUESTED,
        actor=consent.client_id,
        channel=Channel.API,
        at=consent.requested_at,
        scope=consent.scope,
    )


def must_succeed(outcome: Transition | Refused) -> Consent:
    """The consent after an act, which must have succeeded."""
    assert isinstance(outcome, Transition), outcome
    return outcome.consent


def grant_all(held: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """A grant of everything requested."""
    return grant(held, scope=held.scope, person=person, shown=SHOWN, now=now)
