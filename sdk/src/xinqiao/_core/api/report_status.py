"""Present state of a credit report, by its page (`GET /R/{id}/status.json`).

Like the issuer's keys it is protected by TLS, and not signed; looking tells nobody what the report says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

import httpx2

from xinqiao._core.evidence.credit_report import CreditReport
from xinqiao._core.session import Session, check_issuer
from xinqiao._core.transport.problems import problem_error
from xinqiao._core.transport.retry import parse_retry_after
from xinqiao._core.transport.send import exchange
from xinqiao._core.wire.closed_lists import ReportState
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import Serializable
from xinqiao._core.wire.strict import parse_json
from xinqiao.errors import ConfigurationError, NotFound, ProtocolError

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

_OK: Final = 200
_NOT_FOUND: Final = 404
_HOLDING: Final = frozenset({"valid", "newer_records"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStatus(Serializable):
    """The state of a report at `as_of`."""

    report_id: str
    state: ReportState
    """One that is newer than this version does not hold."""
    valid_until: datetime
    as_of: datetime

    @property
    def holds(self) -> bool:
        """True if all that the report says still stands; with `newer_records` there is more by now."""
        return self.state in _HOLDING


def report_status(session: Session, report: CreditReport) -> Flow[ReportStatus]:
    """Ask whether a verified report of this gateway still holds."""
    if report.issuer != session.settings.issuer:
        raise ConfigurationError(f"The report is of another gateway, {report.issuer}.")
    response = yield from exchange("GET", status_address(report))
    return read_status(response, report, now=session.now())


def status_address(report: CreditReport) -> str:
    """The address of a report's state, on its issuer."""
    check_issuer(report.issuer)
    return f"{report.address}/status.json"


def read_status(response: httpx2.Response, report: CreditReport, *, now: float) -> ReportStatus:
    """Read the answer; raises `NotFound` where the gateway knows no such report."""
    if response.status_code == _NOT_FOUND:
        raise NotFound("The gateway does not know this report.", status=_NOT_FOUND)
    if response.status_code != _OK:
        raise problem_error(
            response.status_code,
            response.content,
            request_id=response.headers.get("x-request-id"),
            retry_after=parse_retry_after(response.headers.get("retry-after"), now=now),
        )
    try:
        body = Reader.of(parse_json(response.content), "the status")
    except ValueError as error:
        raise ProtocolError(f"The report's status cannot be read: {error}.") from None
    if body.text("report_id") != report.report_id:
        raise ProtocolError("The status is of another report.")
    return ReportStatus(
        report_id=report.report_id,
        state=cast("ReportState", body.text("status")),
        valid_until=body.time("valid_until"),
        as_of=body.time("as_of"),
    )
