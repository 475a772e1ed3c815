"""Validation of a client's public keys at registration, as a list of checks.

A key that the verifier would refuse is refused here: `jwk.read_public_key` and `jws.may_verify` are the
verifier's own. The checks before them give better sentences.
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from gateway import strict_json
from gateway.clients.certificates import x5c_fits
from gateway.signing.jwk import Jwk, read_public_key
from gateway.signing.jws import ALGORITHM_OF_KEY, may_verify

MOST_KEYS: Final = 8
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
TEXT_MEMBERS: Final = (
    *("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"),
    *("x5u", "x5t", "x5t#S256"),
)
SIGNING_OPERATIONS: Final = frozenset({"sign", "verify"})
OPERATIONS: Final = SIGNING_OPERATIONS | {
    *("encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits")
}
RSA_BITS: Final = range(2_048, 4_097)
_P: Final = 2**255 - 19  # the field of Curve25519, and the d of its Edwards form (RFC 8032 §5.1)
_D: Final = -121665 * pow(121666, -1, _P) % _P


def problem_with_keys(jwks: Mapping[str, Any]) -> str | None:
    """Why a JWK set is not accepted, in a sentence; `None` if it is."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MOST_KEYS:
        return f"A JWK set has 1 to {MOST_KEYS} keys."
    problem = next((found for jwk in keys if (found := _problem_with(jwk))), None)
    if problem is not None:
        return problem
    kids = [jwk["kid"] for jwk in keys if "kid" in jwk]
    if len(kids) != len(set(kids)):
        return "No two keys of a set have the same kid."
    return None


def _problem_with(jwk: Any) -> str | None:  # a member of "keys": any JSON
    if not isinstance(jwk, dict):
        return "A key is a JWK."
    return next((sentence for holds, sentence in CHECKS if not holds(jwk)), None)


def _public_only(jwk: Jwk) -> bool:
    return not PRIVATE_MEMBERS & jwk.keys()


def _texts(jwk: Jwk) -> bool:
    return all(isinstance(jwk.get(name, ""), str) for name in TEXT_MEMBERS)


def _storable(jwk: Jwk) -> bool:
    """True if the whole key, unknown members too, can be stored."""
    try:
        return not strict_json.holds_nul(orjson.dumps(jwk))
    except TypeError:  # a whole number beyond 64 bits, a lone surrogate
        return False


def _of_a_type(jwk: Jwk) -> bool:
    return (jwk.get("kty"), jwk.get("crv")) in ALGORITHM_OF_KEY


def _for_signatures(jwk: Jwk) -> bool:
    return bool(jwk.get("use", "sig") == "sig")


def _to_verify(jwk: Jwk) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    allowed = SIGNING_OPERATIONS if "use" in jwk else OPERATIONS
    return (
        isinstance(operations, list)
        and "verify" in operations
        and all(isinstance(each, str) and each in allowed for each in operations)
    )


def _of_its_algorithm(jwk: Jwk) -> bool:
    fitting = ALGORITHM_OF_KEY[jwk["kty"], jwk.get("crv")]
    return jwk.get("alg", fitting[0]) in fitting


def _readable(jwk: Jwk) -> bool:
    try:
        read_public_key(jwk)
    except ValueError:
        return False
    return True


def _of_a_safe_size(jwk: Jwk) -> bool:
    return jwk["kty"] != "RSA" or _number(jwk.get("n", ""), "big").bit_length() in RSA_BITS


def _of_full_order(jwk: Jwk) -> bool:
    """True if an Ed25519 point is none of the eight of small order, for which signatures are forged.

    In affine coordinates these are y = 1, -1 and 0, and those whose double has y = 0: there
    y² = -x², which in the curve's equation gives d·y⁴ + 2y² = 1.
    """
    if jwk["kty"] != "OKP":
        return True
    y = _number(jwk["x"], "little") & (2**255 - 1)
    doubles_to_order_four = (_D * pow(y, 4, _P) + 2 * y * y - 1) % _P == 0
    return y < _P and y not in {0, 1, _P - 1} and not doubles_to_order_four


def _verifies(jwk: Jwk) -> bool:
    return may_verify(jwk, ALGORITHM_OF_KEY[jwk["kty"], jwk.get("crv")][0])


def _number(text: str, order: Any) -> int:  # "big" or "little"
    """The number in base64url; 0 where it is none."""
    try:
        return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), order)
    except ValueError:
        return 0


CHECKS: Final[tuple[tuple[Callable[[Jwk], bool], str], ...]] = (
    (_public_only, "Give public keys only; a private one stays with its owner."),
    (_texts, "A key's members are texts."),
    (_storable, "A key cannot be kept: a member has U+0000, or a number beyond 64 bits."),
    (_of_a_type, "Keys are EC P-256 (ES256), RSA (PS256) or OKP Ed25519 (EdDSA)."),
    (_for_signatures, "A key's use is sig, or is left out."),
    (_to_verify, "A key's key_ops have verify among them, or are left out."),
    (_of_its_algorithm, "A key's alg is ES256, PS256 or EdDSA, as its type is, or is left out."),
    (_of_a_safe_size, "RSA has 2048 to 4096 bits."),
    (_readable, "A key cannot be read: its members are not those of its type."),
    (x5c_fits, "x5c has 1 to 8 certificates, base64 of their DER, the first of them this key's."),
    (_of_full_order, "This Ed25519 point is of small order: anybody could sign with it."),
    (_verifies, "A key would verify nothing here: its RSA exponent is longer than 32 bits."),
)
