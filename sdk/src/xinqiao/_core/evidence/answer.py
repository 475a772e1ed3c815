"""Evidence bundles: a verified request and answer, to be verified again offline.

The key inside a bundle is compared with a pinned one, never trusted by itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xinqiao._core.signatures.exchange import REQUEST_HEADERS, RESPONSE_HEADERS, Exchange
from xinqiao._core.signatures.http_signatures import read_claims, verify_signature
from xinqiao._core.signatures.keys import Jwks, KeySet, ResponseKey, read_document
from xinqiao._core.signatures.request_signatures import request_components, verify_request
from xinqiao._core.whole_file import write_private
from xinqiao._core.wire import parsing
from xinqiao._core.wire.strict import holds_json, parse_base64, parse_json, same_json
from xinqiao.errors import EvidenceExists, EvidenceInvalid, ProtocolError, SignatureInvalid

if TYPE_CHECKING:
    from xinqiao._core.wire.results import QueryResult, Verification

FORMAT: Final = "xinqiao-evidence/1"
#: Members of a client's public key in evidence.
_REQUEST_KEY: Final = frozenset({"kty", "crv", "x", "y", "kid"})
#: Tolerated clock skew of a signature time in the future.
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verified exchange: request, exact answer, signature and signing key.

    Of a signed request `request_key` is the client's public key that made its signature.
    """

    exchange: Exchange
    key: Mapping[str, Any]
    signed_at: datetime
    request_key: Mapping[str, Any] | None = None

    @property
    def keyid(self) -> str:
        """The `kid` of the key that signed."""
        return str(self.key["kid"])

    @property
    def status(self) -> int:
        """The answer's HTTP status."""
        return self.exchange.status

    @property
    def body(self) -> bytes:
        """The answer's body, exact to the byte."""
        return self.exchange.response_body

    def json(self) -> Any:
        """Parse the answer's body."""
        try:
            return parse_json(self.body)
        except ValueError as error:
            raise ProtocolError(
                f"The answer is not JSON that everybody reads alike: {error}."
            ) from None

    def result(self) -> Verification | QueryResult:
        """The answer of a verification or a query, as when it came, but for the pages that follow."""
        return parsing.result(self)

    def to_dict(self) -> dict[str, Any]:
        """The evidence as a JSON object."""
        e = self.exchange
        return {
            "format": FORMAT,
            "request": {
                "method": e.method,
                "target_uri": e.target_uri,
                "headers": dict(e.request_headers),
                **_encode_body(e.request_body),
            },
            "response": {
                "status": e.status,
                "headers": dict(e.response_headers),
                **_encode_body(e.response_body),
            },
            "signed_at": self.signed_at.isoformat(),
            "key": dict(self.key),
            **({} if self.request_key is None else {"request_key": dict(self.request_key)}),
        }

    def to_json(self) -> str:
        """The evidence as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the evidence to a file of mode 0600; return its path.

        An existing file is refused (`EvidenceExists`) unless `overwrite`; then it stays until the new one is
        whole. Of a file that cannot be written, on a full disk, nothing is left.
        """
        target = Path(path)
        try:
            write_private(target, self.to_json() + "\n", overwrite=overwrite)
        except FileExistsError:
            raise EvidenceExists(
                f"{target} exists, and may hold other evidence: take another name, or overwrite=True."
            ) from None
        return target


def make_evidence(
    exchange: Exchange,
    key: ResponseKey,
    created: datetime,
    *,
    request_key: Mapping[str, Any] | None = None,
) -> Evidence:
    """Build evidence of an exchange that was verified with this key.

    The `request_key` belongs to a request whose signature the answer's covers.
    """
    headers = exchange.request_headers
    covers_body = '"content-digest"' in headers.get("signature-input", "")
    if "signature" not in headers or (covers_body and "content-digest" not in headers):
        request_key = None  # unsigned, or refused before its body was read
    if request_key is None and "signature" in headers:  # a part of the answer's base, and no more
        left = {name: headers[name] for name in ("content-digest", "signature") if name in headers}
        exchange = replace(exchange, request_headers=left)
    return Evidence(exchange=exchange, key=key.jwk, signed_at=created, request_key=request_key)


def verify_evidence(
    source: Mapping[str, Any] | str | Path | Evidence,
    *,
    keys: Jwks | KeySet,
    client_keys: Jwks | None = None,
    now: datetime | None = None,
) -> Evidence:
    """Verify an evidence bundle offline, against keys obtained separately.

    `source` is a bundle, as a mapping, a text or a file; `keys` a JWK set (retired keys included), in
    the same forms. What comes back is authentic as of its `signed_at`. Raises `EvidenceInvalid`
    with a sentence that says what differs, `ConfigurationError` if a file cannot be read.

    The signature of a signed request is verified by the `request_key` in the bundle. With `client_keys`, the
    client's JWK set, the request must be signed, and by one of these: then the client cannot deny it.

    A bundle is authentic only if it equals, member by member, `Evidence.to_dict` of the verified
    exchange. Of a verification or query that was stored by its `to_dict`, the member `evidence` is read,
    and what stands beside it must be what the evidence says.
    """
    held = source.to_dict() if isinstance(source, Evidence) else read_document(source, "evidence")
    bundle = held.get("evidence")
    if "format" in held or not isinstance(bundle, Mapping):
        return _verify_bundle(held, keys, client_keys, now)
    verified = _verify_bundle(bundle, keys, client_keys, now)
    if not holds_json(verified.result().to_dict(), held):
        sentence = "The stored result differs from its evidence; the evidence alone is authentic."
        raise EvidenceInvalid(sentence, reason="digest")
    return verified


def _verify_bundle(
    bundle: Mapping[str, Any],
    keys: Jwks | KeySet,
    client_keys: Jwks | None,
    now: datetime | None,
) -> Evidence:
    latest = (now or datetime.now(UTC)) + _SKEW
    exchange, enclosed, signed_at = _read_bundle(bundle)
    try:
        claimed = read_claims(exchange)
        key = _trusted_key(KeySet.read(keys), claimed.keyid, enclosed)
        covered = verify_signature(exchange, claimed, key, earliest=None, latest=latest)
        request_key = bundle.get("request_key")
        if request_key is not None:
            _check_request(covered, request_key)
        if client_keys is not None:
            _check_client_key(request_key, client_keys)
    except SignatureInvalid as error:
        raise EvidenceInvalid(error.detail, reason=error.reason) from None
    if signed_at != claimed.created.isoformat():
        raise EvidenceInvalid("The bundle's signed_at is not the signature's.", reason="created")
    verified = make_evidence(covered, key, claimed.created, request_key=request_key)
    if not same_json(bundle, verified.to_dict()):
        sentence = "The evidence holds what was not signed, or is not written as evidence is."
        raise EvidenceInvalid(sentence, reason="malformed")
    return verified


def _check_request(exchange: Exchange, jwk: object) -> None:
    """Verify the request's own signature by this key."""
    if not isinstance(jwk, Mapping) or not set(jwk) <= _REQUEST_KEY:
        raise SignatureInvalid(
            "The request's key is not written as evidence is.", reason="malformed"
        )
    headers, body = exchange.request_headers, exchange.request_body
    covered = request_components(exchange.method, exchange.target_uri, headers, has_body=bool(body))
    verify_request(headers, covered, jwk)


def _check_client_key(jwk: object, client_keys: Jwks) -> None:
    """Raise unless the request was signed, by one of the client's keys."""
    listed = read_document(client_keys, "client's key set").get("keys")
    known = [
        {name: value for name, value in each.items() if name in _REQUEST_KEY - {"kid"}}
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
    ]
    own = (
        {name: value for name, value in jwk.items() if name != "kid"}
        if isinstance(jwk, Mapping)
        else None
    )
    if own not in known:
        raise SignatureInvalid("The request was not signed by a key of this client.", reason="key")


def _trusted_key(keys: KeySet, kid: str, enclosed: object) -> ResponseKey:
    key = keys.get(kid)
    if key is None:
        raise SignatureInvalid(f"The key {kid} is not among the trusted keys.", reason="key")
    if enclosed != dict(key.jwk):
        sentence = f"The key in the evidence differs from the trusted key {kid}."
        raise SignatureInvalid(sentence, reason="key")
    return key


def _read_bundle(bundle: Mapping[str, Any]) -> tuple[Exchange, object, object]:
    if bundle.get("format") != FORMAT:
        raise EvidenceInvalid(f"This is not evidence of the form {FORMAT}.", reason="malformed")
    try:
        request, response = bundle["request"], bundle["response"]
        exchange = Exchange(
            method=_str(request["method"]),
            target_uri=_str(request["target_uri"]),
            request_headers=_headers(request["headers"], REQUEST_HEADERS),
            request_body=_decode_body(request),
            status=_status(response["status"]),
            response_headers=_headers(response["headers"], RESPONSE_HEADERS),
            response_body=_decode_body(response),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EvidenceInvalid(
            "The evidence lacks a part or cannot be read.", reason="malformed"
        ) from None
    return exchange, bundle.get("key"), bundle.get("signed_at")


def _encode_body(body: bytes) -> dict[str, str]:
    """Encode a body as UTF-8 text where possible, else in base64."""
    try:
        return {"body": body.decode("utf-8"), "body_encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode("ascii"), "body_encoding": "base64"}


def _decode_body(part: Mapping[str, Any]) -> bytes:
    if part["body_encoding"] == "utf-8":
        return _str(part["body"]).encode("utf-8")
    if part["body_encoding"] == "base64":
        return parse_base64(_str(part["body"]))
    raise ValueError(part["body_encoding"])


def _headers(value: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, str]:
    """Read the signed headers; refuse others, which no signature covers."""
    if not set(value) <= set(known):
        raise ValueError(value)
    return {name: _str(text) for name, text in value.items()}


def _status(value: object) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
