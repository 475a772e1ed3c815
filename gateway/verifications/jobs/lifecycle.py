"""States of a verification job and the acts that move it. Pure.

A job paused by a quota or by failures goes on by itself at `resumes_at`; one paused by its client only
when resumed. A started job none of whose lines can be answered for days is stopped.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """States of a job."""

    CREATED = "created"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    DELETED = "deleted"


class PauseReason(StrEnum):
    """Why a job is paused."""

    BY_CLIENT = "by_client"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


class StopReason(StrEnum):
    """Why a job was stopped before its last line; it does not go on."""

    CLIENT_SUSPENDED = "client_suspended"
    AGREEMENT_MISSING = "agreement_missing"
    AGREEMENT_ENDED = "agreement_ended"
    NO_PROGRESS = "no_progress"
    FAILED = "failed"


class ClientAct(StrEnum):
    """Acts of the client that made the job."""

    UPLOAD = "upload"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    COLLECT = "collect"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPhase:
    """A job's state, its reason if paused or stopped, and when it goes on by itself."""

    state: JobState
    reason: PauseReason | StopReason | None = None
    resumes_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """The act does not fit the present state."""

    state: JobState
    act: ClientAct


_STARTS_FROM: Final = {
    ClientAct.UPLOAD: {JobState.CREATED, JobState.READY},
    ClientAct.START: {JobState.READY},
    ClientAct.PAUSE: {JobState.RUNNING, JobState.PAUSED},
    ClientAct.RESUME: {JobState.PAUSED, JobState.RUNNING},
    ClientAct.COLLECT: {JobState.DONE, JobState.STOPPED},
    ClientAct.DELETE: set(JobState),
}
_LEADS_TO: Final = {
    ClientAct.UPLOAD: JobPhase(state=JobState.READY),
    ClientAct.START: JobPhase(state=JobState.RUNNING),
    ClientAct.PAUSE: JobPhase(state=JobState.PAUSED, reason=PauseReason.BY_CLIENT),
    ClientAct.RESUME: JobPhase(state=JobState.RUNNING),
    ClientAct.DELETE: JobPhase(state=JobState.DELETED),
}
RETRY_SECONDS: Final = 5
LONGEST_RETRY_SECONDS: Final = 600
ENDED: Final = frozenset({JobState.DONE, JobState.STOPPED, JobState.DELETED})


def act_on(phase: JobPhase, act: ClientAct) -> JobPhase | NotNow:
    """The phase after a client's act; the same one where it has no effect."""
    if phase.state not in _STARTS_FROM[act]:
        return NotNow(state=phase.state, act=act)
    return _LEADS_TO.get(act, phase)


def wait_until(phase: JobPhase, reason: PauseReason, until: datetime) -> JobPhase:
    """The phase after a quota has ended or a set has failed; a client's own pause stays."""
    if phase.state is not JobState.RUNNING:
        return phase
    return JobPhase(state=JobState.PAUSED, reason=reason, resumes_at=until)


def retry_seconds(attempts: int) -> int:
    """Seconds to wait after so many failures in a row: doubled each time, ten minutes at most."""
    return min(RETRY_SECONDS << min(attempts, 10), LONGEST_RETRY_SECONDS)


def is_due(phase: JobPhase, now: datetime) -> bool:
    """True where a line of the job may be answered now."""
    if phase.state is JobState.RUNNING:
        return True
    waits = phase.state is JobState.PAUSED and phase.resumes_at is not None
    return waits and phase.resumes_at is not None and phase.resumes_at <= now


def end(phase: JobPhase, reason: StopReason | None = None) -> JobPhase:
    """The phase after the last line, or after a stop with its reason; a deleted job stays deleted."""
    if phase.state in ENDED:
        return phase
    if reason is None:
        return replace(phase, state=JobState.DONE, reason=None, resumes_at=None)
    return JobPhase(state=JobState.STOPPED, reason=reason)
