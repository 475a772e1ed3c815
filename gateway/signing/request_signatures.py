"""HTTP message signatures of requests (RFC 9421), in one profile: tag `xinqiao-request`. Pure.

Components, always in this order: `"@method"`, `"@target-uri"`, and of a request with a body `"content-type"`
and `"content-digest"`. Parameters, in any order: `created`, `nonce` (the `jti` of the DPoP proof; without a
proof any), `keyid`, `tag`, and where the client gives them `alg` and `expires`. Spelt as RFC 9651 serialises
it; another spelling is refused, so that what is verified is what came.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.signing import jws
from gateway.signing.http_signatures import signature_base
from gateway.signing.jwk import Jwk, thumbprint
from gateway.signing.jws import JwsError

TAG: Final = "xinqiao-request"
MAX_FIELD: Final = 8_192
ALGORITHMS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("OKP", "Ed25519"): ("ed25519", "EdDSA"),
    ("EC", "P-256"): ("ecdsa-p256-sha256", "ES256"),
}
"""By a key's type: the algorithm's name in RFC 9421 §6.2 and in RFC 7518."""

_LABEL: Final = re.compile(r"[a-z*][a-z0-9_.*-]{0,63}")
_CLOSED: Final = re.compile(r'(?:[^"]|"(?:[^"\\]|\\.)*+")*+')
"""Every quotation ends. Checked first: `_MEMBER` would read on to the field's end from each that does not."""
_MEMBER: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
_INPUT: Final = re.compile(r'\([^()]*\)((?:;[a-z]+=(?:"[ !#-\[\]-~]{0,256}"|[0-9]{1,11}))+)')
_PARAMETER: Final = re.compile(r';([a-z]+)=(?:"([^"]*)"|([0-9]+))')
_VALUE: Final = re.compile(r":[A-Za-z0-9+/]{85}[AQgw]==:")
"""64 bytes, which signatures of both algorithms have, in their one Base64."""
_BYTES: Final = re.compile(r":[A-Za-z0-9+/]*={0,2}:")
_TEXTS: Final = frozenset({"keyid", "tag", "alg", "nonce"})
_NUMBERS: Final = frozenset({"created", "expires"})
_MALFORMED: Final = (
    "Signature-Input and Signature do not have the form that requests are signed in."
)
_NOT_64: Final = (
    "A signature is 64 bytes in padded Base64: Ed25519's, or r and s of ECDSA on P-256, not DER."
    " RSA keys sign no requests."
)
_RSA: Final = (
    "This key is RSA, which signs no requests: register an EC P-256 or Ed25519 key beside it."
)
_NO_NONCE: Final = (
    "nonce is missing: the jti of the DPoP proof; over mutual TLS without one a new text each time."
)
_UNVERIFIED: Final = (
    "The signature was not made over this request by the registered key of this keyid."
)


class SignatureError(Exception):
    """A request's signature cannot be accepted; the message is for the client's developer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedParts:
    """The parts of a request that its signature covers; `content` are its type and digest."""

    method: str
    target_uri: str
    content: tuple[str, str] | None

    @property
    def components(self) -> list[tuple[str, str]]:
        """Names and values of the covered components."""
        found = [('"@method"', self.method), ('"@target-uri"', self.target_uri)]
        if self.content is not None:
            found += zip(('"content-type"', '"content-digest"'), self.content, strict=True)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSignature:
    """A request's signature as it came: its members of both fields, and its parameters."""

    label: str
    input: str
    value: str
    keyid: str
    created: int
    expires: int | None
    nonce: str
    alg: str | None

    @property
    def replay_key(self) -> str:
        """The key of its nonce in the replay store, of a request without a proof."""
        return hashlib.sha256(f"signature {self.nonce}".encode()).hexdigest()

    def check_nonce(self, jti: str | None) -> None:
        """Raise `SignatureError` unless its nonce is the `jti` of the proof; without a proof, any."""
        if jti not in {None, self.nonce}:
            raise SignatureError("nonce is not the jti of the request's DPoP proof.")

    def check_time(self, now: float, *, window: float, skew: float) -> None:
        """Raise `SignatureError` unless it was made within `window` seconds, and has not expired."""
        if not now - window - skew <= self.created <= now + skew:
            raise SignatureError("created is not now; check the clock.")
        if self.expires is not None and self.expires < now - skew:
            raise SignatureError("The signature has expired.")

    def verify(self, parts: SignedParts, keys: Iterable[Jwk]) -> Jwk:
        """The key of `keys` that made it over these parts; raises `SignatureError`.

        An unknown key, another algorithm and a wrong signature are told alike.
        """
        names = " ".join(name for name, _ in parts.components)
        if not self.input.startswith(f"({names});"):
            raise SignatureError(f"Sign exactly these components, in this order: {names}.")
        base = signature_base(parts.components, self.input)
        key = next((jwk for jwk in keys if _kid(jwk) == self.keyid), None)
        if key is not None and key.get("kty") == "RSA":
            raise SignatureError(_RSA)  # it is the client's own, and it has authenticated itself
        if key is None or not base.isascii() or not self._fits(base, key):
            raise SignatureError(_UNVERIFIED)
        return key

    def _fits(self, base: str, key: Jwk) -> bool:
        name, algorithm = ALGORITHMS.get((key.get("kty", ""), key.get("crv", "")), ("", ""))
        if not name or self.alg not in {None, name}:
            return False
        try:
            return jws.made(base64.b64decode(self.value[1:-1]), base.encode(), key, algorithm)
        except JwsError:
            return False


def read_signature(inputs: Sequence[str], values: Sequence[str]) -> RequestSignature | None:
    """The signature of our tag in all lines of `Signature-Input` and `Signature`, if there is one.

    Signatures of other tags are ignored. Raises `SignatureError`.
    """
    if not any(TAG in line for line in inputs):
        return None
    described, signed = _members(inputs), _members(values)
    ours = [pair for pair in described if f';tag="{TAG}"' in pair[1]]
    if not ours:
        return None
    label, member = ours[0]
    if [name for name, _ in described].count(label) != 1 or len(ours) != 1:
        raise SignatureError(f"Sign a request once with the tag {TAG}.")
    found = [value for name, value in signed if name == label]
    if len(found) != 1 or not _BYTES.fullmatch(found[0]):
        raise SignatureError(_MALFORMED)
    if not _VALUE.fullmatch(found[0]):
        raise SignatureError(_NOT_64)
    texts, numbers = _parameters(member)
    if not texts.get("nonce"):
        raise SignatureError(_NO_NONCE)
    return RequestSignature(
        label=label,
        input=member,
        value=found[0],
        keyid=texts["keyid"],
        created=numbers["created"],
        expires=numbers.get("expires"),
        nonce=texts["nonce"],
        alg=texts.get("alg"),
    )


def _members(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Labels and members of a dictionary (RFC 9651 §3.2), its lines combined (RFC 9421 §2.1)."""
    field = ", ".join(line.strip(" \t") for line in lines)
    readable = len(field) <= MAX_FIELD and _CLOSED.fullmatch(field)
    pieces = _MEMBER.findall(field) if readable else []
    pairs = [piece.strip(" \t").partition("=") for piece in pieces]
    if ",".join(pieces) != field or not all(_LABEL.fullmatch(label) for label, _, _ in pairs):
        raise SignatureError(_MALFORMED)
    return [(label, member) for label, _, member in pairs]


def _parameters(member: str) -> tuple[dict[str, str], dict[str, int]]:
    """The parameters that are texts, and those that are numbers."""
    found = _INPUT.fullmatch(member)
    pairs = _PARAMETER.findall(found[1]) if found else []
    numbers = {name: int(number) for name, _, number in pairs if number}
    texts = {name: text for name, text, number in pairs if not number}
    if (
        len(texts) + len(numbers) != len(pairs)
        or not {"keyid", "tag"} <= texts.keys() <= _TEXTS
        or not {"created"} <= numbers.keys() <= _NUMBERS
    ):
        raise SignatureError(_MALFORMED)
    return texts, numbers


def _kid(jwk: Jwk) -> str:
    """The id of a key; of one without an id its thumbprint (RFC 7638)."""
    return str(jwk["kid"]) if "kid" in jwk else thumbprint(jwk)
