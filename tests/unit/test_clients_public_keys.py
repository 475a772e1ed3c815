"""Registration of client keys: accepted keys verify, weak and malformed ones are refused."""

import base64
from functools import partial
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from gateway.clients.public_keys import problem_with_keys
from gateway.clients.registration import RegistrationError, check_keys
from gateway.signing import jws
from tests.client_builders import make_ec_key
from tests.oauth_builders import public_jwk, sign_jwt
from tests.rsa_keys import rsa_key

P = 2**255 - 19
# y of the points of order 8, as libsodium lists them (ge25519_has_small_order).
EIGHTH = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
OTHER_EIGHTH = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
SMALL = [
    *(y.to_bytes(32, "little") for y in (0, 1, P - 1, P, P + 1)),
    bytes.fromhex(EIGHTH),
    bytes.fromhex(OTHER_EIGHTH),
]


def ec(**more: Any) -> dict[str, Any]:
    """A P-256 key; a member of `None` is left out."""
    return public_jwk(make_ec_key(), kid="k1") | more


def of_rsa(bits: int, exponent: int = 65_537) -> dict[str, Any]:
    """An RSA public key without a private key, with the usual exponent unless changed."""
    modulus = (1 << (bits - 1)) | (1 << 7) | 1
    return public_jwk_of(rsa.RSAPublicNumbers(exponent, modulus))


def public_jwk_of(numbers: rsa.RSAPublicNumbers) -> dict[str, Any]:
    """The key as a JWK."""
    parts = {"n": numbers.n, "e": numbers.e}
    octets = {name: n.to_bytes((n.bit_length() + 7) // 8, "big") for name, n in parts.items()}
    return {"kty": "RSA", **{name: encoded(each) for name, each in octets.items()}}


def of_point(point: bytes) -> dict[str, Any]:
    """An Ed25519 key of this point."""
    return {"kty": "OKP", "crv": "Ed25519", "x": encoded(point)}


def encoded(octets: bytes) -> str:
    """Base64url."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


@pytest.mark.parametrize(
    ("jwk", "sentence"),
    [
        (ec(use="enc"), "use is sig"),
        (ec(alg="RS256"), "alg is ES256, PS256 or EdDSA"),
        (ec(alg="PS256"), "alg is ES256, PS256 or EdDSA"),
        (ec(alg="none"), "alg is ES256, PS256 or EdDSA"),
        (of_rsa(2_048) | {"alg": "RS256"}, "alg is ES256, PS256 or EdDSA"),
        (ec(key_ops=["sign"]), "key_ops have verify"),
        (ec(key_ops=[]), "key_ops have verify"),
        (ec(key_ops="verify"), "key_ops have verify"),
        (of_rsa(1_024), "2048 to 4096"),
        (of_rsa(2_047), "2048 to 4096"),
        (of_rsa(4_104), "2048 to 4096"),
        (of_rsa(8_192), "2048 to 4096"),
        (of_rsa(2_048, exponent=2**40 + 1), "exponent"),
        (ec(d="AAAA"), "public keys only"),
        ({"kty": "oct", "k": "AAAA"}, "public keys only"),
        ({"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA"}, "EC P-256"),
        (ec(crv=["P-256"]), "texts"),
        (ec(kid=7), "texts"),
        (ec(kid="a\0"), "U\\+0000"),
        (ec(note={"deep": "a\0"}), "U\\+0000"),
        (ec(note=2**70), "beyond 64 bits"),
        (ec(y="AAAA"), "cannot be read"),
        (ec(y=None), "texts"),
        ("a key", "is a JWK"),
    ],
)
def test_a_key_that_would_never_verify_is_refused(jwk: Any, sentence: str) -> None:
    """With the sentence for this defect, by value or by `jwks_uri`."""
    with pytest.raises(RegistrationError, match=sentence):
        check_keys({"keys": [jwk]})
    with pytest.raises(RegistrationError, match=sentence):
        check_keys({"keys": [ec(kid="good"), jwk]})


def test_a_kid_that_is_nested_deep_is_refused_without_a_fault() -> None:
    """The JSON parser accepts deeper nesting than `str`."""
    fetched = orjson.loads(b'{"kid":' + b"[" * 1_000 + b"]" * 1_000 + b"}")
    with pytest.raises(RegistrationError, match="texts"):
        check_keys({"keys": [ec() | fetched]})


@pytest.mark.parametrize("point", SMALL, ids=bytes.hex)
@pytest.mark.parametrize("sign", [0, 0x80])
def test_a_point_of_small_order_is_no_key(point: bytes, sign: int) -> None:
    """In each encoding: signatures for it can be forged."""
    flipped = point[:31] + bytes([point[31] | sign])
    trouble = problem_with_keys({"keys": [of_point(flipped)]})
    assert trouble is not None
    assert "small order" in trouble


KEYS_THAT_SIGN = [
    ("ES256", make_ec_key),
    ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ("PS256", partial(rsa_key, 2_048)),
    ("PS256", partial(rsa_key, 4_096)),
]
"""One of each kind, and RSA at both ends of its range."""


@pytest.mark.parametrize(("alg", "a_key"), KEYS_THAT_SIGN)
@pytest.mark.parametrize("more", [{}, {"use": "sig", "key_ops": ["verify"]}])
def test_a_registered_key_verifies(alg: str, a_key: Any, more: dict[str, Any]) -> None:
    """Registration and verification accept the same keys."""
    key = a_key()
    jwk = public_jwk(key) | {"kid": "k1", "alg": alg} | more
    check_keys({"keys": [jwk]})
    assert jws.verify(sign_jwt(key, alg, {"a": 1}, {}), jwk, algorithms=[alg]) == {"a": 1}
