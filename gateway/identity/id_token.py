"""An ID token counts if every check of one visible list passes (OpenID Connect Core 3.1.3.7). Pure.

The signature is verified before; what is here are the claims of a token that the provider signed.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.identity.identity_provider import IdentityRefusedError, TooWeakError
from gateway.identity.sessions import Identity, Mandate
from gateway.signing.jws import VerifiedClaims

SKEW_SECONDS: Final = 10  # between the provider's clock and ours
OLDEST_SECONDS: Final = 300  # a code is redeemed at once, so its token is fresh
LONGEST_SUBJECT: Final = 255  # OpenID Connect Core 2
LONGEST_NAME: Final = 200
MOST_MANDATES: Final = 500
_USCC: Final = re.compile(r"[0-9A-Z]{18}", re.ASCII)
_ROLE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedClaims:
    """What a token must say here. `acr` empty: any strength; `max_age` in seconds."""

    issuer: str
    client_id: str
    claim: str
    acr: frozenset[str] = frozenset()
    max_age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenClaims:
    """The claims of one token, beside the sign-in that asked for it."""

    claims: Mapping[str, Any]
    expected: ExpectedClaims
    nonce: str
    now: float

    def number(self, name: str) -> float | None:
        """A claim that is a time, in seconds; `None` if it is not there or is none."""
        value = self.claims.get(name)
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def issuer(given: IdTokenClaims) -> bool:
    """`iss` is the provider, letter by letter."""
    return given.claims.get("iss") == given.expected.issuer


def audience(given: IdTokenClaims) -> bool:
    """`aud` is this gateway and nobody beside it; `azp`, if there, is this gateway too."""
    own = given.expected.client_id
    return given.claims.get("aud") in (own, [own]) and given.claims.get("azp", own) == own


def in_time(given: IdTokenClaims) -> bool:
    """Not expired, made a moment ago, and not before its time."""
    expires, made = given.number("exp"), given.number("iat")
    if expires is None or made is None or ("nbf" in given.claims and given.number("nbf") is None):
        return False
    latest = given.now + SKEW_SECONDS
    return (
        given.now - SKEW_SECONDS < expires
        and given.now - OLDEST_SECONDS < made <= latest
        and (given.number("nbf") or 0) <= latest
    )


def nonce(given: IdTokenClaims) -> bool:
    """It was made for this very sign-in of this very browser."""
    found = given.claims.get("nonce")
    return isinstance(found, str) and hmac.compare_digest(found.encode(), given.nonce.encode())


def subject(given: IdTokenClaims) -> bool:
    """Somebody is named."""
    found = given.claims.get("sub")
    return isinstance(found, str) and 0 < len(found) <= LONGEST_SUBJECT and found.isprintable()


def strength(given: IdTokenClaims) -> bool:
    """`acr` is one of those that are asked."""
    return not given.expected.acr or given.claims.get("acr") in tuple(given.expected.acr)


def recency(given: IdTokenClaims) -> bool:
    """The person signed in, not only the provider's cookie, within `max_age`."""
    longest, since = given.expected.max_age, given.number("auth_time")
    return longest is None or (
        since is not None
        and given.now - longest - SKEW_SECONDS <= since <= given.now + SKEW_SECONDS
    )


CHECKS: Final[tuple[Callable[[IdTokenClaims], bool], ...]] = (
    issuer,
    audience,
    in_time,
    nonce,
    subject,
    strength,
    recency,
)
WEAKNESSES: Final = frozenset({strength, recency})


def identity_of(
    token: str,
    claims: VerifiedClaims,
    expected: ExpectedClaims,
    *,
    nonce: str,
    now: datetime,
) -> Identity:
    """Whom a token with a good signature proves; raises `IdentityRefusedError`."""
    given = IdTokenClaims(claims=claims, expected=expected, nonce=nonce, now=now.timestamp())
    for check in CHECKS:
        if not check(given):
            kind = TooWeakError if check in WEAKNESSES else IdentityRefusedError
            raise kind(check.__name__)
    name = claims.get("name")
    return Identity(
        subject=f"{expected.issuer}#{claims['sub']}",
        name=(name if isinstance(name, str) and name else str(claims["sub"]))[:LONGEST_NAME],
        mandates=mandates_of(claims.get(expected.claim)),
        token_digest=hashlib.sha256(token.encode()).digest(),
    )


def mandates_of(found: object) -> list[Mandate]:
    """For whom the claim lets a person act: `[{"uscc", "role"}…]`; nobody where it is not there.

    A claim of another shape is the provider's fault, and nobody signs in on what it might mean.
    """
    if found is None:
        return []
    if not isinstance(found, list) or len(found) > MOST_MANDATES:
        raise IdentityRefusedError("mandates")
    mandates = [_mandate(each) for each in found]
    return list({(mandate["uscc"], mandate["role"]): mandate for mandate in mandates}.values())


def _mandate(entry: object) -> Mandate:
    uscc, role = (entry.get("uscc"), entry.get("role")) if isinstance(entry, dict) else (None, None)
    if not isinstance(uscc, str) or not isinstance(role, str):
        raise IdentityRefusedError("mandates")
    if not _USCC.fullmatch(uscc) or not _ROLE.fullmatch(role):
        raise IdentityRefusedError("mandates")
    return Mandate(uscc=uscc, role=role)
