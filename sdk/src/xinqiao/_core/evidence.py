"""Evidence: a verified exchange that anybody with the gateway's keys can verify again.

Trust begins outside the bundle: the key inside is compared with a pinned one, never believed.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from xinqiao.errors import EvidenceInvalid, ProtocolError, SignatureInvalid

from .exchange import REQUEST_HEADERS, RESPONSE_HEADERS, Exchange
from .http_signatures import check, read_claim
from .keys import Jwks, KeySet, ResponseKey, read_document
from .strict import parse_base64, parse_json, same

FORMAT: Final = "xinqiao-evidence/1"
#: How far in the future a signature may seem to be made when it is verified again.
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verified exchange: request, exact answer, signature and the key that made it."""

    exchange: Exchange
    key: Mapping[str, Any]
    signed_at: datetime

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

    def to_dict(self) -> dict[str, Any]:
        """Write the evidence as a JSON object."""
        e = self.exchange
        return {
            "format": FORMAT,
            "request": {
                "method": e.method,
                "target_uri": e.target_uri,
                "headers": dict(e.request_headers),
                **_written(e.request_body),
            },
            "response": {
                "status": e.status,
                "headers": dict(e.response_headers),
                **_written(e.response_body),
            },
            "signed_at": self.signed_at.isoformat(),
            "key": dict(self.key),
        }

    def to_json(self) -> str:
        """Write the evidence as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def save(self, path: str | Path) -> Path:
        """Write the evidence to a file that only its owner can read, and return its path."""
        target = Path(path)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.to_json() + "\n")
        return target


def witness(exchange: Exchange, key: ResponseKey, created: datetime) -> Evidence:
    """Make evidence of an exchange that has just been verified with this key."""
    return Evidence(exchange=exchange, key=key.jwk, signed_at=created)


def verify_evidence(
    source: Mapping[str, Any] | str | Path | Evidence,
    *,
    keys: Jwks | KeySet,
    now: datetime | None = None,
) -> Evidence:
    """Verify evidence again, offline, against keys that were obtained by another way.

    `source` is a bundle, as a mapping or a file; `keys` a JWK set (retired keys included), as a
    mapping or a file. What comes back is authentic as of its `signed_at`. Raises `EvidenceInvalid`
    with a sentence that says what differs, `ConfigurationError` if a file cannot be read.

    A bundle is authentic only if it is, member by member, what `Evidence.to_dict` writes of that which
    was verified.
    """
    bundle = source.to_dict() if isinstance(source, Evidence) else read_document(source, "evidence")
    latest = (now or datetime.now(UTC)) + _SKEW
    exchange, enclosed, signed_at = _read(bundle)
    try:
        claimed = read_claim(exchange)
        key = _pinned(KeySet.read(keys), claimed.keyid, enclosed)
        covered = check(exchange, claimed, key, earliest=None, latest=latest)
    except SignatureInvalid as error:
        raise EvidenceInvalid(error.detail, reason=error.reason) from None
    if signed_at != claimed.created.isoformat():
        raise EvidenceInvalid("The bundle's signed_at is not the signature's.", reason="created")
    verified = witness(covered, key, claimed.created)
    if not same(bundle, verified.to_dict()):
        sentence = "The evidence holds what was not signed, or is not written as evidence is."
        raise EvidenceInvalid(sentence, reason="malformed")
    return verified


def _pinned(keys: KeySet, kid: str, enclosed: object) -> ResponseKey:
    key = keys.get(kid)
    if key is None:
        raise SignatureInvalid(f"The key {kid} is not among the trusted keys.", reason="key")
    if enclosed != dict(key.jwk):
        sentence = f"The key in the evidence differs from the trusted key {kid}."
        raise SignatureInvalid(sentence, reason="key")
    return key


def _read(bundle: Mapping[str, Any]) -> tuple[Exchange, object, object]:
    if bundle.get("format") != FORMAT:
        raise EvidenceInvalid(f"This is not evidence of the form {FORMAT}.", reason="malformed")
    try:
        request, response = bundle["request"], bundle["response"]
        exchange = Exchange(
            method=_str(request["method"]),
            target_uri=_str(request["target_uri"]),
            request_headers=_headers(request["headers"], REQUEST_HEADERS),
            request_body=_bytes(request),
            status=_status(response["status"]),
            response_headers=_headers(response["headers"], RESPONSE_HEADERS),
            response_body=_bytes(response),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EvidenceInvalid(
            "The evidence lacks a part or cannot be read.", reason="malformed"
        ) from None
    return exchange, bundle.get("key"), bundle.get("signed_at")


def _written(body: bytes) -> dict[str, str]:
    """Write a body as text where that is exact, else in base64."""
    try:
        return {"body": body.decode("utf-8"), "body_encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode("ascii"), "body_encoding": "base64"}


def _bytes(part: Mapping[str, Any]) -> bytes:
    if part["body_encoding"] == "utf-8":
        return _str(part["body"]).encode("utf-8")
    if part["body_encoding"] == "base64":
        return parse_base64(_str(part["body"]))
    raise ValueError(part["body_encoding"])


def _headers(value: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, str]:
    """Take the signed headers; any other would come out as if it had been verified."""
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
