"""DPoP proof check (RFC 9449 §4.3), on every call.

Whether its `jti` was used before is checked by the replay store (`gateway.limits`), with the nonce's
generation that is returned here.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from gateway.access.http.uri_normalisation import target_of
from gateway.signing import jws
from gateway.signing.dpop_nonces import SLOT_SECONDS, DpopNonces
from gateway.signing.jwk import base64url, thumbprint
from gateway.signing.jws import JwsError, VerifyingKey

ALGORITHMS = jws.FAPI_ALGORITHMS
TYP = "dpop+jwt"
SKEW_SECONDS = 10
WINDOW_SECONDS = 60
# A used proof is remembered as long as it could be valid: its window, or its nonce's.
REMEMBER_SECONDS = WINDOW_SECONDS + SKEW_SECONDS + 2 * SLOT_SECONDS
MAX_JTI_LENGTH = 256
PROOF_KEYS = 2_048  # remembered; a header is at most as long as a token
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A valid proof of possession of the key `jkt`, for one request."""

    jkt: str
    jti: str
    generation: str

    @property
    def replay_key(self) -> str:
        """The key of this proof in the replay store."""
        return hashlib.sha256(f"{self.jkt} {self.jti}".encode()).hexdigest()


class ProofError(Exception):
    """The proof cannot be accepted; the message says why, to the client's developer."""


class NonceNeededError(Exception):
    """The proof lacks a fresh nonce and is otherwise in order."""


def validate_proof(
    headers: Sequence[str],
    *,
    method: str,
    url: str,
    token: str | None,
    nonces: DpopNonces,
    now: datetime,
) -> Proof:
    """Check the values of all `DPoP` headers of one request, in the order of RFC 9449 §4.3.

    `url` is the request's canonical URL; `token` the access token sent with it, if any.
    Raises `ProofError`, or `NonceNeededError` if only the nonce is missing, old or void.
    """
    if len(headers) != 1:
        raise ProofError("Send exactly one DPoP header.")
    proof = headers[0]
    claims, jkt = _verified(proof)
    _check_target(claims, method, url)
    jti = _check_identity(claims, now)
    if token is not None:
        _check_token_hash(claims, token)
    generation = nonces.generation_of(claims.get("nonce"), now)
    if generation is None:
        raise NonceNeededError
    return Proof(jkt=jkt, jti=jti, generation=generation)


def _verified(proof: str) -> tuple[Mapping[str, Any], str]:
    """The claims of a proof that its own key signed, and the key's thumbprint."""
    try:
        found = _proof_key(jws.encoded_header(proof))
        return found.key.claims_of(proof), found.jkt
    except JwsError as error:
        raise ProofError(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofKey:
    """The public key in a proof's header, with its thumbprint."""

    key: VerifyingKey
    jkt: str


@lru_cache(PROOF_KEYS)
def _proof_key(encoded: str) -> ProofKey:
    """The key in the header of a proof; raises `ProofError` or `JwsError`.

    Cached, since a client's proofs have one header; what is refused is not, nor that any proof was valid.
    """
    header = jws.parse_header(encoded)
    if header.get("typ") != TYP:
        raise ProofError(f"The proof's typ must be {TYP}.")
    jwk = header.get("jwk")
    if not isinstance(jwk, dict) or PRIVATE_MEMBERS & jwk.keys():
        raise ProofError(
            "The proof's header must carry the public key as jwk, and no private part."
        )
    key = jws.verifying_key(header, jwk, algorithms=ALGORITHMS)
    return ProofKey(key=key, jkt=thumbprint(jwk))


def _check_target(claims: Mapping[str, Any], method: str, url: str) -> None:
    if claims.get("htm") != method:
        raise ProofError("htm is not this request's method.")
    htu = claims.get("htu")
    named = target_of(htu) if isinstance(htu, str) else None
    if named is None or named != target_of(url):
        raise ProofError("htu is not this request's address.")


def _check_identity(claims: Mapping[str, Any], now: datetime) -> str:
    jti, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_LENGTH:
        raise ProofError("jti is missing.")
    moment = now.timestamp()
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise ProofError("iat is missing.")
    if not moment - WINDOW_SECONDS - SKEW_SECONDS <= issued <= moment + SKEW_SECONDS:
        raise ProofError("iat is not now; check the clock.")
    if _time(claims, "nbf", moment) > moment + SKEW_SECONDS:
        raise ProofError("nbf does not allow this proof yet.")
    if _time(claims, "exp", moment) < moment - SKEW_SECONDS:
        raise ProofError("exp does not allow this proof any more.")
    return jti


def _time(claims: Mapping[str, Any], name: str, otherwise: float) -> float:
    """An optional time of a proof, in seconds since 1970."""
    value = claims.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProofError(f"{name} is not a time.")
    return value


def _check_token_hash(claims: Mapping[str, Any], token: str) -> None:
    ath = claims.get("ath")
    expected = base64url(hashlib.sha256(token.encode()).digest())
    if not isinstance(ath, str) or not hmac.compare_digest(ath.encode(), expected.encode()):
        raise ProofError("ath is not this access token's digest.")
