"""Who somebody is, an identity provider says, in a signed token that is good for one sign-in.

Here is the interface. `openid` signs in at any OpenID provider; the demo has its own
(`demo_provider`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.identity.sessions import Identity


class IdentityRefusedError(Exception):
    """What came back proves nothing: forged, late, used, or meant for another sign-in.

    The message is one word for the operator's log; it names nobody.
    """


class TooWeakError(IdentityRefusedError):
    """The person is known, and has not signed in as strongly, or as lately, as is asked here."""


class IdentityUnavailableError(Exception):
    """The provider cannot be reached, or does not do what its standard says. Nobody signs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What binds a sign-in to the browser that began it. The verifier never leaves the server."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


class IdentityProvider(Protocol):
    """Signs people in on its own pages and sends them back to `/portal/sign-in/return`."""

    async def sign_in_url(self, attempt: Attempt, *, now: datetime) -> str:
        """Where to send a browser; raises `IdentityUnavailableError`."""
        ...

    async def identity_of(
        self, back: Mapping[str, str], attempt: Attempt, *, now: datetime
    ) -> Identity:
        """Whom the parameters prove that a browser came back with. Nothing is taken twice.

        The caller has checked `state`. Raises `IdentityRefusedError`, `IdentityUnavailableError`.
        """
        ...
