"""JWS forgeries: known attacks on signature libraries, with keys generated here.

The attacks are those that Wycheproof collects; each begins with a token that is accepted, so that it
is the forgery that is refused and nothing else.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.access.dpop import ProofError, validate_proof
from gateway.oauth.client_assertion import ALGORITHMS
from gateway.signing import jws
from gateway.signing.dpop_nonces import DpopNonces
from gateway.signing.jws import JwsError
from tests.oauth_builders import Key, public_jwk
from tests.rsa_keys import rsa_key

SHA256: Final = hashes.SHA256()
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
CLAIMS: Final = {"sub": "bank"}


@cache
def key_of(algorithm: str) -> Any:
    """A private key for each algorithm."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "PS256":
        return rsa_key()
    return ed25519.Ed25519PrivateKey.generate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Parts of a token, for forgeries to change."""

    header: bytes
    payload: bytes
    signature: bytes

    def __str__(self) -> str:
        """Compact serialisation."""
        return ".".join(map(b64, (self.header, self.payload, self.signature)))


def b64(data: bytes) -> str:
    """Base64url (RFC 7515)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signing_input(header: bytes, payload: bytes) -> bytes:
    """JWS signing input."""
    return f"{b64(header)}.{b64(payload)}".encode()


def signature_by(algorithm: str, key: Any, message: bytes) -> bytes:
    """Signature by `algorithm`."""
    if algorithm == "ES256":
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256)))
        return r.to_bytes(32) + s.to_bytes(32)
    if algorithm == "PS256":
        return bytes(key.sign(message, padding.PSS(padding.MGF1(SHA256), 32), SHA256))
    return bytes(key.sign(message))


def make_token(
    algorithm: str,
    *,
    key: Key | None = None,
    payload: bytes | None = None,
    **header: Any,
) -> Token:
    """A valid token with these changes applied before signing."""
    head = json.dumps({"alg": algorithm, "typ": "JWT"} | header).encode()
    body = json.dumps(CLAIMS).encode() if payload is None else payload
    made = signature_by(algorithm, key or key_of(algorithm), signing_input(head, body))
    return Token(header=head, payload=body, signature=made)


def jwk_of(algorithm: str, **more: Any) -> dict[str, Any]:
    """Public key for the tokens of `algorithm`."""
    return public_jwk(key_of(algorithm)) | more


def refused(text: str, jwk: Mapping[str, Any]) -> None:
    """Assert the refusal with our own error class."""
    with pytest.raises(JwsError):
        jws.verify(text, jwk, algorithms=ALGORITHMS)


SIGNED_BY: Final = ("ES256", "PS256", "EdDSA", "Ed25519")
each_algorithm: Final = pytest.mark.parametrize("algorithm", SIGNED_BY)


@each_algorithm
def test_a_right_token_is_accepted(algorithm: str) -> None:
    """Control."""
    found = jws.verify(str(make_token(algorithm)), jwk_of(algorithm), algorithms=ALGORITHMS)
    assert found == CLAIMS


@each_algorithm
def test_any_changed_bit_of_a_signature_is_refused(algorithm: str) -> None:
    """First, middle and last bit, one byte more, one byte less."""
    token = make_token(algorithm)
    made = token.signature
    changed = [
        bytes([made[0] ^ 0x80]) + made[1:],
        made[:16] + bytes([made[16] ^ 1]) + made[17:],
        made[:-1] + bytes([made[-1] ^ 1]),
        b"\0" + made,
        made + b"\0",
        made[1:],
        made[:-1],
        b"",
        b"\0",
        bytes(len(made)),
        b"\xff" * len(made),
    ]
    for signature in changed:
        forged = Token(header=token.header, payload=token.payload, signature=signature)
        refused(str(forged), jwk_of(algorithm))


def test_an_rsa_signature_without_its_leading_zero_is_refused() -> None:
    """RFC 8017 §8.1.2, step 1: it is as long as the modulus."""
    token = make_token("PS256")
    while token.signature[0] != 0:
        token = make_token("PS256")
    assert jws.verify(str(token), jwk_of("PS256"), algorithms=ALGORITHMS) == CLAIMS
    short = Token(header=token.header, payload=token.payload, signature=token.signature[1:])
    refused(str(short), jwk_of("PS256"))


SHAPES: Final[dict[str, Callable[[str, str, str], str]]] = {
    "no signature": lambda h, p, _: f"{h}.{p}.",
    "no signature and no dot": lambda h, p, _: f"{h}.{p}",
    "no payload": lambda h, _, s: f"{h}..{s}",
    "no payload and no dot": lambda h, _, s: f"{h}.{s}",
    "no header": lambda _, p, s: f".{p}.{s}",
    "no header and no dot": lambda _, p, s: f"{p}.{s}",
    "a payload alone": lambda _, p, __: p,
    "nothing": lambda _, __, ___: "",
    "dots alone": lambda _, __, ___: "..",
    "an empty fourth part": lambda h, p, s: f"{h}.{p}.{s}.",
    "a fourth part": lambda h, p, s: f"{h}.{p}.{s}.{s}",
    "five parts": lambda h, p, s: f"{h}.{p}.{s}.{p}.{s}",
    "padding": lambda h, p, s: f"{h}.{p}.{s}{'=' * (-len(s) % 4) or '===='}",
    "a space in the signature": lambda h, p, s: f"{h}.{p}.{s[:9]} {s[9:]}",
    "a line end behind": lambda h, p, s: f"{h}.{p}.{s}\n",
    "a sign of no alphabet": lambda h, p, s: f"{h}.{p}.{s[:9]}%{s[9:]}",
    "base64 instead of base64url": lambda h, p, s: f"{h}.{p}.+/{s[2:]}",
    "a letter that is not ASCII": lambda h, p, s: f"{h}.{p}.{s[:9]}é{s[9:]}",
    "unused bits that are set": lambda h, p, s: f"{h}.{p}.{s[:-1]}{chr(ord(s[-1]) + 1)}",
    "JSON, flattened": lambda h, p, s: json.dumps({"protected": h, "payload": p, "signature": s}),
    "JSON, general": lambda h, p, s: json.dumps(
        {"payload": p, "signatures": [{"protected": h, "signature": s}]},
    ),
    "too long": lambda h, p, s: f"{h}.{p}.{s}".ljust(jws.MAX_TOKEN_LENGTH + 1, "A"),
}


@each_algorithm
@pytest.mark.parametrize("shape", SHAPES)
def test_only_the_one_compact_form_is_taken(algorithm: str, shape: str) -> None:
    """Missing or extra parts, lenient base64, JSON serialisations."""
    header, payload, signature = str(make_token(algorithm)).split(".")
    refused(SHAPES[shape](header, payload, signature), jwk_of(algorithm))


@each_algorithm
@pytest.mark.parametrize("other", ["none", "None", "", None, "HS256", "RS256", "PS384", "ES384", 7])
def test_a_header_that_names_another_algorithm_is_refused(algorithm: str, other: object) -> None:
    """Signed under that header, or with its signature removed."""
    token = make_token(algorithm, alg=other)
    refused(str(token), jwk_of(algorithm))
    unsigned = Token(header=token.header, payload=token.payload, signature=b"")
    refused(str(unsigned), jwk_of(algorithm))


@each_algorithm
def test_a_public_key_is_never_a_shared_secret(algorithm: str) -> None:
    """HS256 keyed with PEM, DER, JWK or members of the public key."""
    public = key_of(algorithm).public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    jwk = jwk_of(algorithm)
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, info),
        public.public_bytes(serialization.Encoding.DER, info),
        json.dumps(jwk).encode(),
        *(str(value).encode() for value in jwk.values()),
    ]
    header, payload = json.dumps({"alg": "HS256"}).encode(), json.dumps(CLAIMS).encode()
    for secret in secrets:
        mac = hmac.HMAC(secret, SHA256)
        mac.update(signing_input(header, payload))
        refused(str(Token(header=header, payload=payload, signature=mac.finalize())), jwk)


@each_algorithm
@pytest.mark.parametrize("name", sorted(jws.FORBIDDEN_HEADERS))
def test_a_header_that_asks_for_what_we_never_do_is_refused(algorithm: str, name: str) -> None:
    """`crit`, `b64`, `zip`, `jku` and others, correctly signed."""
    value: Any = {"crit": ["exp"], "b64": True, "zip": "DEF"}.get(name, "https://attacker.example/")
    asking: dict[str, Any] = {name: value}
    refused(str(make_token(algorithm, **asking)), jwk_of(algorithm))


@each_algorithm
def test_a_key_that_the_token_brings_verifies_nothing(algorithm: str) -> None:
    """`jwk` in the header is not used."""
    own = (
        rsa.generate_private_key(65_537, 2_048)
        if algorithm == "PS256"
        else (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else ed25519.Ed25519PrivateKey.generate()
        )
    )
    refused(str(make_token(algorithm, key=own, jwk=public_jwk(own))), jwk_of(algorithm))


@pytest.mark.parametrize("r", [0, 1, P256_ORDER - 1, P256_ORDER, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, P256_ORDER - 1, P256_ORDER, 2**256 - 1])
def test_an_ecdsa_signature_of_edge_values_is_refused(r: int, s: int) -> None:
    """R = s = 0 among them (CVE-2022-21449)."""
    token = make_token("ES256")
    made = r.to_bytes(32) + s.to_bytes(32)
    refused(str(Token(header=token.header, payload=token.payload, signature=made)), jwk_of("ES256"))


def test_an_ecdsa_signature_is_two_numbers_below_the_order_and_no_der() -> None:
    """Values above the order, longer fields, and the DER form."""
    token = make_token("ES256")
    r, s = int.from_bytes(token.signature[:32]), int.from_bytes(token.signature[32:])
    key = key_of("ES256")
    der = key.sign(signing_input(token.header, token.payload), ec.ECDSA(SHA256))
    for made in (
        (r + P256_ORDER).to_bytes(33) + s.to_bytes(33),
        r.to_bytes(33) + (s + P256_ORDER).to_bytes(33),
        r.to_bytes(48) + s.to_bytes(48),
        der,
    ):
        forged = Token(header=token.header, payload=token.payload, signature=made)
        refused(str(forged), jwk_of("ES256"))


@pytest.mark.parametrize(
    "scheme",
    [
        padding.PSS(padding.MGF1(SHA256), 0),
        padding.PSS(padding.MGF1(SHA256), 20),
        padding.PSS(padding.MGF1(SHA256), 31),
        padding.PSS(padding.MGF1(SHA256), padding.PSS.MAX_LENGTH),
        padding.PSS(padding.MGF1(hashes.SHA1()), 32),  # noqa: S303  # that is the attack
        padding.PSS(padding.MGF1(hashes.SHA384()), 32),
        padding.PKCS1v15(),
    ],
    ids=["no-salt", "salt-20", "salt-31", "longest-salt", "mgf1-sha1", "mgf1-sha384", "pkcs1"],
)
def test_ps256_is_one_padding_exactly(scheme: padding.PSS | padding.PKCS1v15) -> None:
    """RFC 7518 §3.5: MGF1 with SHA-256 and a salt of 32 bytes."""
    token = make_token("PS256")
    message = signing_input(token.header, token.payload)
    made = key_of("PS256").sign(message, scheme, SHA256)
    refused(str(Token(header=token.header, payload=token.payload, signature=made)), jwk_of("PS256"))


def test_an_rsa_signature_is_reduced() -> None:
    """The signature plus the modulus, and values that verify without a key."""
    token = make_token("PS256")
    n = key_of("PS256").public_key().public_numbers().n
    raised = int.from_bytes(token.signature) + n
    for number in (raised, 0, 1, n - 1, n):
        made = number.to_bytes(max(256, (number.bit_length() + 7) // 8))
        forged = Token(header=token.header, payload=token.payload, signature=made)
        refused(str(forged), jwk_of("PS256"))


def test_an_eddsa_signature_is_reduced() -> None:
    """S plus the group's order would be a second valid signature."""
    token = make_token("EdDSA")
    s = int.from_bytes(token.signature[32:], "little") + ED25519_ORDER
    made = token.signature[:32] + s.to_bytes(32, "little")
    refused(str(Token(header=token.header, payload=token.payload, signature=made)), jwk_of("EdDSA"))


@each_algorithm
@pytest.mark.parametrize(
    "says",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"alg": "RS256"},
        {"alg": "PS512"},
        {"alg": "ES512"},
        {"alg": "A256GCM"},
        {"alg": None},
        {"alg": ["ES256"]},
    ],
    ids=str,
)
def test_a_key_that_says_it_is_for_something_else_verifies_nothing(
    algorithm: str,
    says: dict[str, Any],
) -> None:
    """RFC 7517 §4.2 to §4.4: `use`, `key_ops`, `alg`."""
    refused(str(make_token(algorithm)), jwk_of(algorithm, **says))


@each_algorithm
def test_a_key_that_says_it_is_for_this_verifies(algorithm: str) -> None:
    """`EdDSA` and `Ed25519` name the same algorithm (RFC 9864)."""
    for alg in jws.ALGORITHM_OF_KEY[
        {"ES256": ("EC", "P-256"), "PS256": ("RSA", None)}.get(
            algorithm,
            ("OKP", "Ed25519"),
        )
    ]:
        jwk = jwk_of(algorithm, use="sig", key_ops=["verify"], alg=alg)
        assert jws.verify(str(make_token(algorithm)), jwk, algorithms=ALGORITHMS) == CLAIMS


BROKEN: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "another curve": ("ES256", {"crv": "P-384"}),
    "another type": ("ES256", {"kty": "RSA"}),
    "a secret": ("ES256", {"kty": "oct", "k": b64(bytes(32))}),
    "a point off the curve": ("ES256", {"y": b64(bytes(31) + b"\1")}),
    "the point at infinity": ("ES256", {"x": b64(bytes(32)), "y": b64(bytes(32))}),
    "no y": ("ES256", {"y": None}),
    "a number for x": ("ES256", {"x": 7}),
    "a list of types": ("ES256", {"kty": ["EC"]}),
    "a list of curves": ("ES256", {"crv": ["P-256"]}),
    "an object for a curve": ("ES256", {"crv": {}}),
    "a curve for RSA": ("PS256", {"crv": "P-256"}),
    "the exponent one": ("PS256", {"e": "AQ"}),
    "an even exponent": ("PS256", {"e": "Ag"}),
    "no modulus": ("PS256", {"n": ""}),
    "half a point": ("EdDSA", {"x": b64(bytes(16))}),
    "another Edwards curve": ("EdDSA", {"crv": "Ed448"}),
    "a curve for key agreement": ("EdDSA", {"crv": "X25519"}),
}


@pytest.mark.parametrize("key", BROKEN)
def test_a_key_that_is_none_is_refused_without_a_fault(key: str) -> None:
    """Malformed keys in DPoP proofs are refused with our error."""
    algorithm, changes = BROKEN[key]
    refused(str(make_token(algorithm)), jwk_of(algorithm, **changes))


@pytest.mark.parametrize(
    "changes", [{"n": b64(b"\xff" * 513)}, {"e": b64(b"\1" * 5)}], ids=["n", "e"]
)
def test_a_key_that_takes_long_to_verify_with_is_refused_before_it_is_made(
    changes: dict[str, str],
) -> None:
    """16384 bits would cost a hundred times what the proof costs its sender."""
    assert jws.may_verify(jwk_of("PS256"), "PS256")
    assert not jws.may_verify(jwk_of("PS256", **changes), "PS256")


@pytest.mark.parametrize("member", ["kty", "crv", "x", "alg", "use"])
@pytest.mark.parametrize("value", [["EC"], {}, None, 1, True], ids=repr)
def test_a_proof_whose_key_is_no_key_is_refused_without_a_fault(member: str, value: object) -> None:
    """RFC 9449 §4.3, before the client is known."""
    jwk = jwk_of("ES256") | {member: value}
    refused_as_proof(str(make_token("ES256", typ="dpop+jwt", jwk=jwk)))


@pytest.mark.parametrize("member", ["kty", "crv", "x", "n", "e", "alg", "use", "key_ops"])
def test_a_proof_whose_key_is_nested_deep_is_refused_without_a_fault(member: str) -> None:
    """Nested as deep as the JSON parser allows, beyond `str` and `repr`."""
    nested = b"[" * 1_000 + b"]" * 1_000
    jwk = json.dumps(jwk_of("ES256") | {member: "here"}).encode().replace(b'"here"', nested)
    header = b'{"alg":"ES256","typ":"dpop+jwt","jwk":' + jwk + b"}"
    refused_as_proof(str(Token(header=header, payload=b"{}", signature=bytes(64))))


def refused_as_proof(proof: str) -> None:
    """Assert a refusal, not a server error."""
    with pytest.raises(ProofError):
        validate_proof(
            [proof],
            method="POST",
            url="https://credit.test/oauth/token",
            token=None,
            nonces=DpopNonces(bytes(32)),
            now=datetime.now(UTC),
        )


def test_a_short_rsa_key_is_refused() -> None:
    """1024 bits, with a valid signature."""
    short = rsa.generate_private_key(65_537, 1_024)  # noqa: S505  # that is the attack
    refused(str(make_token("PS256", key=short)), public_jwk(short))


@each_algorithm
@pytest.mark.parametrize(
    "payload", [b"foo", b"[]", b'"sub"', b"1", b"null", b"", b"\xff", b"[" * 3_000]
)
def test_the_payload_must_be_a_json_object(algorithm: str, payload: bytes) -> None:
    """Other payloads are no claims."""
    refused(str(make_token(algorithm, payload=payload)), jwk_of(algorithm))


def test_a_header_nested_too_deep_is_refused_without_a_fault() -> None:
    """The parser's error becomes ours."""
    header = b'{"alg":"ES256","a":' + b"[" * 2_900 + b"]" * 2_900 + b"}"
    refused(str(Token(header=header, payload=b"{}", signature=bytes(64))), jwk_of("ES256"))
