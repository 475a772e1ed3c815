"""Batches of verifications: their lines, and what comes back, checked against its manifest."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests import reference_merkle
from tests.gateway_fixture import Caller, GatewayFixture, QuestionValue, verification_body

PATH: Final = "/v1/verifications/batch"
NDJSON: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """A batch as it came back: its lines as bytes, and the last one if it is no answer."""

    lines: Sequence[bytes]
    last: Mapping[str, Any]

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The answered lines."""
        return [orjson.loads(line) for line in self.lines]

    @property
    def answers(self) -> list[list[str] | str]:
        """Of each line its answers, or the code of its problem."""
        return [
            each["problem"]["code"]
            if "problem" in each
            else [one["answer"] for one in each["answers"]]
            for each in self.documents
        ]


def batch_line(
    number: int,
    uscc: str,
    *questions: str | tuple[str, QuestionValue],
    purpose: str = "merchant_review",
) -> bytes:
    """One line of a batch."""
    return orjson.dumps({"line": number, **verification_body(uscc, *questions, purpose=purpose)})


def batch_body(lines: Sequence[bytes]) -> bytes:
    """The body of these lines."""
    return b"".join(line + b"\n" for line in lines)


def read_batch(body: bytes) -> BatchAnswer:
    """The lines of an answer."""
    *lines, last, rest = body.split(b"\n")
    assert rest == b"", "the last line has no end"
    return BatchAnswer(lines=lines, last=orjson.loads(last))


async def send_batch(
    caller: Caller,
    lines: Sequence[bytes] | bytes,
    *,
    key: str | None = None,
    headers: Mapping[str, str | None] | None = None,
) -> httpx2.Response:
    """Send a batch; its answer as it came."""
    raw = lines if isinstance(lines, bytes) else batch_body(lines)
    own: dict[str, str | None] = {"Content-Type": NDJSON}
    if key is not None:
        own["Idempotency-Key"] = key
    right = await caller.headers("POST", PATH, raw)
    sent = {name: v for name, v in {**right, **own, **(headers or {})}.items() if v is not None}
    http = caller.http or caller.gateway.http
    response = await http.post(PATH, content=raw, headers=sent)
    if response.status_code != httpx2.codes.OK:
        caller.gateway.checked(response)
    return response


async def answered(
    caller: Caller, lines: Sequence[bytes] | bytes, *, key: str | None = None
) -> BatchAnswer:
    """Send a batch that is answered to its end, and verify its manifest."""
    raw = lines if isinstance(lines, bytes) else batch_body(lines)
    response = await send_batch(caller, raw, key=key)
    assert response.status_code == httpx2.codes.OK, response.text
    found = read_batch(response.content)
    verify_manifest(caller.gateway, raw, found)
    return found


def verify_manifest(gateway: GatewayFixture, body: bytes, found: BatchAnswer) -> None:
    """Assert that the manifest is signed and fits the request and every line."""
    assert found.last.keys() == {"manifest", "keyid", "signature"}, found.last
    manifest = found.last["manifest"]
    assert manifest.keys() == {"batch_id", "lines", "root", "request_digest", "created"}
    assert manifest["lines"] == len(found.lines)
    assert manifest["root"] == reference_merkle.mth(list(found.lines)).hex()
    assert manifest["request_digest"] == hashlib.sha256(body).hexdigest()
    keys = gateway.runtime.keys.published()["keys"]
    jwk = next(each for each in keys if each["kid"] == found.last["keyid"])
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "=="))
    canonical = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
    public.verify(base64.b64decode(found.last["signature"]), canonical)
