"""Links that a delegate with one permission meets: each leads to a page that the delegate may see."""

import re
from collections import Counter

import httpx2
from sqlalchemy import text

from gateway.identity.permissions import DELEGABLE
from tests.api.test_portal_delegates import make_delegate
from tests.portal_fixture import PortalFixture
from tests.portal_gallery import fill_gallery

LINK = re.compile(r'<a [^>]*href="(/portal/[^"#?]+)"')
FILES = (".json", ".pdf", ".csv", ".svg", ".png")
OWN = {
    "consents": "/portal/consents/",
    "record": "/records/",
    "objections": "/portal/objections/",
    "repairs": "/portal/repairs/",
    "reports": "/portal/reports/",
    "codes": "/portal/codes/",
}
"""A part of the addresses of each permission's pages."""
ID = re.compile(r"\w+_\w+|[0-9A-Z]{18,}")


async def followed(browser: httpx2.AsyncClient) -> dict[str, int]:
    """The pages that links lead to from the start page, three of each kind, with their status."""
    found: dict[str, int] = {}
    ahead, kinds = ["/portal"], Counter[str]()
    while ahead:
        address = ahead.pop()
        kinds[ID.sub("*", address)] += 1
        if address in found or kinds[ID.sub("*", address)] > 3:
            continue
        page = await browser.get(address)
        found[address] = page.status_code
        ahead += [each for each in LINK.findall(page.text) if not each.endswith(FILES)]
    return found


async def test_no_link_leads_a_delegate_to_what_is_not_permitted(portal: PortalFixture) -> None:
    """For each permission alone; its own pages are met."""
    await fill_gallery(portal)
    met: dict[str, dict[str, int]] = {}
    for power in DELEGABLE:
        async with portal.engine.begin() as connection:
            await connection.execute(text("DELETE FROM delegation"))
        met[power] = await followed(await make_delegate(portal, power))
    astray = {
        power: {address: status for address, status in pages.items() if status != 200}
        for power, pages in met.items()
    }
    assert not any(astray.values()), astray
    for name, kind in OWN.items():
        assert any(kind in address for address in met[name]), name
