"""`POST /v1/consents`: request a consent by a link, or its QR code at the counter.

The answer is the same whether the enterprise exists or not.
"""

from datetime import datetime, timedelta
from math import ceil
from secrets import token_bytes
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Channel, Consent, Refused, Request, relation_of, store
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.access.errors import (
    CONSENT_ERRORS,
    IdempotencyConflictError,
    InvalidRequestError,
    NotFoundError,
    Refusal,
)
from gateway.access.serializers.timestamps import format_time
from gateway.disclosure.consent_request_writer import write_consent_request
from gateway.disclosure.idempotency import KEY_LIFE_SECONDS, IdempotencyKey
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.runtime import Runtime

KEY_LIFE: Final = timedelta(seconds=KEY_LIFE_SECONDS)


async def create_link_request(
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
    requested = await write_consent_request(
        connection, asked, consent_id=consent_id, channel=Channel.LINK, amends=amends, now=now
    )
    if isinstance(requested, Refused):
        return _refusal(requested, now)
    await note(connection, NoticeKind.CONSENT_ASKED, uscc, client_id=asked.client_id, now=now)
    return requested


def _refusal(refused: Refused, now: datetime) -> Refusal:
    """The refusal of a request; in a cool-down, with its end."""
    error = CONSENT_ERRORS.get(refused.reason, InvalidRequestError)
    if refused.until is None:
        return Refusal(error)
    return Refusal(
        error,
        f"The enterprise refused a short while ago; ask again from {format_time(refused.until)} on.",
        retry_after=ceil((refused.until - now).total_seconds()),
    )


async def _amended(connection: AsyncConnection, asked: Request) -> Consent | Refusal | None:
    """The caller's consent that is to be changed; another's is as if there were none."""
    if asked.amends is None:
        return None
    held = await store.by_id(connection, asked.amends)
    if held is None or relation_of(held) != relation_of(asked):
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
