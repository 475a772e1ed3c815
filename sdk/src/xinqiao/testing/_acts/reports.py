"""Enterprises' own credit reports in the fake gateway: made, taken back, and whether one still holds."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2

from xinqiao._core.evidence.credit_report import TYPE
from xinqiao._core.wire.closed_lists import DATASETS
from xinqiao._core.wire.dates import CHINA
from xinqiao.testing._endpoints.query_pages import complete_record
from xinqiao.testing._endpoints.signing import ResponseSigner, json_response, problem
from xinqiao.testing._rules.published import CATALOGUE_VERSION
from xinqiao.testing._rules.setup_checks import (
    FakeSetupError,
    each_known,
    known,
    optional,
    whole,
    written,
)

from .consent_acts import FakeConsentActs

PATH: Final = "/R/"
LONGEST_DAYS: Final = 90
NOT_CHOSEN: Final = {
    "code": "not_chosen",
    "zh": "本报告只含企业自行选定的类别和期间；未列入的类别和期间，不代表没有记录。",
    "en": "The report holds only the kinds of records and the span that the enterprise chose; of others it "
    "says nothing.",
    "datasets": [],
}
SPAN: Final = timedelta(days=5 * 365)


@dataclass(slots=True, kw_only=True)
class FakeReport:
    """A report and its state."""

    uscc: str
    datasets: tuple[str, ...]
    valid_until: datetime
    records: Mapping[str, int]
    """Versions by id."""
    taken_back: bool = False

    def state(self, now: datetime, records: Iterable[Mapping[str, Any]]) -> str:
        """Its state, with the records that its enterprise's file has now."""
        if self.taken_back:
            return "taken_back"
        if now >= self.valid_until:
            return "expired"
        held = {each["record_id"]: each.get("version", 1) for each in records}
        if any(held.get(name) != version for name, version in self.records.items()):
            return "changed"
        return "valid" if held.keys() == self.records.keys() else "newer_records"


@dataclass(slots=True, kw_only=True)
class FakeReports:
    """Reports by id."""

    made: dict[str, FakeReport] = field(default_factory=dict)


class FakeReportActs(FakeConsentActs):
    """The part of a `FakeGateway` in which a test's enterprise makes reports on itself."""

    issuer: str
    signer: ResponseSigner
    _reports: FakeReports

    def make_report(
        self,
        uscc: str,
        *,
        datasets: Iterable[str],
        name: str = "甲公司",
        recipient: str | None = None,
        days: int = 30,
    ) -> bytes:
        """Have an enterprise make a report with its records in these datasets; return the signed file."""
        code = self._enterprise(uscc)
        chosen = each_known(datasets, DATASETS, "dataset")
        if not chosen:
            raise FakeSetupError("A report needs a dataset or more.")
        whole(days, "number of days", least=1, most=LONGEST_DAYS)
        written(name, "name of an enterprise")
        optional(lambda value: written(value, "recipient"))(recipient)
        report = FakeReport(
            uscc=code,
            datasets=chosen,
            valid_until=self._time + timedelta(days=days),
            records={
                each["record_id"]: each.get("version", 1) for each in self._records_in(code, chosen)
            },
        )
        report_id = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
        self._reports.made[report_id] = report
        return self.signer.signed_report(
            self._document(report_id, report, name=name, recipient=recipient)
        )

    def take_back_report(self, report_id: str) -> None:
        """Have its enterprise take a report back."""
        self._reports.made[known(report_id, self._reports.made, "id of a report")].taken_back = True

    def _records_in(self, uscc: str, datasets: Iterable[str]) -> list[Mapping[str, Any]]:
        chosen = set(datasets)
        file = self._resources.files.enterprises[uscc]
        return [each for each in file.records if each["dataset"] in chosen]

    def _document(
        self, report_id: str, report: FakeReport, *, name: str, recipient: str | None
    ) -> dict[str, Any]:
        now, today = self._time.isoformat(), self._time.astimezone(CHINA).date()
        records = [
            complete_record(
                each, report.valid_until, self._time, catalogue=CATALOGUE_VERSION, retention_days=0
            )
            for each in self._records_in(report.uscc, report.datasets)
        ]
        found = {each["dataset"] for each in records}
        return {
            "type": TYPE,
            "report_id": report_id,
            "issuer": self.issuer,
            "address": f"{self.issuer}{PATH}{report_id}",
            "enterprise": {"uscc": report.uscc, "name": name},
            "recipient": recipient,
            "span": {"from": (today - SPAN).isoformat(), "to": today.isoformat()},
            "datasets": list(report.datasets),
            "created": now,
            "as_of": now,
            "valid_until": report.valid_until.isoformat(),
            "catalogue_version": CATALOGUE_VERSION,
            "records": records,
            "nothing_found": [each for each in report.datasets if each not in found],
            "left_out": [NOT_CHOSEN],
        }

    def _report_page(self, request: httpx2.Request) -> httpx2.Response:
        """Page at the report's address: its state alone."""
        report_id, _, rest = request.url.path.removeprefix(PATH).partition("/")
        report = self._reports.made.get(report_id)
        if report is None or rest != "status.json":
            return problem(404, "not_found")
        state = report.state(self._time, self._records_in(report.uscc, report.datasets))
        status = {
            "report_id": report_id,
            "status": state,
            "valid_until": report.valid_until.isoformat(),
            "as_of": self._time.isoformat(),
        }
        return json_response(200, status)
