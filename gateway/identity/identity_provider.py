"""The interface of identity providers: each gives a signed token for one sign-in.

`openid` signs in at any OpenID provider; the demo has its own (`demo_provider`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.identity.sessions import Identity


class IdentityRefusedError(Exception):
    """The provider's answer was refused: forged, late, used, or of another sign-in.

    The message is one word for the operator's log, without personal data.
    """


class TooWeakError(IdentityRefusedError):
    """The sign-in is weaker, or longer ago, than is required here."""


class IdentityUnavailableError(Exception):
    """The provider cannot be reached, or breaks its standard; sign-in fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The values that bind a sign-in to the browser that began it; the verifier stays here."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


class IdentityProvider(Protocol):
    """Signs people in on its own pages and sends them back to `/portal/sign-in/return`."""

    async def sign_in_url(self, attempt: Attempt, *, now: datetime) -> str:
        """The address to send a browser to; raises `IdentityUnavailableError`."""
        ...

    async def identity_of(
        self, back: Mapping[str, str], attempt: Attempt, *, now: datetime
    ) -> Identity:
        """The identity in the parameters that a browser came back with; each accepted once.

        The caller has checked `state`. Raises `IdentityRefusedError`, `IdentityUnavailableError`.
        """
        ...
