"""The cookie of a sign-in in progress; state, nonce and PKCE verifier are derived from its secret."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple, Self

from gateway.identity.identity_provider import Attempt
from gateway.identity.return_url import HOME, safe_return
from gateway.identity.sessions import on_loopback_http
from gateway.settings import Settings
from gateway.signing.keyed_digests import KeyedDigests

COOKIE: Final = "__Host-xinqiao-sign-in"
LOOPBACK_COOKIE: Final = "xinqiao-sign-in"
LIFETIME_SECONDS: Final = 600


def cookie_name(settings: Settings) -> str:
    """The sign-in cookie's name."""
    return LOOPBACK_COOKIE if on_loopback_http(settings) else COOKIE


class SignIn(NamedTuple):
    """A sign-in in progress: a secret of this browser, and the address to return to."""

    secret: str
    return_to: str

    @classmethod
    def from_cookie(cls, value: str) -> Self:
        """Parse the cookie; the return address is checked again."""
        secret, _, address = value.partition(".")
        try:
            wanted = urlsafe_b64decode(address.encode()).decode()
        except ValueError:
            wanted = HOME
        return cls(secret, safe_return(wanted))

    def as_cookie(self) -> str:
        """The cookie's value."""
        return f"{self.secret}.{urlsafe_b64encode(self.return_to.encode()).decode()}"

    def attempt(self, digests: KeyedDigests) -> Attempt:
        """The values that bind the provider's answer to this sign-in."""
        return Attempt(
            state=self._digest(digests, "state"),
            nonce=self._digest(digests, "nonce"),
            verifier=self._digest(digests, "verifier"),
        )

    def _digest(self, digests: KeyedDigests, kind: str) -> str:
        return digests.of("csrf", f"sign-in {kind} {self.secret}").hex()
