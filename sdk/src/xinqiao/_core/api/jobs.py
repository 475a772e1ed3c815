"""Verification jobs: made, filled, started, followed and deleted. Flows."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from xinqiao._core import flow
from xinqiao._core.batch.parsing import read_problem
from xinqiao._core.batch.results import RowProblem
from xinqiao._core.transport.api_call import call, new_call, send_with_retries
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import Serializable
from xinqiao.errors import ConfigurationError

from .bundles import check_alone

if TYPE_CHECKING:
    from xinqiao._core.evidence.answer import Evidence
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.wire.closed_lists import BundleName, Purpose

_PATH: Final = "/v1/verifications/jobs"
SCOPE: Final = "verify"
UPLOAD_SECONDS: Final = 900
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # seconds
_TYPES: Final = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
}

#: A question's tag, or an object with `question` and its `value`, `column` or `columns`.
JobQuestion = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Serializable):
    """A verification job: how far it is, and why it waits. `deletion` is the proof of a deleted one."""

    job_id: str
    state: str
    reason: str | None
    resumes_at: datetime | None
    lines: int
    broken: int
    answered: int
    problems: int
    ends_at: datetime | None
    expires_at: datetime | None
    deletion: Mapping[str, Any] | None
    evidence: Evidence = field(repr=False)

    @property
    def has_ended(self) -> bool:
        """True if the job is done, was stopped, or is deleted."""
        return self.state in {"done", "stopped", "deleted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenLines(Serializable):
    """Lines taken of an upload; `first_broken` are problems of lines that cannot be asked, by line."""

    lines: int
    broken: int
    first_broken: Mapping[int, RowProblem]
    evidence: Evidence = field(repr=False)


def create(
    session: Session,
    *,
    purpose: Purpose | None = None,
    questions: Iterable[JobQuestion] = (),
    bundle: BundleName | None = None,
) -> Flow[Job]:
    """Make a job without lines.

    With `purpose` and `questions` every row of its file is asked these: a public state by its tag, a band
    with its `value`, an asserted value with the `column` that holds it. A `bundle` in the place of
    `questions` stands for those of its questions that the agreement covers now. Without them its lines are
    those of a batch.
    """
    asked = [{"question": each} if isinstance(each, str) else dict(each) for each in questions]
    check_alone(bundle, asked)
    body: dict[str, Any] = {}
    if bundle is not None:
        body = {"purpose": purpose, "bundle": bundle}
    elif purpose is not None or asked:
        body = {"purpose": purpose, "questions": asked}
    made = new_call(session, "POST", _PATH, scope=SCOPE, body=body)
    return _job((yield from send_with_retries(session, made)))


def get(session: Session, job_id: str) -> Flow[Job]:
    """Read one job of this client."""
    return _job((yield from call(session, "GET", job_path(job_id), scope=SCOPE)))


def list_jobs(session: Session) -> Flow[tuple[Job, ...]]:
    """Read this client's newest 100 jobs."""
    evidence = yield from call(session, "GET", _PATH, scope=SCOPE)
    return tuple(_read_job(each, evidence) for each in Reader.body(evidence).objects("jobs"))


def upload(
    session: Session,
    job_id: str,
    lines: bytes | str | os.PathLike[str],
    *,
    content_type: str | None = None,
) -> Flow[TakenLines]:
    """Send a job's lines, a file or its bytes, in the place of earlier ones: all are kept, or none.

    The `content_type` is found by the file's name; of bytes it is to be given. The file is held in memory.
    """
    path = None if isinstance(lines, bytes) else Path(lines)
    if content_type is None and path is not None:
        content_type = _TYPES.get(path.suffix.lower())
    if content_type is None:
        raise ConfigurationError("Name the content_type of the lines: NDJSON, CSV or a workbook.")
    content = (
        lines if isinstance(lines, bytes) else (yield from flow.invoke(Path(lines).read_bytes))
    )
    made = new_call(
        session,
        "PUT",
        f"{job_path(job_id)}/lines",
        scope=SCOPE,
        body=content,
        headers={"content-type": content_type},
        wait=UPLOAD_SECONDS,
    )
    evidence = yield from send_with_retries(session, made, held=UPLOAD_SECONDS)
    body = Reader.body(evidence)
    return TakenLines(
        lines=body.integer("lines"),
        broken=body.integer("broken"),
        first_broken={
            each.integer("line"): read_problem(each.object("problem"))
            for each in body.objects("first_broken")
        },
        evidence=evidence,
    )


def start(session: Session, job_id: str) -> Flow[Job]:
    """Start a job that has its lines."""
    return (yield from _act(session, job_id, "start"))


def pause(session: Session, job_id: str) -> Flow[Job]:
    """Pause a job until it is resumed."""
    return (yield from _act(session, job_id, "pause"))


def resume(session: Session, job_id: str) -> Flow[Job]:
    """Let a paused job go on."""
    return (yield from _act(session, job_id, "resume"))


def delete(session: Session, job_id: str) -> Flow[Job]:
    """Delete a job with its lines and answers; its `deletion` is the signed proof."""
    return _job((yield from call(session, "DELETE", job_path(job_id), scope=SCOPE)))


def wait(
    session: Session,
    job_id: str,
    *,
    progress: Callable[[Job], object | Awaitable[object]] | None = None,
) -> Flow[Job]:
    """Wait until a job has ended, or its client has paused it; `progress` is told each look.

    A job that a quota has paused goes on by itself, and is waited for.
    """
    begun = session.world.ticks()
    while True:
        job = yield from get(session, job_id)
        if progress is not None:
            yield from flow.invoke(partial(progress, job))
        if job.has_ended or job.reason == "by_client" or job.state in {"created", "ready"}:
            return job
        waited = session.world.ticks() - begun
        yield from flow.pause(min(max(_SHORTEST_PAUSE, waited / 10), _LONGEST_PAUSE))


def _act(session: Session, job_id: str, verb: str) -> Flow[Job]:
    target = f"{job_path(job_id)}/{verb}"
    return _job((yield from call(session, "POST", target, scope=SCOPE)))


def job_path(job_id: str) -> str:
    """Path of a job."""
    return f"{_PATH}/{quote(job_id, safe='')}"


def _job(evidence: Evidence) -> Job:
    return _read_job(Reader.body(evidence), evidence)


def _read_job(body: Reader, evidence: Evidence) -> Job:
    deletion = body.optional_object("deletion")
    return Job(
        job_id=body.text("job_id"),
        state=body.text("state"),
        reason=body.optional_text("reason"),
        resumes_at=body.optional_time("resumes_at"),
        lines=body.integer("lines"),
        broken=body.integer("broken"),
        answered=body.integer("answered"),
        problems=body.integer("problems"),
        ends_at=body.optional_time("ends_at"),
        expires_at=body.optional_time("expires_at"),
        deletion=None if deletion is None else deletion.members,
        evidence=evidence,
    )
