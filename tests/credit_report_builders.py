"""Builders of credit reports: from the synthetic province, and in a running portal."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import httpx2

from gateway.credit_reports.document import Choice, offered_datasets, report_of, reported_records
from gateway.credit_reports.ids import report_id_of
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import Enterprise, Record
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE
from tests.portal_fixture import PortalFixture, hidden_fields

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


async def post_report(
    portal: PortalFixture, browser: httpx2.AsyncClient, uscc: str = "", **changed: Any
) -> httpx2.Response:
    """Choose a report, look at its preview and make it; the last answer."""
    address = f"/portal/enterprises/{uscc or portal.firm}/reports/new"
    page = await browser.get(address)
    chosen = {
        "from": "2023-11-23",
        "to": "2026-11-22",
        "dataset": ["registration", "penalty", "serious_violation"],
        "recipient": "示例银行",
        "days": "30",
    } | changed
    preview = await browser.post(
        address, data=hidden_fields(page.text, address) | chosen | {"step": "preview"}
    )
    if preview.status_code != 200:
        return preview
    shown = hidden_fields(preview.text, address)
    return await browser.post(address, data=shown | {"dataset": chosen["dataset"], "step": "make"})


async def make_own_report(
    portal: PortalFixture, browser: httpx2.AsyncClient, uscc: str = "", **changed: Any
) -> str:
    """The number of a report that was made in the portal."""
    answer = await post_report(portal, browser, uscc, **changed)
    assert answer.status_code == 303, answer.text
    page = await browser.get(answer.headers["location"])
    return page.text.partition('href="/R/')[2].partition('"')[0]


async def take_back(browser: httpx2.AsyncClient, number: str) -> httpx2.Response:
    """Take a report back in the portal."""
    address = f"/portal/reports/{report_id_of(number)}/take-back"
    page = await browser.get(address)
    return await browser.post(address, data=hidden_fields(page.text, address))
