"""Serialised applications for repair: for the source's API, and the report of deadlines."""

from datetime import date, datetime
from typing import Any, Final

from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.creditfile.repairs.model import RepairApplication
from gateway.creditfile.working_days import working_days_left

REPORT_COLUMNS: Final = (
    "application_id",
    "source_id",
    "source_name",
    "dataset",
    "record_id",
    "uscc",
    "applied_at",
    "due_on",
    "provisional",
    "working_days_left",
)


def summary(application: RepairApplication, *, now: datetime) -> dict[str, Any]:
    """Application in a list, without texts."""
    return {
        "application_id": application.application_id,
        "status": application.status,
        "dataset": application.dataset,
        "record_id": application.record_id,
        "enterprise": {"uscc": application.uscc},
        "applied_at": _time(application.applied_at),
        "due": _due(application, day_of(now)),
        "closed_at": _time(application.closed_at),
    }


def full_document(
    application: RepairApplication, *, key: str | None, now: datetime
) -> dict[str, Any]:
    """Application with its texts and papers; `key` is the record's, if it still exists."""
    return summary(application, now=now) | {
        "key": key,
        "statement": application.statement,
        "commitment": True,
        "papers": [
            {"name": each.name, "size": each.size, "sha256": each.sha256}
            for each in application.papers
        ],
        "reason": application.reason,
    }


def due_row(application: RepairApplication, *, today: date) -> dict[str, Any]:
    """One row of the report of deadlines, by `REPORT_COLUMNS`."""
    row = {name: getattr(application, name, None) for name in REPORT_COLUMNS}
    return row | {
        "applied_at": _time(application.applied_at),
        "due_on": application.due_on.isoformat(),
        "provisional": application.due_provisional,
        "working_days_left": working_days_left(today, application.due_on),
    }


def _due(application: RepairApplication, today: date) -> dict[str, Any] | None:
    if not application.is_open:
        return None
    return {
        "on": application.due_on.isoformat(),
        "provisional": application.due_provisional,
        "working_days_left": working_days_left(today, application.due_on),
        "overdue": today > application.due_on,
    }


def _time(moment: datetime | None) -> str | None:
    """ISO 8601 in Shanghai."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds") if moment else None
