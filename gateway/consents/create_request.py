"""Asking an enterprise that is not at this browser: by a link, or its QR code at the counter.

The answer is the same whether the enterprise exists or not; the one who signs in for it decides.
"""

from dataclasses import dataclass
from datetime import timedelta
from secrets import token_bytes
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import AccessRequest, Channel, Consent, Reason, Refused, Status
from consent import store as consents
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.access.consent_request import Fault, Mistake, Wanted
from gateway.access.errors import (
    ConsentExhaustedError,
    ConsentExpiredError,
    ConsentWithdrawnError,
    CoolingDownError,
    GatewayError,
    IdempotencyConflictError,
    InvalidRequestError,
    InvalidUsccError,
    NotFoundError,
    NotInAgreementError,
    Refusal,
    UnknownDatasetError,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.disclosure import consent_writer
from gateway.disclosure.idempotency import KEY_LIFE_SECONDS, IdempotencyKey
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.runtime import Runtime

KEY_LIFE: Final = timedelta(seconds=KEY_LIFE_SECONDS)
_ERRORS: Final[dict[Fault, type[GatewayError]]] = {
    Fault.USCC: InvalidUsccError,
    Fault.PURPOSE: UnknownPurposeError,
    Fault.DATASET: UnknownDatasetError,
    Fault.QUESTION: UnknownQuestionError,
    Fault.AGREEMENT: NotInAgreementError,
}

_REFUSALS: Final[dict[Reason, type[GatewayError]]] = {
    Reason.COOLING_DOWN: CoolingDownError,
    Reason.CONSENT_WITHDRAWN: ConsentWithdrawnError,
    Reason.CONSENT_EXPIRED: ConsentExpiredError,
    Reason.CONSENT_EXHAUSTED: ConsentExhaustedError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedConsent:
    """A consent that a client asks for by link."""

    client_id: str
    uscc: str
    wanted: Wanted
    amends: str | None
    key: IdempotencyKey | None


def error_of(mistake: Mistake) -> GatewayError:
    """The problem that tells of a mistake in the ask."""
    return _ERRORS.get(mistake.fault, InvalidRequestError)(mistake.sentence)


async def ask(runtime: Runtime, asked: RequestedConsent) -> Consent | Refusal:
    """Keep the request until it is answered; a repeated key finds the request it made."""
    consent_id = _consent_id(runtime, asked)
    try:
        async with runtime.engine.begin() as connection:
            # Of asks at once each sees the one before, and the refusal that is being written.
            purpose = asked.wanted.purpose
            await consents.in_turn(connection, asked.client_id, asked.uscc, purpose)
            before = await consents.by_id(connection, consent_id)
            return (
                _repeated(before, asked, runtime)
                if before
                else await _requested(connection, asked, consent_id, runtime)
            )
    except IntegrityError:  # the same key a moment earlier
        async with runtime.engine.connect() as connection:
            made = await consents.by_id(connection, consent_id)
        return _repeated(made, asked, runtime) if made else Refusal(IdempotencyConflictError)


async def _requested(
    connection: AsyncConnection,
    asked: RequestedConsent,
    consent_id: str,
    runtime: Runtime,
) -> Consent | Refusal:
    wanted, now = asked.wanted, runtime.now()
    the_same = asked.client_id, asked.uscc, wanted.purpose
    changes = await _amended(connection, asked)
    if isinstance(changes, Refusal):
        return changes
    refusal = await consents.last_refusal(connection, *the_same)
    requested = consent.request(
        AccessRequest(
            client_id=asked.client_id,
            uscc=asked.uscc,
            purpose=wanted.purpose,
            datasets=wanted.datasets,
            questions=wanted.questions,
        ),
        consent_id=consent_id,
        valid_until=wanted.valid_until,
        max_uses=wanted.max_uses,
        channel=Channel.LINK,
        now=now,
        previous_refusals=[refusal] if refusal else [],
        amends=changes,
    )
    if isinstance(requested, Refused):
        return Refusal(_REFUSALS.get(requested.reason, InvalidRequestError))
    # An enterprise finds one open request of a client for a purpose, however often it was sent.
    for older in await consents.open_for(connection, *the_same):
        if older.status is Status.REQUESTED:
            given_up = consent.give_up(older, client_id=asked.client_id, now=now)
            if not isinstance(given_up, Refused):
                await consent_writer.save(connection, older, given_up)
    await consent_writer.insert(connection, requested)
    await note(connection, NoticeKind.CONSENT_ASKED, asked.uscc, client_id=asked.client_id, now=now)
    return requested.consent


async def _amended(
    connection: AsyncConnection, asked: RequestedConsent
) -> Consent | Refusal | None:
    """The caller's consent that is to be changed; of anybody else's it learns nothing."""
    if asked.amends is None:
        return None
    held = await consents.by_id(connection, asked.amends)
    mine = held is not None and (held.client_id, held.uscc, held.purpose) == (
        asked.client_id,
        asked.uscc,
        asked.wanted.purpose,
    )
    if held is None or not mine:
        return Refusal(
            NotFoundError,
            "amends names no consent of yours with this enterprise and for this purpose.",
        )
    # Whoever withdraws it now waits for this request, and ends it too.
    return await consents.hold(connection, held.uscc, held.consent_id) or Refusal(NotFoundError)


def _repeated(before: Consent, asked: RequestedConsent, runtime: Runtime) -> Consent | Refusal:
    """The request that this key made, if it is still the same one and a day has not passed."""
    mine = before.client_id == asked.client_id and before.uscc == asked.uscc
    fresh = runtime.now() - before.requested_at < KEY_LIFE
    return before if mine and fresh else Refusal(IdempotencyConflictError)


def _consent_id(runtime: Runtime, asked: RequestedConsent) -> str:
    """A random id; one that the idempotency key determines, where there is a key."""
    if asked.key is None:
        return consent_id_from(token_bytes(RANDOM_BYTES))
    named = f"{asked.client_id}\n{asked.key.key}\n".encode() + asked.key.request_digest
    return consent_id_from(runtime.digests.of("consent", named)[:RANDOM_BYTES])
