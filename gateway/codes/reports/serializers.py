"""JSON of cases for operators: coarse numbers; texts only where one case is shown."""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.access.serializers.timestamps import format_time
from gateway.codes.coarse_counts import at_least
from gateway.codes.ids import parse_code_id
from gateway.codes.reports.model import HANDLING_WORKING_DAYS, OTHER_TEXTS, ReportStatus
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.working_days import working_days_after


def summary(case: Mapping[str, Any]) -> dict[str, Any]:
    """A case in the queue."""
    key, is_open = case["code_key"], case["status"] == ReportStatus.OPEN
    code_id = key if parse_code_id(key) == key else None
    due = working_days_after(day_of(case["first_at"]), HANDLING_WORKING_DAYS)
    grounds = sorted(case["grounds"].items(), key=lambda each: (-each[1], each[0]))
    return {
        "case_id": case["case_id"],
        "code_id": code_id,
        "scanned": code_id,
        "enterprise": {"uscc": case["uscc"]} if case["uscc"] else None,
        "status": case["status"],
        "reports_at_least": at_least(case["reports"]),
        "grounds": [{"ground": name, "at_least": at_least(n)} for name, n in grounds],
        "unusual_scans": case["unusual"],
        "first_at": format_time(case["first_at"]),
        "last_at": format_time(case["last_at"]),
        "due_on": due.day.isoformat() if is_open else None,
        "decision": None if is_open else _decision(case),
    }


def full_document(case: Mapping[str, Any], texts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A case with what was scanned and its stored reports."""
    stored = [
        {"ground": each["ground"], "text": each["text"], "at": format_time(each["at"])}
        for each in texts
    ]
    return summary(case) | {
        "scanned": case["code_key"] if case["code_key"] != OTHER_TEXTS else None,
        "reports": stored,
        "not_kept_at_least": at_least(case["reports"] - case["kept"]),
    }


def _decision(case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "outcome": case["status"],
        "reasons": case["reasons"],
        "by": case["decided_by"],
        "at": format_time(case["decided_at"]),
        "revoked": case["revoked"],
    }
