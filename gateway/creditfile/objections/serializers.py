"""Serialised objections: for the source's and reviewer's API, and the report of deadlines."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.creditfile.objections.model import Objection, ObjectionEvent, Role, Status
from gateway.creditfile.working_days import working_days_left
from gateway.pages.csv_safe import escape_formula

NEXT: Final = {
    Status.OPEN: Role.SOURCE,
    Status.DECIDED: Role.ENTERPRISE,
    Status.IN_REVIEW: Role.REVIEWER,
    Status.ORDERED: Role.SOURCE,
}
"""Role that has to act next."""
REPORT_COLUMNS: Final = (
    "objection_id",
    "kind",
    "status",
    "next",
    "source_id",
    "source_name",
    "dataset",
    "record_id",
    "uscc",
    "raised_at",
    "due_on",
    "provisional",
    "working_days_left",
)


def summary(objection: Objection, *, now: datetime) -> dict[str, Any]:
    """Objection in a list, without texts."""
    return {
        "objection_id": objection.objection_id,
        "kind": objection.kind,
        "status": objection.status,
        "outcome": objection.outcome,
        "dataset": objection.dataset,
        "record_id": objection.record_id,
        "enterprise": {"uscc": objection.uscc},
        "contests": _contests(objection),
        "raised_at": _time(objection.raised_at),
        "due": _due(objection, day_of(now)),
        "extended": objection.extended_at is not None,
        "final_at": _time(objection.final_at),
    }


def full_document(
    objection: Objection, events: Sequence[ObjectionEvent], *, key: str | None, now: datetime
) -> dict[str, Any]:
    """Objection with texts and history; `key` is the record's, if it still exists."""
    return summary(objection, now=now) | {
        "key": key,
        "record_version": objection.record_version,
        "text": objection.text,
        "wanted": objection.wanted,
        "reasons": objection.reasons,
        "latest_on": objection.latest_on.isoformat(),
        "review": {"text": objection.review_text, "reasons": objection.review_reasons},
        "history": [
            {
                "what": each.what,
                "by": each.role,
                "at": _time(each.at),
                "outcome": each.outcome,
                "reason": each.reason,
            }
            for each in events
        ],
    }


def due_row(objection: Objection, *, today: date) -> dict[str, Any]:
    """One row of the report of deadlines, by `REPORT_COLUMNS`."""
    last = objection.due_on
    return {
        "objection_id": objection.objection_id,
        "kind": objection.kind.value,
        "status": objection.status.value,
        "next": NEXT[objection.status].value if objection.status in NEXT else "",
        "source_id": objection.source_id,
        "source_name": objection.source_name,
        "dataset": objection.dataset,
        "record_id": objection.record_id,
        "uscc": objection.uscc,
        "raised_at": _time(objection.raised_at),
        "due_on": last.isoformat() if last else None,
        "provisional": objection.due_provisional,
        "working_days_left": working_days_left(today, last) if last else None,
    }


def as_csv(rows: Iterable[dict[str, Any]], columns: Sequence[str] = REPORT_COLUMNS) -> str:
    """The report as CSV (RFC 4180), safe from formula injection."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: escape_formula(each) if isinstance(each, str) else each
                for name, each in row.items()
            }
        )
    return out.getvalue()


def _contests(objection: Objection) -> dict[str, str | None] | None:
    return None if objection.contests is None else asdict(objection.contests)


def _due(objection: Objection, today: date) -> dict[str, Any] | None:
    if objection.due_on is None:
        return None
    left = working_days_left(today, objection.due_on)
    return {
        "on": objection.due_on.isoformat(),
        "provisional": objection.due_provisional,
        "working_days_left": left,
        "overdue": today > objection.due_on,
        "next": NEXT[objection.status],
    }


def _time(moment: datetime | None) -> str | None:
    """ISO 8601 in Shanghai."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds") if moment else None
