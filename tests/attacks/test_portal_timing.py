"""Timing side channels in the portal: another's and an unknown id take the same time."""

import time
from dataclasses import replace

import httpx2
import pytest

from tests.portal_fixture import PortalFixture
from tests.portal_gallery import ask_by_link
from tests.welch import FULL, SMALL, Ask, LeakyApplication, compare

pytestmark = pytest.mark.alone

# Nobody can guess the ids of these pages: what counts is a difference that is seen at once.
ROUNDS = 2_000 if FULL else 30
PAGES = replace(SMALL, rounds=ROUNDS, most_rounds=ROUNDS)


async def test_anothers_and_unknown_pages_take_equally_long(portal: PortalFixture) -> None:
    """Consents, requests, codes, enterprises."""
    theirs = await ask_by_link(portal, portal.firm)
    code = (await portal.add_code(portal.firm)).code_id
    pairs = {
        "consent": (f"/portal/consents/{theirs}", f"/portal/consents/cst_{'a' * 26}"),
        "request": (f"/portal/asked/{theirs}", f"/portal/asked/cst_{'a' * 26}"),
        "code": (f"/portal/codes/{code}", f"/portal/codes/{'A' * 26}"),
        "enterprise": tuple(
            f"/portal/enterprises/{uscc}/looks" for uscc in (portal.firm, portal.unknown)
        ),
    }
    stranger = await portal.signed_in("wang")
    slower = LeakyApplication(portal.app)
    transport = httpx2.ASGITransport(app=slower)
    async with httpx2.AsyncClient(
        transport=transport, base_url=stranger.base_url, cookies=stranger.cookies
    ) as browser:

        def page(path: str) -> Ask:
            async def ask(mark: str) -> float:
                begun = time.perf_counter()
                answer = await browser.get(path, headers={"X-Request-Id": mark})
                taken = time.perf_counter() - begun
                assert answer.status_code in {403, 404}
                return taken

            return ask

        for name, (anothers, nobodys) in pairs.items():
            groups = {name: page(anothers), "nobody": page(nobodys)}
            compared = await compare(groups, slower=slower, baseline="nobody", form=PAGES)
            print(compared)
            compared.demand_alike()
