"""Signed sign-in tickets of the demo provider, valid once and for a minute."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.identity.demo_accounts import DemoPerson
from gateway.identity.identity_provider import IdentityRefusedError
from gateway.identity.sessions import Identity, Mandate
from gateway.signing import jws
from gateway.signing.jwk import public_jwk
from gateway.signing.keys import SigningKey

TICKET_LIFETIME: Final = timedelta(seconds=60)
TYPE: Final = "xinqiao-demo-identity+jwt"


class Tickets:
    """Issues tickets and redeems them."""

    def __init__(self, *, issuer: str, audience: str, now: datetime) -> None:
        self._issuer = issuer
        self._audience = audience
        self._key = _fresh_key(now)
        self._taken: dict[str, datetime] = {}

    def issue(self, person: DemoPerson, *, nonce: str, now: datetime) -> str:
        """A ticket for `person`, bound to the sign-in that made `nonce`."""
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": f"demo:{person.username}",
            "name": person.name,
            "enterprises": list(person.enterprises),
            "nonce": nonce,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int((now + TICKET_LIFETIME).timestamp()),
        }
        return jws.sign(claims, typ=TYPE, key=self._key)

    def take(self, ticket: str, *, nonce: str, now: datetime) -> Identity:
        """Redeem a ticket, once; raises `IdentityRefusedError`."""
        claims = self._verified(ticket)
        expires = datetime.fromtimestamp(claims["exp"], tz=now.tzinfo)
        fits = (
            claims["iss"] == self._issuer
            and claims["aud"] == self._audience
            and secrets.compare_digest(str(claims["nonce"]).encode(), nonce.encode())
            and now < expires
        )
        if not fits or not self._take_once(claims["jti"], expires, now):
            raise IdentityRefusedError
        return Identity(
            subject=claims["sub"],
            name=claims["name"],
            mandates=[Mandate(uscc=m["uscc"], role=m["role"]) for m in claims["enterprises"]],
            token_digest=hashlib.sha256(ticket.encode()).digest(),
        )

    def _verified(self, ticket: str) -> jws.VerifiedClaims:
        try:
            if jws.header(ticket).get("typ") != TYPE:
                raise IdentityRefusedError
            return jws.verify(ticket, self._key.public, algorithms=("EdDSA",))
        except jws.JwsError:
            raise IdentityRefusedError from None

    def _take_once(self, jti: str, expires: datetime, now: datetime) -> bool:
        self._taken = {each: until for each, until in self._taken.items() if until > now}
        if jti in self._taken:
            return False
        self._taken[jti] = expires
        return True


def _fresh_key(now: datetime) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    return SigningKey(
        kid="demo-identity",
        use="token",
        not_before=now,
        retired_at=None,
        public=public_jwk(private.public_key()),
        private=private,
    )
