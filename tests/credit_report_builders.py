"""Builders of credit reports from enterprises of the synthetic province."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from gateway.credit_reports.document import Choice, offered_datasets, report_of, reported_records
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import Enterprise, Record
from gateway.synthetic.delivered_rows import SyntheticEnterprise
from gateway.synthetic.province import province
from tests.creditfile_builders import CATALOGUE

TODAY: Final = date(2026, 11, 23)
NOW: Final = midnight(TODAY)
ISSUER: Final = "https://gw.example"
REPORT_ID: Final = "A" * 26


@cache
def enterprises(seed: int = 3) -> tuple[SyntheticEnterprise, ...]:
    """Some hundred enterprises, each special case among them."""
    return tuple(province(seed, 300, today=TODAY, catalogue=CATALOGUE))


def choice_of(
    datasets: Iterable[str] = (),
    *,
    years: int = 5,
    recipient: str | None = "示例银行",
    days: int = 30,
) -> Choice:
    """A choice of these datasets, or of all that are offered to a firm."""
    return Choice(
        span_from=TODAY - timedelta(days=365 * years),
        span_to=TODAY,
        datasets=tuple(datasets) or offered_datasets(CATALOGUE, "firm"),
        recipient=recipient,
        valid_until=midnight(TODAY + timedelta(days=days)),
    )


def make_report(
    enterprise: Enterprise, records: Iterable[Record], choice: Choice | None = None
) -> dict[str, Any]:
    """The report of an enterprise, unsigned."""
    choice = choice or choice_of()
    told = reported_records(enterprise, records, choice, CATALOGUE, NOW)
    return report_of(REPORT_ID, enterprise, told, choice, CATALOGUE, issuer=ISSUER, now=NOW)
