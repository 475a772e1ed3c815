"""Resumable uploads of record files (tus 1.0.0), and their ingest jobs. Flows.

Offsets are read from the signed job document, since no signature covers `Upload-Offset`.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from xinqiao._core import flow
from xinqiao._core.transport.api_call import new_call, send_or_raise, send_with_retries
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.strict import parse_json
from xinqiao._core.wire.unknown_names import name_unknown
from xinqiao.errors import (
    CertificateUntrusted,
    LimitReached,
    ProtocolError,
    RequestRefused,
    ServerUnavailable,
    XinqiaoError,
)

if TYPE_CHECKING:
    from xinqiao._core.evidence.answer import Evidence
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session

T = TypeVar("T")
SCOPE: Final = "records:write"
SMALLEST_PART: Final = 1 << 20
LARGEST_PART: Final = 16 << 20
_UPLOADS: Final = "/v1/records/uploads"
_JOBS: Final = "/v1/records/jobs"
_VERSION: Final = {"tus-resumable": "1.0.0"}
_PART_TYPE: Final = "application/offset+octet-stream"
_NDJSON: Final = "application/x-ndjson"
_QUICK, _SLOW = 2.0, 20.0  # seconds in which a part was sent
_OFFSET_MAY_DIFFER: Final = frozenset({409, 423, 460})
"""Statuses after which the offset is asked again: conflict, busy, checksum."""
_COUNTS: Final = ("created", "updated", "unchanged", "rejected")
_ENDED: Final = frozenset({"done", "stopped"})
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """State of an upload and its ingest job; `evidence` holds the signed document."""

    job_id: str
    state: str
    received: int
    rows: int
    evidence: Evidence = field(repr=False)

    @property
    def has_ended(self) -> bool:
        """True if the job is done or was stopped."""
        return self.state in _ENDED

    @property
    def document(self) -> Mapping[str, Any]:
        """The job document."""
        return Reader.body(self.evidence).members


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSource:
    """A file to upload: its length, a reader of parts by offset and size, a progress listener."""

    length: int
    read: Callable[[int, int], bytes] = field(repr=False)
    moved: Callable[[int], None] = field(repr=False)


def create_upload(
    session: Session, *, length: int, metadata: Mapping[str, str], language: str
) -> Flow[JobStatus]:
    """Announce a file; `metadata` as tus has it (dataset, filename, sha256, …)."""
    pairs = ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items()
    )
    headers = _VERSION | {
        "upload-length": str(length),
        "upload-metadata": pairs,
        "accept-language": language,
    }
    made = new_call(session, "POST", _UPLOADS, scope=SCOPE, headers=headers)
    try:
        return _job((yield from send_with_retries(session, made)))
    except RequestRefused as error:
        name_unknown(error, {"datasets": [metadata.get("dataset")]})
        raise


def upload_parts(
    session: Session, job_id: str, source: PartSource, *, language: str
) -> Flow[JobStatus]:
    """Send what has not arrived yet, part by part, in spite of lost connections; the job then.

    A try that does not advance is followed by a pause, as the retry policy has it since the last advance,
    even if the gateway answered that it took the part. The gateway counts what it has kept, so the offset
    never shrinks: a document in which it does is a `ProtocolError`.
    """
    world = session.world
    job = yield from _offset(session, job_id, range(source.length + 1), language)
    size, tried, since = SMALLEST_PART, 0, world.ticks()
    while job.state == "receiving":
        offset = job.received
        yield from flow.invoke(partial(source.moved, offset))
        part = yield from flow.invoke(
            partial(source.read, offset, min(size, source.length - offset))
        )
        begun, failure = world.ticks(), None
        try:
            yield from _send_part(session, job_id, offset, part)
            size = next_part_size(size, world.ticks() - begun)
        except XinqiaoError as error:
            failure = error
            yield from _pause(session, failure, tried, since)
            size = SMALLEST_PART
        job = yield from _offset(session, job_id, range(offset, source.length + 1), language)
        if job.received > offset or job.state != "receiving":
            tried, since = 0, world.ticks()
            continue
        if failure is None:
            yield from _pause(session, _nothing_kept(), tried, since)
        tried += 1
    yield from flow.invoke(partial(source.moved, job.received))
    return job


def _pause(session: Session, error: XinqiaoError, tried: int, since: float) -> Flow[None]:
    """Wait before the next try; raises `error` if there is none."""
    world = session.world
    elapsed = world.ticks() - since
    wait = session.settings.retry.wait(tried, error, elapsed=elapsed, chance=world.chance)
    if wait is None or not _may_go_on(error):
        raise error
    yield from flow.pause(wait)


def _offset(session: Session, job_id: str, possible: range, language: str) -> Flow[JobStatus]:
    """The job with its offset, which must be a possible one."""
    job = yield from job_status(session, job_id, language=language)
    if job.received not in possible:
        raise ProtocolError(
            "In the answer, received is less than before, or more than the file has."
        )
    return job


def _nothing_kept() -> ServerUnavailable:
    return ServerUnavailable("The gateway took a part and kept nothing of it.")


def job_status(session: Session, job_id: str, *, language: str) -> Flow[JobStatus]:
    """Read the state of a job."""
    made = new_call(
        session, "GET", f"{_JOBS}/{job_id}", scope=SCOPE, headers={"accept-language": language}
    )
    return _job((yield from send_with_retries(session, made)))


def await_job(
    session: Session, job_id: str, *, moved: Callable[[JobStatus], None], language: str
) -> Flow[JobStatus]:
    """Poll a job, less and less often, until it has ended."""
    begun = session.world.ticks()
    while True:
        job = yield from job_status(session, job_id, language=language)
        yield from flow.invoke(partial(moved, job))
        if job.has_ended:
            return job
        waited = session.world.ticks() - begun
        yield from flow.pause(min(max(_SHORTEST_PAUSE, waited / 5), _LONGEST_PAUSE))


def job_list(
    session: Session, job_id: str, name: str, *, read: Callable[[Reader], T], language: str
) -> Flow[list[T]]:
    """Read a list of an ended job, `rejects` or `warnings`; `read` makes something of each entry."""
    headers = {"accept": _NDJSON, "accept-language": language}
    made = new_call(session, "GET", f"{_JOBS}/{job_id}/{name}", scope=SCOPE, headers=headers)
    evidence = yield from send_with_retries(session, made)
    try:
        entries = (Reader.of(parse_json(line), name) for line in io.BytesIO(evidence.body))
        return [read(each) for each in entries]
    except ValueError:
        raise ProtocolError(f"The list of {name} is no NDJSON.") from None


def next_part_size(size: int, seconds: float) -> int:
    """Size of the part after one of this size that took so long."""
    if seconds < _QUICK:
        return min(size * 2, LARGEST_PART)
    return max(size // 2, SMALLEST_PART) if seconds > _SLOW else size


def _send_part(session: Session, job_id: str, offset: int, part: bytes) -> Flow[Evidence]:
    headers = _VERSION | {"content-type": _PART_TYPE, "upload-offset": str(offset)}
    target = f"{_UPLOADS}/{job_id}"
    made = new_call(session, "PATCH", target, scope=SCOPE, body=part, headers=headers)
    return (yield from send_or_raise(session, made))


def _may_go_on(error: XinqiaoError) -> bool:
    if isinstance(error, CertificateUntrusted):
        return False
    return (
        isinstance(error, ServerUnavailable | LimitReached)
        or error.status in _OFFSET_MAY_DIFFER
        or error.code == "digest_mismatch"
    )


def _job(evidence: Evidence) -> JobStatus:
    """The job in a signed document, whose other members are checked too."""
    body = Reader.body(evidence)
    body.text("dataset")
    for name in _COUNTS:
        body.integer(name)
    if (warnings := body.optional_object("warnings")) is not None:
        for name in warnings.members:
            warnings.integer(name)
    body.optional_integer("passed_over")
    body.texts("ignored_columns")
    return JobStatus(
        job_id=body.text("job_id"),
        state=body.text("state"),
        received=body.integer("received"),
        rows=body.integer("rows"),
        evidence=evidence,
    )
