"""Present validity of a report: its records compared with those that would be reported now. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from gateway.access.serializers.timestamps import format_time
from gateway.credit_reports.document import Choice, ReportedRecord, reported_records
from gateway.credit_reports.model import ReportState, StoredReport
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Enterprise, Record


def choice_now(report: Mapping[str, Any], stored: StoredReport, now: datetime) -> Choice:
    """The choice behind a report; a span to the day of its making goes on to today."""
    last, made = date.fromisoformat(report["span"]["to"]), day_of(stored.created_at)
    return Choice(
        span_from=date.fromisoformat(report["span"]["from"]),
        span_to=last if last < made else day_of(now),
        datasets=tuple(report["datasets"]),
        recipient=report["recipient"],
        valid_until=stored.valid_until,
    )


def state_of(
    report: Mapping[str, Any],
    stored: StoredReport,
    enterprise: Enterprise | None,
    records: Iterable[Record],
    catalogue: Catalogue,
    now: datetime,
) -> ReportState:
    """The state of a report that has not ended by itself; `records` are the file's at this moment."""
    if enterprise is None or enterprise.name != report["enterprise"]["name"]:
        return ReportState.CHANGED
    if enterprise.status != stored.registration_status:
        return ReportState.CHANGED
    if not all(map(catalogue.has_dataset, report["datasets"])):
        return ReportState.CHANGED
    choice = choice_now(report, stored, now)
    told = {
        each.record.record_id: each
        for each in reported_records(enterprise, records, choice, catalogue, now)
    }
    for each in report["records"]:
        if not _is_as_reported(each, told.get(each["record_id"])):
            return ReportState.CHANGED
    is_same = told.keys() == {each["record_id"] for each in report["records"]} and all(
        each.get("objection") == _objection(told[each["record_id"]].record)
        for each in report["records"]
    )
    return ReportState.VALID if is_same else ReportState.NEWER_RECORDS


def _is_as_reported(reported: Mapping[str, Any], now: ReportedRecord | None) -> bool:
    """True where the record is still told, in this version, with what the report says of it."""
    return (
        now is not None
        and now.record.version == reported["version"]
        and all(now.fields.get(name) == value for name, value in reported["fields"].items())
    )


def _objection(record: Record) -> dict[str, str] | None:
    if record.objection_since is None:
        return None
    return {"since": format_time(record.objection_since)}
