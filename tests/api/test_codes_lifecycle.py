"""Lifecycle of an enterprise code: expiry and replacement, as the public page shows them."""

from datetime import timedelta

from gateway.codes import store
from tests.portal_fixture import PortalFixture

JSON = {"Accept": "application/json"}


async def test_a_code_ends_at_its_expiry_by_itself(portal: PortalFixture) -> None:
    """Valid until the second before, then 410 without data of the enterprise."""
    async with portal.engine.begin() as connection:
        code = await store.issue(
            connection,
            portal.firm,
            "云栖小店",
            expires_at=portal.clock() + timedelta(hours=1),
            now=portal.clock(),
        )
    browser, address = portal.browser(), f"/E/{code.code_id}"
    with portal.clock.later(seconds=3599):
        assert (await browser.get(address)).status_code == 200
    with portal.clock.later(seconds=3600):
        page, twin = await browser.get(address), await browser.get(address, headers=JSON)
    assert page.status_code == twin.status_code == 410
    assert "已过有效期" in page.text
    assert "云栖" not in page.text
    assert twin.json()["code"] == "code_expired"


async def test_a_replaced_code_says_so_and_does_not_lead_to_its_successor(
    portal: PortalFixture,
) -> None:
    """410, without the number of the new code."""
    old, new = await portal.add_code(portal.firm), await portal.add_code(portal.firm)
    async with portal.engine.begin() as connection:
        assert await store.revoke(
            connection,
            old.uscc,
            old.code_id,
            actor="demo:zhang",
            token_digest=None,
            replaced_by=new.code_id,
            now=portal.clock(),
        )
    page = await portal.browser().get(f"/E/{old.code_id}")
    assert page.status_code == 410
    assert "已换发" in page.text
    assert new.code_id not in page.text
    twin = await portal.browser().get(f"/E/{old.code_id}", headers=JSON)
    assert twin.json()["code"] == "code_replaced"
    assert (await portal.browser().get(f"/E/{new.code_id}")).status_code == 200
