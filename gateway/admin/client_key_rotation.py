"""Key rotation statement: new keys of a client, in a JWT signed by a key it has now.

So an operator's credential alone cannot replace a client's keys over HTTP. For a client that has lost
its keys the operator replaces them at the shell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.clients.registration import RegistrationError
from gateway.signing import jws
from gateway.signing.jws import ALGORITHM_OF_KEY, JwsError, VerifiedClaims

TYP: Final = "xinqiao-rotation+jwt"
CLAIMS: Final = frozenset({"iss", "sub", "aud", "iat", "exp", "jwks", "jwks_uri"})
LONGEST_LIFE_SECONDS: Final = 5 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A client's new keys, by value or by address."""

    jwks: Mapping[str, Any] | None
    jwks_uri: str | None


def read_rotation(
    statement: str, *, client_id: str, keys: Iterable[Mapping[str, Any]], issuer: str, now: datetime
) -> Rotation:
    """The rotation in a statement signed by one of `keys`; raises `RegistrationError`.

    A JWT of the type `xinqiao-rotation+jwt`: iss and sub the client_id, aud the issuer, exp at most
    five minutes ahead, and either jwks or jwks_uri.
    """
    claims = _verified(statement, keys)
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise RegistrationError("iss and sub of the statement must both be the client_id.")
    if claims.get("aud") != issuer or claims.keys() - CLAIMS:
        raise RegistrationError("The statement is for another server, or says more than it may.")
    expires = claims.get("exp")
    left = expires - now.timestamp() if isinstance(expires, int) else -1
    if not 0 < left <= LONGEST_LIFE_SECONDS:
        raise RegistrationError("exp of the statement is missing, past, or over 5 minutes ahead.")
    jwks, uri = claims.get("jwks"), claims.get("jwks_uri")
    if not isinstance(jwks, dict | None) or not isinstance(uri, str | None):
        raise RegistrationError("jwks is a JWK set; jwks_uri is an address.")
    return Rotation(jwks=jwks, jwks_uri=uri)


def _verified(statement: str, keys: Iterable[Mapping[str, Any]]) -> VerifiedClaims:
    try:
        header = jws.header(statement)
    except JwsError as error:
        raise RegistrationError(str(error)) from None
    if header.get("typ") != TYP or "jwk" in header:
        raise RegistrationError(f"The statement is a JWT of the type {TYP}, without a key in it.")
    for jwk in keys:
        algorithms = ALGORITHM_OF_KEY.get((str(jwk.get("kty")), jwk.get("crv")), ())
        try:
            return jws.verify(statement, jwk, algorithms=algorithms)
        except JwsError:
            continue
    raise RegistrationError("No key that the client has now made this signature.")
