"""A client proves itself by a JWT that it signed for this issuer, and by each such JWT once.

private_key_jwt (RFC 7523) as FAPI 2.0 narrows it. An unknown client and a wrong signature are the
same error after the same work: what the client's keys leave over is done with stand-ins.
"""

import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.clients.authentication import PRIVATE_KEY_JWT
from gateway.clients.public_keys import MOST_KEYS, RSA_BITS
from gateway.clients.registration import CLIENT_ID
from gateway.clients.registry import Client
from gateway.oauth.authlib_models import Party
from gateway.oauth.authlib_typing import OAuth2Request
from gateway.oauth.errors import OAuthError, invalid_client, used_before
from gateway.oauth.unit_of_work import Assertion, UnitOfWork
from gateway.signing import jws
from gateway.signing.jws import ALGORITHM_OF_KEY, Compact, JwsError, VerifiedClaims

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Media types, so in any case and with or without `application/` (RFC 7515 §4.1.9).
TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
ALGORITHMS: Final = ("ES256", "PS256", "EdDSA", "Ed25519")
SKEW_SECONDS: Final = 10
LONGEST_LIFE_SECONDS: Final = 5 * 60
LONGEST_JTI: Final = 256

Jwk = Mapping[str, Any]
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAssertion:
    """The client authentication method that Authlib calls; one request's."""

    books: UnitOfWork
    issuer: str
    now: datetime

    def __call__(
        self, query_client: Callable[[str], Party | None], request: OAuth2Request
    ) -> Party:
        """The client that made the assertion in `request`; raises `invalid_client`."""
        parameters = request.payload.data
        # 1. there is one assertion, of an algorithm and with a header that are accepted
        assertion = _assertion_in(parameters)
        compact = _parsed(assertion)
        # 2. whose it says it is
        claimed = _claimed_client(compact)
        party = query_client(claimed) if CLIENT_ID.fullmatch(claimed) else None
        # 3. it was signed by that client
        claims = _verified(compact, party.client if party else None)
        if party is None or claims is None:
            raise invalid_client("unknown client or wrong signature")
        # 4. for this server, now, in its own name
        self._check_claims(claims, claimed)
        if parameters.get("client_id", claimed) != claimed:
            raise invalid_client(
                "client_id is another's", "client_id is not the assertion's client."
            )
        # 5. the client may act at all
        if not party.client.active:
            raise invalid_client("suspended", "This client is suspended; ask the operator.")
        # 6. and the assertion was never used: last, so that what failed above has spent nothing
        self._spend(claimed, claims)
        request.client = party
        return party

    def _check_claims(self, claims: VerifiedClaims, client_id: str) -> None:
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise _unacceptable("iss and sub must both be the client_id.")
        if claims.get("aud") != self.issuer:
            raise _unacceptable("aud must be the issuer, as one string.")
        moment = self.now.timestamp()
        expires = _time(claims, "exp")
        if expires is None or expires < moment - SKEW_SECONDS:
            raise _unacceptable("exp is missing or past.")
        if expires > moment + LONGEST_LIFE_SECONDS:
            raise _unacceptable("exp is more than 5 minutes ahead.")
        for name in ("iat", "nbf"):
            begins = _time(claims, name)
            if begins is not None and begins > moment + SKEW_SECONDS:
                raise _unacceptable(f"{name} is in the future; check the clock.")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or "\0" in jti:
            raise _unacceptable(f"jti is missing, or longer than {LONGEST_JTI} characters.")

    def _spend(self, client_id: str, claims: VerifiedClaims) -> None:
        """Use the `jti` up: of many at once the primary key lets one through."""
        forgotten = datetime.fromtimestamp(claims["exp"] + SKEW_SECONDS + 1, UTC)
        assertion = Assertion(client_id=client_id, jti=claims["jti"], forgotten_at=forgotten)
        if not self.books.spend(assertion):
            raise used_before()


def _assertion_in(parameters: Mapping[str, str]) -> str:
    if "client_secret" in parameters:
        raise _unacceptable("There are no client secrets here; use private_key_jwt.")
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise _unacceptable(f"Authenticate with a client_assertion of the type {ASSERTION_TYPE}.")
    assertion = parameters.get("client_assertion")
    if assertion is None:
        raise _unacceptable("client_assertion is missing.")
    return assertion


def _parsed(assertion: str) -> Compact:
    try:
        compact = jws.parsed(assertion)
    except JwsError as error:
        raise _unacceptable(str(error)) from None
    if "jwk" in compact.header:
        raise _unacceptable("The assertion must not bring its own key.")
    if "typ" in compact.header and not _is_assertion_type(compact.header["typ"]):
        raise _unacceptable("typ is JWT or client-authentication+jwt, or is left out.")
    if compact.header.get("alg") not in ALGORITHMS:
        raise _unacceptable("The algorithms here are ES256, PS256 and EdDSA.")
    return compact


def _is_assertion_type(typ: object) -> bool:
    """Whether a `typ` says that this is a client assertion, and no other kind of JWT."""
    return isinstance(typ, str) and typ.lower().removeprefix("application/") in TYPES


def _claimed_client(assertion: Compact) -> str:
    try:
        claimed = jws.unverified_claims(assertion).get("sub")
    except JwsError as error:
        raise _unacceptable(str(error)) from None
    if not isinstance(claimed, str):
        raise _unacceptable("sub is missing.")
    return claimed


def _verified(assertion: Compact, client: Client | None) -> VerifiedClaims | None:
    """The claims, if a key of `client` signed them; if none did, always after as many tries.

    One key alone can have the `kid` that is named; without one every key of a set is tried.
    """
    own = _fitting(_keys_of(client), assertion)
    claims = _signed_by_one_of(own, assertion)
    if claims is None:
        tries = 1 if "kid" in assertion.header else MOST_KEYS
        _signed_by_one_of([_stand_in(assertion)] * (tries - len(own)), assertion)
    return claims


def _keys_of(client: Client | None) -> tuple[dict[str, Any], ...]:
    """The keys that sign for a client: none where it is registered to authenticate otherwise."""
    if client is None or client.authentication.token_endpoint_auth_method != PRIVATE_KEY_JWT:
        return ()
    return client.keys


def _signed_by_one_of(keys: Iterable[Jwk], assertion: Compact) -> VerifiedClaims | None:
    for jwk in keys:
        try:
            return jws.verify(assertion, jwk, algorithms=ALGORITHMS)
        except JwsError:
            continue
    return None


def _fitting(keys: Iterable[Jwk], assertion: Compact) -> list[Jwk]:
    """The keys that could have signed: of the `alg`, the `kid` if one is named, and the length.

    RFC 8017 §8.1.2: an RSA signature is as long as its key, or verified by nothing.
    """
    alg, kid = assertion.header["alg"], assertion.header.get("kid")
    return [
        jwk
        for jwk in keys
        if alg in ALGORITHM_OF_KEY.get((str(jwk.get("kty")), jwk.get("crv")), ())
        and (kid is None or jwk.get("kid") == kid)
        and jwk.get("use", "sig") == "sig"
        and (jwk["kty"] != "RSA" or _octets_of(jwk["n"]) == _octets_of_signature(assertion))
    ]


def _stand_in(assertion: Compact) -> Jwk:
    """A key to spend time with, of the kind that could have signed: it verifies nothing."""
    if assertion.header["alg"] == "PS256":
        return _rsa_stand_in(_octets_of_signature(assertion))
    return EC_STAND_IN if assertion.header["alg"] == "ES256" else OKP_STAND_IN


@lru_cache(maxsize=len(RSA_BITS) // 8 + 1)
def _rsa_stand_in(octets: int) -> Jwk:
    """An RSA key for signatures of this length, where a key could have it; else of the shortest."""
    bits = octets * 8 if octets * 8 in RSA_BITS else RSA_BITS[0]
    modulus = secrets.randbits(bits) | 1 << (bits - 1) | 1
    key = rsa.RSAPublicNumbers(65_537, modulus).public_key()
    return dict(RSAKey.import_key(key).as_dict(private=False))


def _octets_of(modulus: str) -> int:
    """How long a modulus is; some write zeros before it."""
    return len(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)).lstrip(b"\0"))


def _octets_of_signature(assertion: Compact) -> int:
    return len(assertion.text.rpartition(".")[2]) * 3 // 4


EC_STAND_IN: Final[Jwk] = dict(
    ECKey.import_key(ec.generate_private_key(ec.SECP256R1()).public_key()).as_dict(private=False)
)
OKP_STAND_IN: Final[Jwk] = dict(OKPKey.generate_key("Ed25519").as_dict(private=False))


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unacceptable(f"{name} must be a number of seconds.")
    return float(value)


def _unacceptable(description: str) -> OAuthError:
    return invalid_client(description, description)
