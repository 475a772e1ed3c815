"""Admission control: replay, idempotency pin, limits, the request's signature, query parameters.

One round trip to the limit store, before the database is read. The response always carries the
client's limits and the next nonce.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from fastapi import Request

from gateway.access.authentication import Caller, challenge
from gateway.access.dpop import REMEMBER_SECONDS
from gateway.access.errors import (
    IdempotencyConflictError,
    InvalidDpopProofError,
    InvalidRequestError,
    QuotaExhaustedError,
    RateLimitedError,
    SignatureInvalidError,
    TemporarilyUnavailableError,
    UnauthenticatedError,
    UseDpopNonceError,
)
from gateway.access.http.query_parameters import check_query_parameters
from gateway.access.request_signature import verify_signature
from gateway.disclosure.idempotency import KEY_LIFE_SECONDS, IdempotencyKey
from gateway.limits.model import (
    Admission,
    Admitted,
    Counter,
    Distinct,
    Limited,
    Pin,
    PinConflict,
    Replay,
    Replayed,
    StaleGeneration,
)
from gateway.limits.quotas import (
    GATEWAY,
    counters_for,
    distinct_for,
    endpoint_counter,
    gateway_counter,
    policy_headers,
)
from gateway.runtime import Runtime
from gateway.transparency.disclosure_leaf import LeafKind

MAX_KEY_LENGTH = 128
LONG_WAIT_SECONDS = 3600
LEAF_KINDS: Final[Mapping[tuple[str, str], LeafKind]] = {
    ("POST", "/v1/verifications"): "verification",
    ("POST", "/v1/verifications/batch"): "verification",
    ("POST", "/v1/queries"): "query",
    ("POST", "/v1/consents"): "consent_request",
}
OTHER_KIND = "other"


def idempotency_key(request: Request, body: bytes) -> IdempotencyKey | None:
    """The request's `Idempotency-Key`, if it has one, with the digest of the request.

    Keyed, since a body may hold an ID number: those are few enough to be found by a bare digest.
    """
    fields = request.headers.getlist("idempotency-key")
    if not fields:
        return None
    key = fields[0].strip().strip('"')
    if (
        len(fields) > 1
        or not 0 < len(key) <= MAX_KEY_LENGTH
        or not key.isascii()
        or not key.isprintable()
    ):
        raise InvalidRequestError(
            f"Idempotency-Key is one key of 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        )
    runtime: Runtime = request.app.state.runtime
    named = f"{request.method} {request.url.path}\n".encode()
    digest = runtime.digests.of("request", named + body)
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
    """Count and admit a call.

    Raises if its proof was used before, a limit is reached, its signature does not hold or a query
    parameter is unknown.

    `uscc` is the subject, if the request names one; the store gets only its keyed digest.
    """
    token = caller.token
    quotas = await runtime.agreements.quotas_of(token.client_id, token.agreement_version)
    subject = runtime.digests.of("subject", uscc).hex()[:32] if uscc else None
    await admit_by(
        request,
        runtime,
        caller,
        uscc=uscc,
        key=key,
        counters=counters_for(quotas, token.client_id, subject, cost),
        distinct=distinct_for(quotas, token.client_id, subject) if subject else None,
    )


async def admit_by(
    request: Request,
    runtime: Runtime,
    caller: Caller,
    *,
    counters: tuple[Counter, ...],
    uscc: str | None = None,
    key: IdempotencyKey | None = None,
    distinct: Distinct | None = None,
) -> None:
    """Count and admit a call by these counters; raises as `admit`."""
    token, proof = caller.token, caller.proof
    verdict = await runtime.limiter.admit(
        Admission(
            tag=token.client_id,
            generation=proof.generation if proof else None,
            replay=_replay(caller),
            pin=_pin(key, runtime),
            counters=(*counters, *_operators_counters(request, runtime, token.client_id)),
            distinct=distinct,
        )
    )
    if isinstance(verdict, Limited) and verdict.name != GATEWAY:
        await runtime.note_refusal(token.client_id, verdict.name, verdict.retry_after)
    headers = request.state.headers
    if proof is not None:
        headers["DPoP-Nonce"] = runtime.nonces.issue(verdict.generation, runtime.now())
    if isinstance(verdict, Admitted | Limited):
        headers.update(policy_headers(verdict.states))
    try:
        _refuse(verdict, caller)
    except UnauthenticatedError as error:
        error.headers["WWW-Authenticate"] = challenge(request, runtime, error)
        raise
    except (RateLimitedError, QuotaExhaustedError, IdempotencyConflictError) as error:
        # Summed in memory: a row for each would let a flood reach the database.
        runtime.refusal_counter.count(
            token.client_id,
            uscc,
            kind=LEAF_KINDS.get((request.method, request.url.path), OTHER_KIND),
            reason=error.code,
            now=runtime.now(),
        )
        raise
    if caller.signature is not None:
        await verify_signature(
            request, runtime, caller.signature, client_id=token.client_id, proof=proof
        )
    check_query_parameters(request)


def _replay(caller: Caller) -> Replay | None:
    """The proof is used once; without one a signature's nonce is."""
    if caller.proof is not None:
        return Replay(key=caller.proof.replay_key, ttl=REMEMBER_SECONDS)
    if caller.signature is not None:
        return Replay(key=caller.signature.replay_key, ttl=REMEMBER_SECONDS)
    return None


def _pin(key: IdempotencyKey | None, runtime: Runtime) -> Pin | None:
    """The pin of an idempotency key to its request, for all enterprises."""
    if key is None:
        return None
    name = runtime.digests.of("pin", key.key).hex()[:32]
    return Pin(key=name, value=key.request_digest.hex(), ttl=KEY_LIFE_SECONDS)


def _operators_counters(request: Request, runtime: Runtime, client_id: str) -> Iterator[Counter]:
    """Counters of the settings: of this operation for this client, and of all clients' calls."""
    settings, operation = runtime.settings, request.scope["route"].name
    quota = settings.endpoint_limits.get(operation)
    if quota is not None:
        yield endpoint_counter(client_id, operation, quota)
    if settings.calls_per_second is not None:
        yield gateway_counter(settings.calls_per_second)


def _refuse(verdict: object, caller: Caller) -> None:
    match verdict:
        case StaleGeneration():
            raise UseDpopNonceError
        case Replayed() if caller.proof is None:
            raise SignatureInvalidError(
                "This nonce was used before; make a new one for each request."
            )
        case Replayed():
            raise InvalidDpopProofError(
                "This proof was used before; make a new one for each request."
            )
        case PinConflict():
            raise IdempotencyConflictError
        case Limited(name=name, retry_after=wait) if name == GATEWAY:
            raise TemporarilyUnavailableError(retry_after=wait)
        case Limited(retry_after=wait) if wait > LONG_WAIT_SECONDS:
            raise QuotaExhaustedError(retry_after=wait)
        case Limited(retry_after=wait):
            raise RateLimitedError(retry_after=wait)
