"""Batches of the fake gateway: each line is answered as the call that it stands for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx2

from xinqiao._core.batch.answer import NDJSON, PATH
from xinqiao._core.signatures.merkle import leaf_hash, root_of
from xinqiao._core.wire.strict import parse_json
from xinqiao.testing._rules.http_rules import problem_of
from xinqiao.testing._state.ids import new_id
from xinqiao.testing._state.stored_answers import StoredAnswers, key_of

from .signing import ResponseSigner

_LARGEST: Final = 10_000
_SINGLE: Final = "/v1/verifications"
_REPEATED: Final = "An earlier line has this number."
Answer = Callable[[httpx2.Request], httpx2.Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeBatch:
    """One batch: `answer` answers a single call, `charge` gives the seconds until a call fits."""

    request: httpx2.Request
    stored: StoredAnswers
    signer: ResponseSigner
    now: float
    answer: Answer
    charge: Callable[[], int | None]

    def response(self) -> httpx2.Response:
        """The answered lines and the signed manifest, or one problem."""
        if self.request.headers.get("content-type", "").partition(";")[0] != NDJSON:
            return problem_of("unsupported_media_type", detail=f"Send the body as {NDJSON}.")
        texts = [each for each in self.request.content.split(b"\n") if each.strip()]
        if len(texts) > _LARGEST:
            return problem_of("payload_too_large")
        if not texts:
            return problem_of("invalid_request", detail="A batch has one line at least.")
        when = datetime.fromtimestamp(int(self.now), UTC)
        if not self.stored.pin(self.request, when):
            return problem_of("idempotency_conflict")
        seen: set[int] = set()
        lines = [self._line(text, place, seen) for place, text in enumerate(texts, 1)]
        told = [json.dumps(line, ensure_ascii=False).encode() for line in lines]
        content = b"".join(line + b"\n" for line in [*told, self._manifest(told, when)])
        return httpx2.Response(200, content=content, headers={"Content-Type": NDJSON})

    def _line(self, text: bytes, place: int, seen: set[int]) -> dict[str, Any]:
        try:
            asked = parse_json(text)
        except ValueError:
            asked = None
        number = asked.get("line") if isinstance(asked, dict) else None
        if not isinstance(number, int):
            return _problem(place, "invalid_request")
        if number in seen:
            return _problem(number, "invalid_request", detail=_REPEATED)
        seen.add(number)
        body = {name: value for name, value in asked.items() if name != "line"}
        return {"line": number, **self._answered(body, place)}

    def _answered(self, body: Mapping[str, Any], place: int) -> dict[str, Any]:
        """The members of the answer, or of the problem."""
        key = key_of(self.request)
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = f"{key[:100]} {place}"
        content = json.dumps(body, ensure_ascii=False).encode()
        url = str(self.request.url).removesuffix(PATH) + _SINGLE
        single = httpx2.Request("POST", url, headers=headers, content=content)
        wait = None if self.stored.find(single) is not None else self.charge()
        if wait is not None:
            return {"problem": _told(problem_of("rate_limited")) | {"retry_after": wait}}
        response = self.answer(single)
        if response.is_success:
            return dict(parse_json(response.content))
        return {"problem": _told(response)}

    def _manifest(self, lines: list[bytes], when: datetime) -> bytes:
        manifest = {
            "batch_id": new_id("bat"),
            "lines": len(lines),
            "root": root_of([leaf_hash(line) for line in lines]).hex(),
            "request_digest": hashlib.sha256(self.request.content).hexdigest(),
            "created": when.isoformat(),
        }
        return json.dumps(self.signer.signed_manifest(manifest)).encode()


def _problem(number: int, code: str, *, detail: str | None = None) -> dict[str, Any]:
    return {"line": number, "problem": _told(problem_of(code, detail=detail))}


def _told(problem: httpx2.Response) -> dict[str, Any]:
    document = parse_json(problem.content)
    return {"code": document["code"], "detail": document["detail"]}
