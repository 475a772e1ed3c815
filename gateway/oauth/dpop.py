"""DPoP proofs at the authorization server (RFC 9449): checked, with a nonce, accepted once.

The replay store decides before the database is read; of client credentials, in the round trip that
counts the client (`rate_limit`).
"""

from dataclasses import dataclass

from fastapi import Request

from gateway.access.authentication import request_url
from gateway.access.dpop import (
    REMEMBER_SECONDS,
    NonceNeededError,
    Proof,
    ProofError,
    validate_proof,
)
from gateway.limits.model import Admission, Replay, Replayed, StaleGeneration, Verdict
from gateway.oauth.errors import OAuthError
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedProof:
    """The thumbprint of a verified proof's key, and the nonce for the next proof."""

    jkt: str
    nonce: str


async def verified_proof(request: Request, runtime: Runtime) -> VerifiedProof:
    """The verified proof of `request`, which must have one; raises `OAuthError`."""
    proof = await checked_proof(request, runtime)
    verdict = await runtime.limiter.admit(
        Admission(
            tag=proof.jkt,
            generation=proof.generation,
            replay=Replay(key=proof.replay_key, ttl=REMEMBER_SECONDS),
        ),
    )
    nonce = runtime.nonces.issue(verdict.generation, runtime.now())
    refuse_spent_proof(verdict, nonce)
    return VerifiedProof(jkt=proof.jkt, nonce=nonce)


def refuse_spent_proof(verdict: Verdict, nonce: str) -> None:
    """Raise `OAuthError` if the proof was used before, or its nonce is from before a flush."""
    if isinstance(verdict, StaleGeneration):
        raise use_nonce(nonce)
    if isinstance(verdict, Replayed):
        raise invalid_proof("This proof was used before; make a new one for each request.")


async def verified_proof_if_given(request: Request, runtime: Runtime) -> VerifiedProof | None:
    """The verified proof of `request`, if it has one; raises `OAuthError`."""
    return await verified_proof(request, runtime) if "dpop" in request.headers else None


async def checked_proof(request: Request, runtime: Runtime) -> Proof:
    """The valid proof of `request`, not spent yet; raises `OAuthError`."""
    try:
        return validate_proof(
            request.headers.getlist("dpop"),
            method=request.method,
            url=request_url(request, runtime),
            token=None,
            nonces=runtime.nonces,
            now=runtime.now(),
        )
    except ProofError as error:
        raise invalid_proof(str(error)) from None
    except NonceNeededError:
        generation = await runtime.limiter.generation()
        raise use_nonce(runtime.nonces.issue(generation, runtime.now())) from None


def invalid_proof(description: str) -> OAuthError:
    """The error for a proof that cannot be accepted (RFC 9449 §5)."""
    return OAuthError("invalid_dpop_proof", description)


def use_nonce(nonce: str) -> OAuthError:
    """The error for a proof without a current nonce, which comes along (RFC 9449 §8)."""
    return OAuthError(
        "use_dpop_nonce",
        "Repeat the request with a proof that carries the nonce in DPoP-Nonce.",
        headers={"DPoP-Nonce": nonce},
    )
