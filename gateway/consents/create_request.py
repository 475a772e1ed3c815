"""`POST /v1/consents`: request a consent by a link, or its QR code at the counter.

The answer is the same whether the enterprise exists or not.
"""

from datetime import timedelta
from secrets import token_bytes
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Channel, Consent, Reason, Refused, Request, store
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.access.consent_request import Fault, Mistake
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
from gateway.disclosure.consent_requests import request_consent
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


def error_of(mistake: Mistake) -> GatewayError:
    """The error for a mistake in the request."""
    return _ERRORS.get(mistake.fault, InvalidRequestError)(mistake.sentence)


async def create_request(
    runtime: Runtime, asked: Request, uscc: str, key: IdempotencyKey | None
) -> Consent | Refusal:
    """The requested consent, written; under a repeated key the one that it wrote."""
    consent_id = _consent_id(runtime, asked, key)
    try:
        async with runtime.engine.begin() as connection:
            await store.in_turn(connection, asked.client_id, uscc, asked.purpose)
            before = await store.by_id(connection, consent_id)
            if before is not None:
                return _repeated(before, asked, runtime)
            return await _requested(connection, asked, uscc, consent_id, runtime)
    except IntegrityError:  # the same key a moment earlier
        async with runtime.engine.connect() as connection:
            made = await store.by_id(connection, consent_id)
        return _repeated(made, asked, runtime) if made else Refusal(IdempotencyConflictError)


async def _requested(
    connection: AsyncConnection, asked: Request, uscc: str, consent_id: str, runtime: Runtime
) -> Consent | Refusal:
    now = runtime.now()
    amends = await _amended(connection, asked)
    if isinstance(amends, Refusal):
        return amends
    requested = await request_consent(
        connection, asked, consent_id=consent_id, channel=Channel.LINK, amends=amends, now=now
    )
    if isinstance(requested, Refused):
        return Refusal(_REFUSALS.get(requested.reason, InvalidRequestError))
    await note(connection, NoticeKind.CONSENT_ASKED, uscc, client_id=asked.client_id, now=now)
    return requested


async def _amended(connection: AsyncConnection, asked: Request) -> Consent | Refusal | None:
    """The caller's consent that is to be changed; another's is as if there were none."""
    if asked.amends is None:
        return None
    held = await store.by_id(connection, asked.amends)
    mine = held is not None and (held.client_id, held.uscc, held.purpose) == (
        asked.client_id,
        asked.uscc,
        asked.purpose,
    )
    if held is None or not mine:
        return Refusal(
            NotFoundError,
            "amends names no consent of yours with this enterprise and for this purpose.",
        )
    # A withdrawal waits for this request, and ends it too.
    return await store.hold(connection, held.uscc, held.consent_id) or Refusal(NotFoundError)


def _repeated(before: Consent, asked: Request, runtime: Runtime) -> Consent | Refusal:
    """The request that this key made, if it is still the same one and a day has not passed."""
    mine = before.client_id == asked.client_id and before.uscc == asked.uscc
    fresh = runtime.now() - before.requested_at < KEY_LIFE
    return before if mine and fresh else Refusal(IdempotencyConflictError)


def _consent_id(runtime: Runtime, asked: Request, key: IdempotencyKey | None) -> str:
    """A random id; one that the idempotency key determines, where there is a key."""
    if key is None:
        return consent_id_from(token_bytes(RANDOM_BYTES))
    named = f"{asked.client_id}\n{key.key}\n".encode() + key.request_digest
    return consent_id_from(runtime.digests.of("consent", named)[:RANDOM_BYTES])
