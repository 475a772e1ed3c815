"""Client authentication by assertion: private_key_jwt (RFC 7523) as FAPI 2.0 narrows it.

Each assertion is accepted once. An unknown client and a wrong signature give the same error after the
same work: stand-in keys take the place of keys that the client does not have.
"""

import secrets
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.clients.authentication_method import PRIVATE_KEY_JWT
from gateway.clients.public_keys import MOST_KEYS, RSA_BITS
from gateway.clients.registration import CLIENT_ID
from gateway.clients.registry import Client
from gateway.identity.provider_client_auth import ASSERTION_TYPE
from gateway.oauth.errors import explained_invalid_client, invalid_client, used_before
from gateway.oauth.unit_of_work import Assertion, UnitOfWork
from gateway.signing import jws
from gateway.signing.jwk import Jwk, public_jwk
from gateway.signing.jws import ALGORITHM_OF_KEY, CompactJwt, JwsError, VerifiedClaims

# Media types, so in any case and with or without `application/` (RFC 7515 §4.1.9).
TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
ALGORITHMS: Final = jws.FAPI_ALGORITHMS
SKEW_SECONDS: Final = 10
LONGEST_LIFE_SECONDS: Final = 5 * 60
LONGEST_JTI: Final = 256

Claims = Mapping[str, Any]


def authenticate_by_assertion(
    parameters: Mapping[str, str], *, unit_of_work: UnitOfWork, issuer: str, now: datetime
) -> Client:
    """The client that signed the assertion in `parameters`; raises `invalid_client`."""
    # 1. there is one assertion, of an algorithm and with a header that are accepted
    assertion = _parsed(_assertion_in(parameters))
    # 2. the client that it claims to be from
    claimed = _claimed_client(assertion)
    client = unit_of_work.client(claimed) if CLIENT_ID.fullmatch(claimed) else None
    # 3. it was signed by that client
    claims = _verified(assertion, client)
    if client is None or claims is None:
        raise invalid_client("unknown client or wrong signature")
    # 4. for this server, now, in its own name
    _check_claims(claims, claimed, issuer=issuer, now=now)
    if parameters.get("client_id", claimed) != claimed:
        raise invalid_client("client_id is another's", "client_id is not the assertion's client.")
    # 5. the client is not suspended
    if not client.active:
        raise invalid_client("suspended", "This client is suspended; ask the operator.")
    # 6. and it was never used: last, so that a failure above spends nothing
    _spend(unit_of_work, claimed, claims)
    return client


def _check_claims(claims: VerifiedClaims, client_id: str, *, issuer: str, now: datetime) -> None:
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise explained_invalid_client("iss and sub must both be the client_id.")
    if claims.get("aud") != issuer:
        raise explained_invalid_client("aud must be the issuer, as one string.")
    moment = now.timestamp()
    expires = _time(claims, "exp")
    if expires is None or expires < moment - SKEW_SECONDS:
        raise explained_invalid_client("exp is missing or past.")
    if expires > moment + LONGEST_LIFE_SECONDS:
        raise explained_invalid_client("exp is more than 5 minutes ahead.")
    for name in ("iat", "nbf"):
        begins = _time(claims, name)
        if begins is not None and begins > moment + SKEW_SECONDS:
            raise explained_invalid_client(f"{name} is in the future; check the clock.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or "\0" in jti:
        raise explained_invalid_client(f"jti is missing, or longer than {LONGEST_JTI} characters.")


def _spend(unit_of_work: UnitOfWork, client_id: str, claims: VerifiedClaims) -> None:
    """Spend the `jti`; the primary key lets one of many concurrent uses through."""
    forgotten = datetime.fromtimestamp(claims["exp"] + SKEW_SECONDS + 1, UTC)
    assertion = Assertion(client_id=client_id, jti=claims["jti"], forgotten_at=forgotten)
    if not unit_of_work.spend(assertion):
        raise used_before()


def _assertion_in(parameters: Mapping[str, str]) -> str:
    if "client_secret" in parameters:
        raise explained_invalid_client("There are no client secrets here; use private_key_jwt.")
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise explained_invalid_client(
            f"Authenticate with a client_assertion of the type {ASSERTION_TYPE}."
        )
    assertion = parameters.get("client_assertion")
    if assertion is None:
        raise explained_invalid_client("client_assertion is missing.")
    return assertion


def _parsed(assertion: str) -> CompactJwt:
    try:
        compact = jws.parse_compact(assertion)
    except JwsError as error:
        raise explained_invalid_client(str(error)) from None
    if "jwk" in compact.header:
        raise explained_invalid_client("The assertion must not bring its own key.")
    if "typ" in compact.header and not _is_assertion_type(compact.header["typ"]):
        raise explained_invalid_client("typ is JWT or client-authentication+jwt, or is left out.")
    if compact.header.get("alg") not in ALGORITHMS:
        raise explained_invalid_client("The algorithms here are ES256, PS256 and EdDSA.")
    return compact


def _is_assertion_type(typ: object) -> bool:
    """True for the `typ` of a client assertion."""
    return isinstance(typ, str) and typ.lower().removeprefix("application/") in TYPES


def _claimed_client(assertion: CompactJwt) -> str:
    try:
        claimed = jws.unverified_claims(assertion).get("sub")
    except JwsError as error:
        raise explained_invalid_client(str(error)) from None
    if not isinstance(claimed, str):
        raise explained_invalid_client("sub is missing.")
    return claimed


def _verified(assertion: CompactJwt, client: Client | None) -> VerifiedClaims | None:
    """The claims, if a key of `client` signed them; a failure takes the same number of tries.

    With a `kid` one key is tried, without one as many as a set may have.
    """
    own = _fitting(_keys_of(client), assertion)
    claims = _signed_by_one_of(own, assertion)
    if claims is None:
        tries = 1 if "kid" in assertion.header else MOST_KEYS
        _signed_by_one_of([_stand_in(assertion)] * (tries - len(own)), assertion)
    return claims


def _keys_of(client: Client | None) -> tuple[dict[str, Any], ...]:
    """The client's signing keys; none where it authenticates by certificate."""
    if client is None or client.authentication.token_endpoint_auth_method != PRIVATE_KEY_JWT:
        return ()
    return client.keys


def _signed_by_one_of(keys: Iterable[Jwk], assertion: CompactJwt) -> VerifiedClaims | None:
    for jwk in keys:
        try:
            return jws.verify(assertion, jwk, algorithms=ALGORITHMS)
        except JwsError:
            continue
    return None


def _fitting(keys: Iterable[Jwk], assertion: CompactJwt) -> list[Jwk]:
    """The keys that could have signed, by `alg`, `kid` and length of the signature.

    RFC 8017 §8.1.2: an RSA signature is as long as its key.
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


def _stand_in(assertion: CompactJwt) -> Jwk:
    """A stand-in key of the kind that could have signed: it verifies nothing."""
    if assertion.header["alg"] == "PS256":
        return _rsa_stand_in(_octets_of_signature(assertion))
    return EC_STAND_IN if assertion.header["alg"] == "ES256" else OKP_STAND_IN


@lru_cache(maxsize=len(RSA_BITS) // 8 + 1)
def _rsa_stand_in(octets: int) -> Jwk:
    """A stand-in RSA key for signatures of this length, or of the shortest length allowed."""
    bits = octets * 8 if octets * 8 in RSA_BITS else RSA_BITS[0]
    modulus = secrets.randbits(bits) | 1 << (bits - 1) | 1
    key = rsa.RSAPublicNumbers(65_537, modulus).public_key()
    return public_jwk(key)


def _octets_of(modulus: str) -> int:
    """The length of a modulus without leading zeros."""
    return len(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)).lstrip(b"\0"))


def _octets_of_signature(assertion: CompactJwt) -> int:
    return len(assertion.text.rpartition(".")[2]) * 3 // 4


EC_STAND_IN: Final[Jwk] = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
OKP_STAND_IN: Final[Jwk] = public_jwk(ed25519.Ed25519PrivateKey.generate().public_key())


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise explained_invalid_client(f"{name} must be a number of seconds.")
    return float(value)
