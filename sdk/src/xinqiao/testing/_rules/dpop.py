"""DPoP proofs at the fake gateway (RFC 9449): checked in the gateway's order, with nonces of time slots."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import jwt

from . import lifetimes

_SLOT: Final = lifetimes.NONCE_SLOT.total_seconds()
_SKEW: Final = lifetimes.SKEW.total_seconds()
_WINDOW: Final = lifetimes.PROOF.total_seconds()


class OAuthRefusal(Exception):
    """An OAuth error to answer with."""

    def __init__(self, code: str, detail: str | None = None, status: int = 400) -> None:
        """Carry the code of RFC 6749 or RFC 9449, and the sentence where the code has none of its own."""
        super().__init__(code)
        self.code, self.detail, self.status = code, detail, status


@dataclass(slots=True, kw_only=True)
class FakeProofs:
    """Nonces given and proofs seen."""

    nonces: dict[int, str] = field(default_factory=dict)
    """By time slot."""
    seen: set[str] = field(default_factory=set)

    def nonce(self, now: float) -> str:
        """The nonce of the current slot."""
        return self.nonces.setdefault(int(now // _SLOT), secrets.token_urlsafe(16))

    def verify(self, request: httpx2.Request, *, now: float, token: str | None = None) -> str:
        """Check the request's proof (section 4.3) and return the thumbprint of its key."""
        claims, jwk = _verified(request.headers.get_list("dpop"))
        if claims.get("htm") != request.method:
            raise _wrong("htm is not this request's method.")
        if claims.get("htu") != str(request.url.copy_with(query=None, fragment=None)):
            raise _wrong("htu is not this request's address.")
        jti, issued = claims.get("jti"), claims.get("iat")
        if not isinstance(jti, str) or not jti:
            raise _wrong("jti is missing.")
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise _wrong("iat is missing.")
        if not now - _WINDOW - _SKEW <= issued <= now + _SKEW:
            raise _wrong("iat is not now; check the clock.")
        if token is not None and claims.get("ath") != digest_text(token):
            raise _wrong("ath is not this access token's digest.")
        slot = int(now // _SLOT)
        if claims.get("nonce") not in {self.nonces.get(slot, ""), self.nonces.get(slot - 1, "")}:
            raise OAuthRefusal("use_dpop_nonce")
        if jti in self.seen:
            raise _wrong("This proof was used before; make a new one for each request.")
        self.seen.add(jti)
        return _thumbprint(jwk)


def _verified(proofs: list[str]) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    if len(proofs) != 1:
        raise _wrong("Send exactly one DPoP header.")
    [proof] = proofs
    try:
        header = jwt.get_unverified_header(proof)
        jwk = header.get("jwk")
        if header.get("typ") != "dpop+jwt":
            raise _wrong("The proof's typ must be dpop+jwt.")
        if not isinstance(jwk, dict) or "d" in jwk:
            raise _wrong(
                "The proof's header must carry the public key as jwk, and no private part."
            )
        key = jwt.PyJWK(jwk, algorithm="ES256").key
        return jwt.decode(proof, key, algorithms=["ES256"], options=_BY_HAND), jwk
    except jwt.PyJWTError:
        raise _wrong("The proof is not a JWT that this key has signed.") from None


#: Times are judged by the gateway's clock, not by PyJWT's.
_BY_HAND: Final[Any] = {"verify_iat": False, "verify_exp": False, "verify_nbf": False}


def _wrong(detail: str) -> OAuthRefusal:
    return OAuthRefusal("invalid_dpop_proof", detail)


def digest_text(text: str) -> str:
    """SHA-256 of a text, as base64url."""
    raw = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _thumbprint(jwk: Mapping[str, str]) -> str:
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return digest_text(json.dumps(members, separators=(",", ":"), sort_keys=True))
