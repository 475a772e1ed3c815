"""One batch: sent, read as it is answered, and verified against its signed manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx2
from cryptography.exceptions import InvalidSignature

from xinqiao._core import flow
from xinqiao._core.signatures.merkle import leaf_hash, root_of
from xinqiao._core.transport.api_call import Call, challenge_code, headers_with_proof, new_call
from xinqiao._core.transport.connection_errors import unavailable
from xinqiao._core.transport.oauth import access_token, forget_token
from xinqiao._core.transport.problems import problem_error
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.transport.send import clock_hint, retry_after, stream_request
from xinqiao._core.transport.verify_response import response_key, verify_response
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import canonical_json
from xinqiao._core.wire.strict import parse_base64, parse_json
from xinqiao.errors import AnswerLost, ProtocolError, SignatureInvalid

from .results import SignedManifest

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow, OpenedAnswer
    from xinqiao._core.session import Session

PATH: Final = "/v1/verifications/batch"
NDJSON: Final = "application/x-ndjson"
_LATER: Final = frozenset({"rate_limited", "quota_exhausted"})
_ENDED: Final = "The batch ended without its manifest; under its key it goes on where it was."


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """A verified batch: its lines as bytes and parsed, and its manifest."""

    lines: Sequence[bytes] = field(repr=False)
    documents: Sequence[Mapping[str, Any]] = field(repr=False)
    manifest: SignedManifest

    @property
    def waits(self) -> list[int]:
        """Seconds after which the lines fit their quotas that did not."""
        problems = (each.get("problem") for each in self.documents)
        return [
            each.get("retry_after", 0)
            for each in problems
            if isinstance(each, Mapping) and each.get("code") in _LATER
        ]


def read_batch(
    session: Session, body: bytes, *, lines: int, key: str, report: Callable[[int], None]
) -> Flow[BatchAnswer]:
    """Send a batch and read its answer to the end; `report` is told how many lines have come.

    Raises `AnswerLost` where it breaks off: sent again under its `key`, it goes on where it was.
    """
    call = new_call(
        session,
        "POST",
        PATH,
        scope="verify",
        body=body,
        headers={"content-type": NDJSON, "idempotency-key": key},
    )
    answer = yield from _open(session, call)
    try:
        *told, last = yield from _lines(answer, report)
    except httpx2.RequestError as error:
        raise unavailable(error, answer.response.request, lost=_ENDED) from error
    finally:
        yield from flow.close_answer(answer)
    return (yield from _verified(session, body, told, last, lines=lines))


def _open(session: Session, call: Call) -> Flow[OpenedAnswer]:
    """Send; once each, repeat with the nonce that the server asks for and with a new token."""
    spare = {"use_dpop_nonce": 1, "invalid_token": 1}
    while True:
        token = yield from access_token(session, call.scope)
        headers = headers_with_proof(session, call, token)
        answer = yield from stream_request(call.method, call.url, headers, call.body, call.timeout)
        response = answer.response
        if response.is_success:
            session.note_nonce("resource", response.headers)
            return answer
        yield from flow.close_answer(answer)
        evidence = yield from verify_response(session, response, lost=call.lost)
        session.note_nonce("resource", response.headers)
        reason = challenge_code(response)
        if not spare.get(reason):
            raise problem_error(
                evidence.status,
                evidence.body,
                request_id=response.headers.get("x-request-id"),
                retry_after=retry_after(session, response.headers),
                clock=clock_hint(session, response.headers),
            )
        spare[reason] -= 1
        if reason == "invalid_token":
            forget_token(session, call.scope, token)


def _lines(answer: OpenedAnswer, report: Callable[[int], None]) -> Flow[list[bytes]]:
    """The lines of an answer, the last of them the manifest or a problem."""
    found: list[bytes] = []
    rest = b""
    while (part := (yield from flow.read_part(answer))) is not None:
        *ended, rest = (rest + part).split(b"\n")
        found += ended
        report(max(0, len(found) - 1))
    if rest or not found:
        raise AnswerLost(_ENDED)
    return found


def _verified(
    session: Session, body: bytes, told: list[bytes], last: bytes, *, lines: int
) -> Flow[BatchAnswer]:
    """The answer, if the manifest is the gateway's, and of this request and these lines."""
    end = _document(last)
    if "manifest" not in end.members:
        raise _ended(end)
    leaves = [leaf_hash(line) for line in told]
    signed = SignedManifest(
        manifest=dict(end.object("manifest").members),
        keyid=end.text("keyid"),
        signature=end.text("signature"),
        leaves=leaves,
    )
    yield from _check_signature(session, signed)
    manifest = end.object("manifest")
    if manifest.text("request_digest") != hashlib.sha256(body).hexdigest():
        raise _refused("request", "The manifest is of another request")
    if manifest.integer("lines") != len(told) or manifest.text("root") != root_of(leaves).hex():
        raise _refused("lines", "The lines are not those that the manifest was signed over")
    if len(told) != lines:
        raise ProtocolError("The batch has other lines than were asked.")
    return BatchAnswer(
        lines=told, documents=[_document(line).members for line in told], manifest=signed
    )


def _check_signature(session: Session, signed: SignedManifest) -> Flow[None]:
    key = yield from response_key(session, signed.keyid)
    created = Reader.of(signed.manifest, "the manifest").time("created")
    now, skew = utc_time(session.now()), timedelta(seconds=session.settings.max_clock_skew)
    if not now - skew <= created <= now + skew:
        raise _refused(
            "created", f"The manifest's time, {created.isoformat()}, is too far from now"
        )
    if not key.in_force(created):
        raise _refused("key", f"The key {key.kid} was not in force when the manifest was signed")
    try:
        key.public.verify(parse_base64(signed.signature), canonical_json(signed.manifest))
    except (InvalidSignature, ValueError):
        raise _refused("signature", "The manifest's signature does not hold") from None


def _ended(end: Reader) -> AnswerLost:
    """The error of a batch that ended by a problem, which nobody has signed: it goes on under its key."""
    problem = end.optional_object("problem")
    code = problem.optional_text("code") if problem else None
    wait = problem.optional_integer("retry_after") if problem else None
    detail = (problem.optional_text("detail") if problem else None) or ""
    return AnswerLost(f"{_ENDED} {detail}".strip(), code=code, retry_after=wait)


def _document(line: bytes) -> Reader:
    try:
        return Reader.of(parse_json(line), "a line")
    except ValueError as error:
        raise ProtocolError(f"A line of the answer cannot be read: {error}.") from None


def _refused(reason: str, sentence: str) -> SignatureInvalid:
    return SignatureInvalid(f"{sentence}: nothing of this batch is to be believed.", reason=reason)
