"""Verification of HTTP message signatures on answers (RFC 9421, RFC 9530), one fixed profile.

An answer passes if, in this order,

1. `Signature-Input` and `Signature` each have exactly one member labelled `xinqiao`;
2. its parameters are exactly `created`, `keyid`, `alg`, `tag`, in this order, with
   `alg="ed25519"` and `tag="xinqiao-response"`;
3. it covers exactly the components that the profile names for this exchange, in their order;
4. `created` lies inside the window that the caller allows;
5. the key known under `keyid` was in force at `created`;
6. every member of each `Content-Digest` is sha-256 or sha-512, and that of its body;
7. the Ed25519 signature holds over the signature base, rebuilt here.

Components: `"@status"`, `"content-type"` (left out if the answer has no body), `"content-digest"`,
`"@method";req`, `"@target-uri";req`, `"content-digest";req` (left out if the request has no body),
and, where the request was itself signed, `"signature";req;key="LABEL"`.
A refusal (status 400 and above) may be made before the request's body was compared with its digest:
it then leaves `"content-digest";req` out, and says nothing of the body. So may it with a signature that
could not be read.
Other labels in the same fields (a second signature) are not looked at.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature as _BadSignature

from xinqiao._core.wire.strict import parse_base64
from xinqiao.errors import SignatureInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from xinqiao._core.signatures.exchange import Exchange

    from .keys import ResponseKey

LABEL: Final = "xinqiao"
TAG: Final = "xinqiao-response"
REQUEST_TAG: Final = "xinqiao-request"
ALGORITHM: Final = "ed25519"
#: Longer fields are refused unread.
MAX_FIELD: Final = 8192

_REFUSED: Final = 400
_REQUEST_DIGEST: Final = '"content-digest";req'
_REQUEST_SIGNATURE: Final = re.compile(r'"signature";req;key="([^"]*)"')
_DIGESTS: Final[Mapping[str, Callable[[bytes], hashlib._Hash]]] = {
    "sha-256": hashlib.sha256,
    "sha-512": hashlib.sha512,
}
#: RFC 9651, section 3.1.2.
_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
#: Every quotation ends; checked first, since `_MEMBER` would read on from each that does not.
_CLOSED = re.compile(r'(?:[^"]|"(?:[^"\\]|\\.)*+")*+')
_MEMBER = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
_INPUT = re.compile(
    r"(?P<components>\([^()]*\))"
    r";created=(?P<created>[0-9]{1,11})"
    r';keyid="(?P<keyid>[!#-\[\]-~]{1,128})"'
    r';alg="(?P<alg>[!#-\[\]-~]{1,64})"'
    r';tag="(?P<tag>[!#-\[\]-~]{1,64})"',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureClaims:
    """Parameters of a signature that is not verified yet."""

    params: str
    components: str
    created: datetime
    keyid: str
    signature: bytes


def read_claims(exchange: Exchange) -> SignatureClaims:
    """Read the parameters of the one signature (steps 1 and 2), or raise `SignatureInvalid`."""
    # 1. one member of our label in each field
    params = _only_member(exchange.response_headers, "signature-input")
    signature = bytes_of(_only_member(exchange.response_headers, "signature"))
    # 2. exactly our parameters
    found = _INPUT.fullmatch(params)
    if found is None:
        raise _refused("malformed", "The signature's parameters do not have the profile's form")
    if found["tag"] != TAG:
        raise _refused("tag", f"The signature was made for another use (tag {found['tag']!r})")
    if found["alg"] != ALGORITHM:
        raise _refused("algorithm", f"The signature's algorithm is {found['alg']!r}")
    return SignatureClaims(
        params=params,
        components=found["components"],
        created=datetime.fromtimestamp(int(found["created"]), UTC),
        keyid=found["keyid"],
        signature=signature,
    )


def verify_signature(
    exchange: Exchange,
    claimed: SignatureClaims,
    key: ResponseKey,
    *,
    earliest: datetime | None,
    latest: datetime,
) -> Exchange:
    """Verify a signature (steps 3 to 7); return the signed parts of the exchange and no others.

    Raises `SignatureInvalid`.
    """
    exchange = _with_covered_signature(_without_unsigned_body(exchange, claimed), claimed)
    covered = components(exchange)
    # 3. exactly the components of this exchange
    if claimed.components != f"({' '.join(name for name, _ in covered)})":
        raise _refused("components", "The signature covers other parts than the profile asks for")
    # 4. made in the window
    if claimed.created > latest or (earliest is not None and claimed.created < earliest):
        made = claimed.created.isoformat()
        raise _refused("created", f"The signature's time, {made}, is too far from now")
    # 5. the key was in force then
    if not key.in_force(claimed.created):
        raise _refused("key", f"The key {key.kid} was not in force when the signature was made")
    # 6. the bodies are those of the digests
    _check_digest(exchange.response_headers, exchange.response_body, "answer")
    if any(name == _REQUEST_DIGEST for name, _ in covered):
        _check_digest(exchange.request_headers, exchange.request_body, "request")
    # 7. the signature holds
    base = signature_base(covered, claimed.params)
    try:
        key.public.verify(claimed.signature, base)
    except _BadSignature:
        raise _refused(
            "signature",
            "The signature does not fit: status, type, digest, method or address was changed,"
            " or another key made it",
        ) from None
    return _only_signed_parts(exchange, claimed)


def _without_unsigned_body(exchange: Exchange, claimed: SignatureClaims) -> Exchange:
    """Drop the request's body where a refusal's signature does not cover it."""
    if exchange.status < _REFUSED or _REQUEST_DIGEST in claimed.components:
        return exchange
    return replace(
        exchange,
        request_body=b"",
        request_headers=_without(exchange.request_headers, "content-digest"),
    )


def _with_covered_signature(exchange: Exchange, claimed: SignatureClaims) -> Exchange:
    """Drop the request's signatures but the covered one; none needs to be in a refusal, or of another tag."""
    headers = exchange.request_headers
    label = _REQUEST_SIGNATURE.search(claimed.components)
    if label is not None:
        named = [each for each in members_of(headers.get("signature", "")) if each[0] == label[1]]
        kept = {"signature": ", ".join(f"{name}={value}" for name, value in named)}
        return replace(exchange, request_headers={**headers, **kept})
    is_ours = f';tag="{REQUEST_TAG}"' in headers.get("signature-input", f';tag="{REQUEST_TAG}"')
    if exchange.status < _REFUSED and is_ours:
        return exchange
    return replace(exchange, request_headers=_without(headers, "signature"))


def _only_signed_parts(exchange: Exchange, claimed: SignatureClaims) -> Exchange:
    """Drop unsigned headers and other signatures; those of a signed request are its own to cover."""
    signature = base64.b64encode(claimed.signature).decode("ascii")
    request, response = exchange.request_headers, exchange.response_headers
    unsigned = [] if exchange.request_body else ["content-digest", "content-type"]
    if "signature" not in request:
        unsigned += ["content-type", "signature-input"]
    return replace(
        exchange,
        request_headers=_without(request, *unsigned),
        response_headers={
            **(response if exchange.response_body else _without(response, "content-type")),
            "signature-input": f"{LABEL}={claimed.params}",
            "signature": f"{LABEL}=:{signature}:",
        },
    )


def _without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    return {each: value for each, value in headers.items() if each not in names}


def components(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    """List the components that a signature over this exchange covers, with their values."""
    return tuple(_components(exchange))


def _components(exchange: Exchange) -> Iterator[tuple[str, str]]:
    yield '"@status"', str(exchange.status)
    if exchange.response_body:
        yield '"content-type"', field_of(exchange.response_headers, "content-type", "answer")
    yield '"content-digest"', field_of(exchange.response_headers, "content-digest", "answer")
    yield '"@method";req', exchange.method
    yield '"@target-uri";req', exchange.target_uri
    if exchange.request_body and not _refuses_digest(exchange):
        yield _REQUEST_DIGEST, field_of(exchange.request_headers, "content-digest", "request")
    if "signature" in exchange.request_headers:
        for label, value in members_of(exchange.request_headers["signature"]):
            yield f'"signature";req;key="{label}"', value


def tagged_signature(headers: Mapping[str, str]) -> str | None:
    """The one signature of a request with our tag, as a member of `Signature`; None if it is unreadable."""
    try:
        inputs, values = (members_of(headers.get(n, "")) for n in ("signature-input", "signature"))
    except SignatureInvalid:
        return None
    ours = [label for label, member in inputs if f';tag="{REQUEST_TAG}"' in member]
    found = [f"{label}={value}" for label, value in values if [label] == ours]
    return found[0] if len(found) == 1 else None


def signature_base(covered: tuple[tuple[str, str], ...], params: str) -> bytes:
    """Build the bytes that are signed (RFC 9421, section 2.5)."""
    lines = (*covered, ('"@signature-params"', params))
    text = "\n".join(f"{name}: {value}" for name, value in lines)
    if text.count("\n") != len(covered) or not text.isascii():
        raise _refused("malformed", "A signed part holds characters that cannot be signed")
    return text.encode("ascii")


def _only_member(headers: Mapping[str, str], name: str) -> str:
    if name not in headers:
        raise _refused("missing", f"The answer has no {name} field")
    found = [value for label, value in members_of(headers[name]) if label == LABEL]
    if not found:
        raise _refused("missing", f"The field {name} has no member {LABEL!r}")
    if len(found) > 1:
        raise _refused("malformed", f"The field {name} has more than one member {LABEL!r}")
    return found[0]


def members_of(value: str) -> list[tuple[str, str]]:
    """Split a dictionary field (RFC 8941, section 3.2) at the commas outside its strings."""
    readable = len(value) <= MAX_FIELD and _CLOSED.fullmatch(value)
    pieces = _MEMBER.findall(value) if readable else []
    if ",".join(pieces) != value:
        raise _refused("malformed", "A signature field cannot be read")
    pairs = [piece.strip(" \t").partition("=") for piece in pieces]
    if not pairs or not all(_KEY.fullmatch(label) for label, _, _ in pairs):
        raise _refused("malformed", "A signature field cannot be read")
    return [(label, member) for label, _, member in pairs]


def bytes_of(member: str) -> bytes:
    """Read a byte sequence, `:base64:` (RFC 8941, section 3.3.5)."""
    if len(member) < 2 or member[0] != ":" or member[-1] != ":":  # noqa: PLR2004 - the two colons
        raise _refused("malformed", "A signature or digest is not a byte sequence")
    try:
        return parse_base64(member[1:-1])
    except ValueError:
        raise _refused("malformed", "A signature or digest is not valid base64") from None


def field_of(headers: Mapping[str, str], name: str, whose: str) -> str:
    """The value of a field, or raise `SignatureInvalid`."""
    if name not in headers:
        raise _refused("missing", f"The {whose} has no {name} field")
    return headers[name]


def digest_fits(headers: Mapping[str, str], body: bytes) -> bool:
    """True if each member of `Content-Digest` fits the body; true where there is none."""
    if "content-digest" not in headers:
        return True
    try:
        _check_digest(headers, body, "request")
    except SignatureInvalid:
        return False
    return True


def _check_digest(headers: Mapping[str, str], body: bytes, whose: str) -> None:
    for name, member in members_of(field_of(headers, "content-digest", whose)):
        if name not in _DIGESTS:
            raise _refused("digest", f"The {whose} has a digest that is not sha-256 or sha-512")
        if bytes_of(member) != _DIGESTS[name](body).digest():
            raise _refused("digest", f"The body of the {whose} differs from its digest")


def _refuses_digest(exchange: Exchange) -> bool:
    """True if this is a refusal of a request whose digest does not fit its body."""
    return exchange.status >= _REFUSED and not digest_fits(
        exchange.request_headers, exchange.request_body
    )


def _refused(reason: str, detail: str) -> SignatureInvalid:
    return SignatureInvalid(f"{detail}.", reason=reason)
