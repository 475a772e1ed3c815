"""Builders of reports on codes: forms, reports from many networks, and what was stored."""

import html
from typing import Any, Final

import httpx2
from sqlalchemy import text

from tests.portal_fixture import PortalFixture, hidden_fields

FORM: Final = "/E/report"


async def rows(portal: PortalFixture, sql: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a statement."""
    async with portal.engine.begin() as connection:
        found = await connection.execute(text(sql), values)
        return [dict(row) for row in found.mappings()] if found.returns_rows else []


async def held(portal: PortalFixture) -> tuple[int, int]:
    """The reports counted and those stored."""
    [found] = await rows(
        portal,
        "SELECT coalesce(sum(reports), 0) AS counted, (SELECT count(*) FROM code_report) AS stored"
        "  FROM code_report_case",
    )
    return int(found["counted"]), int(found["stored"])


async def fields_for(browser: httpx2.AsyncClient, code: str) -> dict[str, str]:
    """The fields of a fresh form."""
    page = await browser.get(FORM, params={"code": code})
    hidden = {name: html.unescape(value) for name, value in hidden_fields(page.text).items()}
    return hidden | {"ground": "other", "text": ""}


async def report(
    portal: PortalFixture, code: str, network: int = 1, **changed: str
) -> httpx2.Response:
    """Send a report from one network of many."""
    address = f"10.{network // 250}.{network % 250}.1"
    browser = portal.browser(**{"X-Forwarded-For": address})
    return await browser.post(FORM, data=await fields_for(browser, code) | changed)
