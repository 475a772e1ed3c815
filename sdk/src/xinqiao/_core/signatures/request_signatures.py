"""HTTP message signatures of requests (RFC 9421), one fixed profile: made, and verified in evidence.

Components: `"@method"`, `"@target-uri"`, and of a request with a body `"content-type"` and
`"content-digest"`. `nonce` is the `jti` of the request's DPoP proof.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import jwt

from xinqiao.errors import ConfigurationError, SignatureInvalid

from .http_signatures import LABEL, REQUEST_TAG, bytes_of, field_of, members_of, signature_base

if TYPE_CHECKING:
    from .jose import SigningKey

#: By a key's own algorithm: its name in RFC 9421, section 6.2.
ALGORITHMS: Final[Mapping[str, str]] = {"EdDSA": "ed25519", "ES256": "ecdsa-p256-sha256"}
_KINDS: Final[Mapping[object, str]] = {"OKP": "EdDSA", "EC": "ES256"}
_PARAMETERS: Final = re.compile(
    r'(?P<components>\([^()]*\))(?P<rest>(?:;[a-z]+=(?:"[ !#-\[\]-~]{0,256}"|[0-9]{1,11}))+)'
)
_PARAMETER: Final = re.compile(r';([a-z]+)=("[^"]*"|[0-9]+)')

Components = tuple[tuple[str, str], ...]


def check_can_sign(key: SigningKey) -> None:
    """Raise `ConfigurationError` for a key that cannot sign requests."""
    if key.alg not in ALGORITHMS:
        raise ConfigurationError("Requests are signed with EC P-256 or Ed25519: take such a key.")


def request_components(
    method: str, target_uri: str, headers: Mapping[str, str], *, has_body: bool
) -> Components:
    """The components that a request's signature covers, with their values."""
    fields = ("content-type", "content-digest") if has_body else ()
    return (
        ('"@method"', method),
        ('"@target-uri"', target_uri),
        *((f'"{name}"', field_of(headers, name, "request")) for name in fields),
    )


def sign_request(
    key: SigningKey, covered: Components, *, created: int, nonce: str
) -> dict[str, str]:
    """The headers `signature-input` and `signature` of a request."""
    names = " ".join(name for name, _ in covered)
    params = (
        f'({names});created={created};nonce="{nonce}";keyid="{key.kid or key.thumbprint}"'
        f';alg="{ALGORITHMS[key.alg]}";tag="{REQUEST_TAG}"'
    )
    made = key.sign_bytes(signature_base(covered, params))
    return {
        "signature-input": f"{LABEL}={params}",
        "signature": f"{LABEL}=:{base64.b64encode(made).decode()}:",
    }


def verify_request(headers: Mapping[str, str], covered: Components, jwk: Mapping[str, Any]) -> str:
    """Verify the request's signature by this public key, and return its `nonce`.

    Raises `SignatureInvalid`.
    """
    ours = [
        (label, member)
        for label, member in members_of(field_of(headers, "signature-input", "request"))
        if f';tag="{REQUEST_TAG}"' in member
    ]
    signatures = members_of(field_of(headers, "signature", "request"))
    if len(ours) != 1 or [label for label, _ in signatures].count(ours[0][0]) != 1:
        raise _refused("malformed", f"The request is not signed once with the tag {REQUEST_TAG}")
    label, params = ours[0]
    found = _PARAMETERS.fullmatch(params)
    given: dict[str, str] = {} if found is None else dict(_PARAMETER.findall(found["rest"]))
    alg = _KINDS.get(jwk.get("kty"), "")
    if found is None or found["components"] != f"({' '.join(name for name, _ in covered)})":
        raise _refused("components", "The request's signature covers other parts than it should")
    if given.get("keyid") != f'"{jwk.get("kid")}"':
        raise _refused("key", "The request was signed with another key")
    if not alg or given.get("alg", f'"{ALGORITHMS[alg]}"') != f'"{ALGORITHMS[alg]}"':
        raise _refused("algorithm", "The request's signature has another algorithm than its key")
    if not _fits(bytes_of(dict(signatures)[label]), signature_base(covered, params), jwk, alg):
        raise _refused("signature", "The request's signature does not fit")
    return given.get("nonce", "").strip('"')


def _fits(signature: bytes, base: bytes, jwk: Mapping[str, Any], alg: str) -> bool:
    try:
        key = jwt.PyJWK(dict(jwk), algorithm=alg).key
        return jwt.get_algorithm_by_name(alg).verify(base, key, signature)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return False


def _refused(reason: str, detail: str) -> SignatureInvalid:
    return SignatureInvalid(f"{detail}.", reason=reason)
