"""Who somebody is, an identity provider says, in a signed token that is good once and for a minute.

Here is the interface. The only provider so far is the demo's (`demo_provider`).
"""

from datetime import datetime
from typing import Protocol

from gateway.identity.sessions import Identity


class IdentityRefusedError(Exception):
    """The ticket proves nothing: forged, late, used, or meant for another sign-in."""


class IdentityProvider(Protocol):
    """Signs people in on its own pages and sends them back with a ticket."""

    def sign_in_url(self, *, state: str, nonce: str) -> str:
        """Where to send a browser; it comes back to `/portal/sign-in/return?ticket=…&state=…`."""
        ...

    def identity_of(self, ticket: str, *, nonce: str, now: datetime) -> Identity:
        """Whom `ticket` proves; raises `IdentityRefusedError`. A ticket is taken once."""
        ...
