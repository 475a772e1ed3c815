"""Replay and limits: one round trip to the store, before anything is read from the database.

Whatever the store answers, the response carries the client's limits and the next nonce.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from fastapi import Request

from gateway.access.authentication import Caller
from gateway.access.dpop import REMEMBER_SECONDS
from gateway.access.errors import (
    IdempotencyConflictError,
    InvalidDpopProofError,
    InvalidRequestError,
    QuotaExhaustedError,
    RateLimitedError,
    UseDpopNonceError,
)
from gateway.disclosure.idempotency import KEY_LIFE_SECONDS, IdempotencyKey
from gateway.limits.limiter import counters_for, distinct_for, policy_headers
from gateway.limits.model import (
    Admission,
    Admitted,
    Limited,
    Pin,
    PinConflict,
    Replay,
    Replayed,
    StaleGeneration,
)
from gateway.runtime import Runtime
from gateway.transparency.log_leaf import LeafKind

LONGEST_KEY = 128
LONG_WAIT_SECONDS = 3600
# What the log calls these attempts.
KINDS: Final[Mapping[tuple[str, str], LeafKind]] = {
    ("POST", "/v1/verifications"): "verification",
    ("POST", "/v1/queries"): "query",
    ("POST", "/v1/consents"): "consent_request",
}
OTHER = "other"


def idempotency_key(request: Request, body: bytes) -> IdempotencyKey | None:
    """The request's key, if it has one."""
    fields = request.headers.getlist("idempotency-key")
    if not fields:
        return None
    key = fields[0].strip().strip('"')
    if (
        len(fields) > 1
        or not 0 < len(key) <= LONGEST_KEY
        or not key.isascii()
        or not key.isprintable()
    ):
        raise InvalidRequestError(
            f"Idempotency-Key is one key of 1 to {LONGEST_KEY} printable ASCII characters."
        )
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).digest()
    return IdempotencyKey(key=key, request_digest=digest)


async def admit(
    request: Request,
    runtime: Runtime,
    caller: Caller,
    *,
    uscc: str | None,
    key: IdempotencyKey | None,
    cost: int = 1,
) -> None:
    """Count this call, and refuse it if its proof was seen before or a limit is reached.

    `uscc` is the subject, if the request names one; the store sees only its keyed digest.
    """
    token, proof = caller.token, caller.proof
    quotas = await runtime.quotas.of(token.client_id, token.agreement_version)
    subject = runtime.digests.of("subject", uscc).hex()[:32] if uscc else None
    verdict = await runtime.guard.admit(
        Admission(
            tag=token.client_id,
            generation=proof.generation if proof else None,
            replay=Replay(key=proof.replay_key, ttl=REMEMBER_SECONDS) if proof else None,
            pin=_pin(key, runtime),
            counters=counters_for(quotas, token.client_id, subject, cost),
            distinct=distinct_for(quotas, token.client_id, subject) if subject else None,
        ),
    )
    headers = request.state.headers
    if proof is not None:
        headers["DPoP-Nonce"] = runtime.nonces.issue(verdict.generation, runtime.now())
    if isinstance(verdict, Admitted | Limited):
        headers.update(policy_headers(verdict.states))
    try:
        _refuse(verdict)
    except (RateLimitedError, QuotaExhaustedError, IdempotencyConflictError) as error:
        # A row for each would be a flood: what is refused here has charged no counter.
        runtime.turned_away.count(
            token.client_id,
            uscc,
            kind=KINDS.get((request.method, request.url.path), OTHER),
            reason=error.code,
            now=runtime.now(),
        )
        raise


def _pin(key: IdempotencyKey | None, runtime: Runtime) -> Pin | None:
    """A key names one request, whichever enterprise it is about."""
    if key is None:
        return None
    name = runtime.digests.of("pin", key.key).hex()[:32]
    return Pin(key=name, value=key.request_digest.hex(), ttl=KEY_LIFE_SECONDS)


def _refuse(verdict: object) -> None:
    match verdict:
        case StaleGeneration():
            raise UseDpopNonceError(headers={"WWW-Authenticate": 'DPoP error="use_dpop_nonce"'})
        case Replayed():
            raise InvalidDpopProofError(
                "This proof was used before; make a new one for each request.",
                headers={"WWW-Authenticate": 'DPoP error="invalid_dpop_proof"'},
            )
        case PinConflict():
            raise IdempotencyConflictError
        case Limited(retry_after=wait) if wait > LONG_WAIT_SECONDS:
            raise QuotaExhaustedError(retry_after=wait)
        case Limited(retry_after=wait):
            raise RateLimitedError(retry_after=wait)
