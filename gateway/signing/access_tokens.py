"""Access token verification (RFC 9068), with a cache by the SHA-256 of the token.

The cache holds only that this key signed these claims. The key's dates are checked each time;
revocation, client and consent are read in each request's own statement.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.signing import jws
from gateway.signing.jws import JwsError
from gateway.signing.keys import KeyRing, SigningKey

TYP = "at+jwt"
MAX_TOKEN_LIFE = timedelta(minutes=10)
CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A verified access token (RFC 9068), bound to a DPoP key, to a certificate, or to both."""

    client_id: str
    jti: str
    scopes: frozenset[str]
    jkt: str | None
    x5t: str | None
    expires_at: int
    agreement_version: int
    consent_id: str | None
    uscc: str | None


class TokenError(Exception):
    """This access token cannot be accepted."""


class TokenVerifier:
    """Verifies the access tokens of one issuer."""

    def __init__(self, keys: KeyRing, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._seen: OrderedDict[bytes, tuple[AccessToken, str]] = OrderedDict()  # and its key's kid

    def verify(self, text: str, now: datetime) -> AccessToken:
        """The verified token; raises `TokenError` if it is not ours or has expired."""
        digest = hashlib.sha256(text.encode()).digest()
        known = digest in self._seen
        token, kid = self._seen.pop(digest) if known else self._verify_anew(text)
        key = self._keys.verifying(kid, "token")
        if key is None or not _in_its_time(key, token.expires_at, now):
            raise TokenError("This access token was not issued here.")
        if now.timestamp() >= token.expires_at:
            raise TokenError("The access token has expired.")
        self._remember(digest, token, kid)
        return token

    def _verify_anew(self, text: str) -> tuple[AccessToken, str]:
        try:
            compact = jws.parse_compact(text)
            key = self._keys.verifying(str(compact.header.get("kid")), "token")
            if key is None or compact.header.get("typ") != TYP:
                raise TokenError("This access token was not issued here.")
            claims = jws.verify(compact, key.public, algorithms=("EdDSA",))
        except JwsError:
            raise TokenError("This access token was not issued here.") from None
        if claims.get("iss") != self._issuer or claims.get("aud") != self._issuer:
            raise TokenError("This access token is not for this server.")
        return _token(dict(claims)), key.kid

    def _remember(self, digest: bytes, token: AccessToken, kid: str) -> None:
        """Put the token last: the least recently used is evicted first."""
        self._seen[digest] = token, kid
        if len(self._seen) > CACHE_SIZE:
            self._seen.popitem(last=False)


def _in_its_time(key: SigningKey, expires_at: int, now: datetime) -> bool:
    """True where the key is valid for a token of this expiry; tokens outlive a retired key by their life."""
    if now < key.not_before:
        return False
    return key.retired_at is None or expires_at <= (key.retired_at + MAX_TOKEN_LIFE).timestamp()


def _token(claims: dict[str, Any]) -> AccessToken:
    confirmed = claims["cnf"]
    if confirmed.keys() - {"jkt", "x5t#S256"} or not confirmed:
        raise TokenError("This access token is bound to nothing that can be shown here.")
    return AccessToken(
        client_id=claims["client_id"],
        jti=claims["jti"],
        scopes=frozenset(claims["scope"].split(" ")),
        jkt=confirmed.get("jkt"),
        x5t=confirmed.get("x5t#S256"),
        expires_at=claims["exp"],
        agreement_version=claims["agreement_version"],
        consent_id=claims.get("consent_id"),
        uscc=claims.get("uscc"),
    )
