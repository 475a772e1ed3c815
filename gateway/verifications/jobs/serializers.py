"""JSON forms of jobs."""

from collections.abc import Mapping
from typing import Any

from gateway.access.serializers.timestamps import format_time
from gateway.verifications.jobs.stored_job import Job

_TIMES = (
    "created_at",
    "uploaded_at",
    "started_at",
    "ended_at",
    "collected_at",
    "ends_at",
    "expires_at",
)


def job_document(job: Job, deletion: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A job without the members that do not apply."""
    found: dict[str, Any] = {
        "job_id": job.job_id,
        "state": job.state,
        "reason": job.reason,
        "resumes_at": None if job.resumes_at is None else format_time(job.resumes_at),
        "purpose": job.purpose,
        "questions": job.questions,
        "lines": job.lines,
        "broken": job.broken,
        "answered": job.answered,
        "problems": job.problems,
    }
    times = {name: getattr(job, name) for name in _TIMES}
    found |= {name: None if at is None else format_time(at) for name, at in times.items()}
    found["deletion"] = deletion
    return {name: value for name, value in found.items() if value is not None}
