"""ID numbers encrypted to the gateway's key (JWE, ECDH-ES with A256GCM), where it publishes one.

A number is bound to client, gateway and enterprise. The ephemeral key is derived from the client's private
key and the call's idempotency key, so that a repetition of the same call is the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from xinqiao._core.transport.verify_response import published_keys
from xinqiao._core.wire.closed_lists import QUESTION_RULES
from xinqiao._core.wire.questions import QuestionValue

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.signatures.keys import EncryptionKey

_ID_NUMBER: Final = "legal_representative_id.v1"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_LABEL: Final = b"xinqiao id number"
_KEY_BITS: Final = 256
_NONCE_BYTES: Final = 12
_ENC: Final = "A256GCM"

Asked = list[tuple[str, QuestionValue]]


def encrypt_id_numbers(
    session: Session, uscc: str, asked: Asked, idempotency_key: str
) -> Flow[Asked]:
    """The questions with each ID number encrypted; as they are where the gateway publishes no key."""
    if not any(_has_number(tag, value) for tag, value in asked):
        return asked
    key = (yield from published_keys(session)).encryption
    if key is None:
        return asked
    settings = session.settings

    def sealed(number: str) -> str:
        claims = {
            "iss": settings.client_id,
            "aud": settings.issuer,
            "sub": uscc,
            "id_number": number,
        }
        seed = settings.client_key.derive(_LABEL, json.dumps([key.kid, idempotency_key, claims]))
        return encrypt(json.dumps(claims).encode(), key, seed)

    return [(tag, _with_sealed(tag, value, sealed)) for tag, value in asked]


def encrypt(plaintext: bytes, key: EncryptionKey, seed: bytes) -> str:
    """A compact JWE (RFC 7516) whose ephemeral key and nonce come from a secret seed."""
    scalar = int.from_bytes(_expand(seed, b"key 0") + _expand(seed, b"key 1"), "big")
    ephemeral = ec.derive_private_key(scalar % (_ORDER - 1) + 1, ec.SECP256R1())
    nonce = _expand(seed, b"nonce")[:_NONCE_BYTES]
    header = {
        "alg": "ECDH-ES",
        "enc": _ENC,
        "typ": "id-number+jwe",
        "kid": key.kid,
        "epk": _point(ephemeral.public_key()),
    }
    head = _base64url(json.dumps(header, separators=(",", ":")).encode())
    content_key = _content_key(ephemeral.exchange(ec.ECDH(), key.public))
    sealed = AESGCM(content_key).encrypt(nonce, plaintext, head.encode())
    return ".".join(
        (head, "", _base64url(nonce), _base64url(sealed[:-16]), _base64url(sealed[-16:]))
    )


def _content_key(secret: bytes) -> bytes:
    """Concat KDF (RFC 7518, section 4.6.2) without party information."""
    parts = (len(_ENC).to_bytes(4, "big"), _ENC.encode(), bytes(8), _KEY_BITS.to_bytes(4, "big"))
    kdf = ConcatKDFHash(algorithm=SHA256(), length=_KEY_BITS // 8, otherinfo=b"".join(parts))
    return kdf.derive(secret)


def _has_number(tag: str, value: QuestionValue) -> bool:
    if isinstance(value, Mapping):
        return any(name in value for name in _members(tag))
    return tag == _ID_NUMBER and isinstance(value, str)


def _with_sealed(tag: str, value: QuestionValue, sealed: Callable[[str], str]) -> QuestionValue:
    if isinstance(value, Mapping):
        members = set(_members(tag))
        return {name: sealed(each) if name in members else each for name, each in value.items()}
    return sealed(value) if tag == _ID_NUMBER and isinstance(value, str) else value


def _members(tag: str) -> Iterable[str]:
    """The members of a group that are ID numbers."""
    rule = QUESTION_RULES.get(tag)
    members = rule.members if rule is not None else {}
    return (name for name, question in members.items() if question == _ID_NUMBER)


def _expand(seed: bytes, label: bytes) -> bytes:
    return hmac.digest(seed, label, hashlib.sha256)


def _point(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    x, y = (_base64url(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
