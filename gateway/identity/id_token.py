"""ID token validation: the list of checks on the claims (OpenID Connect Core 3.1.3.7). Pure.

The signature is verified before.
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
    """The claims that are required. `acr` empty: any strength; `max_age` in seconds."""

    issuer: str
    client_id: str
    claim: str
    acr: frozenset[str] = frozenset()
    max_age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenClaims:
    """The claims of one token, with the nonce of the sign-in and the time."""

    claims: Mapping[str, Any]
    expected: ExpectedClaims
    nonce: str
    now: float

    def number(self, name: str) -> float | None:
        """A time claim in seconds; `None` if absent or no number."""
        value = self.claims.get(name)
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def issuer(token: IdTokenClaims) -> bool:
    """`iss` is the provider, character by character."""
    return token.claims.get("iss") == token.expected.issuer


def audience(token: IdTokenClaims) -> bool:
    """`aud` is this gateway only; `azp`, if present, is this gateway too."""
    own = token.expected.client_id
    return token.claims.get("aud") in (own, [own]) and token.claims.get("azp", own) == own


def in_time(token: IdTokenClaims) -> bool:
    """Not expired, just issued, and not used before `nbf`."""
    expires, made = token.number("exp"), token.number("iat")
    if expires is None or made is None or ("nbf" in token.claims and token.number("nbf") is None):
        return False
    latest = token.now + SKEW_SECONDS
    return (
        token.now - SKEW_SECONDS < expires
        and token.now - OLDEST_SECONDS < made <= latest
        and (token.number("nbf") or 0) <= latest
    )


def nonce(token: IdTokenClaims) -> bool:
    """`nonce` is that of this browser's sign-in."""
    found = token.claims.get("nonce")
    return isinstance(found, str) and hmac.compare_digest(found.encode(), token.nonce.encode())


def subject(token: IdTokenClaims) -> bool:
    """`sub` is a printable text of at most 255 characters."""
    found = token.claims.get("sub")
    return isinstance(found, str) and 0 < len(found) <= LONGEST_SUBJECT and found.isprintable()


def strength(token: IdTokenClaims) -> bool:
    """`acr` is one of the required values."""
    return not token.expected.acr or token.claims.get("acr") in tuple(token.expected.acr)


def recency(token: IdTokenClaims) -> bool:
    """`auth_time` is within `max_age`: the person signed in, not only the provider's cookie."""
    longest, since = token.expected.max_age, token.number("auth_time")
    return longest is None or (
        since is not None
        and token.now - longest - SKEW_SECONDS <= since <= token.now + SKEW_SECONDS
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
    """The identity in the claims of a verified token; raises `IdentityRefusedError`."""
    asserted = IdTokenClaims(claims=claims, expected=expected, nonce=nonce, now=now.timestamp())
    for check in CHECKS:
        if not check(asserted):
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
    """The mandates in the claim, `[{"uscc", "role"}…]`; none where it is absent.

    A claim of another shape refuses the sign-in.
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
