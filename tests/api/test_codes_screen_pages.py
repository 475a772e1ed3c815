"""On-screen codes: shown in the portal, viewed once within a minute."""

import html
import re
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from gateway.codes import qr
from gateway.codes.screen import screen_pages
from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import Admission, Verdict
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.creditfile_builders import make_record
from tests.portal_fixture import ISSUER, PortalFixture


class UnreachableStore(MemoryStore):
    """A limit store that cannot be reached."""

    async def admit(self, admission: Admission) -> Verdict:  # noqa: ARG002  # as the store's
        """Raise as an unreachable store does."""
        raise LimiterUnavailableError


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses in the symbols that are shown."""
    addresses: list[str] = []
    draw = qr.matrix_of

    def note(address: str) -> Any:
        addresses.append(address)
        return draw(address)

    monkeypatch.setattr(qr, "matrix_of", note)
    return addresses


async def show(
    portal: PortalFixture, drawn: list[str], *, who: str = "zhang", turn: str = ""
) -> tuple[httpx2.Response, str]:
    """The portal's page with a fresh code, and the path in its symbol."""
    browser = await portal.signed_in(who)
    page = await browser.get(f"/portal/enterprises/{portal.firm}/screen-code{turn}")
    return page, drawn[-1].lower().removeprefix(ISSUER).upper() if drawn else ""


def switches(page: httpx2.Response) -> list[str]:
    """The page's links to the other language and the other size, in this order."""
    found = re.findall(r'href="(\?[^"]*)"', page.text)
    size, language = (html.unescape(each) for each in found)
    return [language, size]


async def test_an_on_screen_code_is_viewed_once(portal: PortalFixture, drawn: list[str]) -> None:
    """The public summary, marked by its kind; neither stored nor asked for again."""
    await portal.add_records(make_record(uscc=portal.firm))
    page, path = await show(portal, drawn)
    assert page.status_code == 200
    assert path.startswith("/S/")
    citizen = portal.browser()
    viewed = await citizen.get(path)
    assert viewed.status_code == 200
    assert "屏幕码：由本企业已登录的人员于 12:00:00 出示" in viewed.text
    assert "受到行政处罚" in viewed.text
    assert "核对口令" not in viewed.text
    assert viewed.headers["cache-control"] == "no-store"
    assert "set-cookie" not in viewed.headers
    again = await citizen.get(path.lower())
    assert again.status_code == 410
    assert "这个屏幕码已经失效" in again.text
    assert "受到行政处罚" not in again.text


async def test_its_page_is_in_the_readers_language(portal: PortalFixture, drawn: list[str]) -> None:
    """By the address, as for codes on stickers."""
    _, path = await show(portal, drawn)
    viewed = await portal.browser().get(f"{path}?lang=en")
    assert "On-screen code, shown at 12:00:00" in viewed.text


async def test_its_first_viewer_comes_back_by_its_links(
    portal: PortalFixture, drawn: list[str]
) -> None:
    """In the other language or size, again and again while it lives; nobody comes without their key."""
    _, path = await show(portal, drawn)
    citizen = portal.browser()
    english, large = switches(await citizen.get(path))
    for switch in (english, large, english):
        again = await citizen.get(path + switch)
        assert again.status_code == 200
        assert again.headers["cache-control"] == "no-store"
    assert "On-screen code" in (await citizen.get(path + english)).text
    back, both = switches(await citizen.get(path + english))
    assert (await citizen.get(path + both)).status_code == 200
    assert '<html lang="zh-CN">' in (await citizen.get(path + back)).text
    assert (await citizen.get(path)).status_code == 410
    with portal.clock.later(seconds=60):
        assert (await citizen.get(path + english)).status_code == 410


async def test_a_key_of_another_code_opens_nothing(portal: PortalFixture, drawn: list[str]) -> None:
    """Nor does one that is made up, or part of one; no answer but the first has a key."""
    _, path = await show(portal, drawn)
    _, other = await show(portal, drawn)
    english, _ = switches(await portal.browser().get(other))
    assert (await portal.browser().get(path)).status_code == 200
    for switch in (english, "?lang=en", "?view=", f"?view={'0' * 32}", "?view=%E4%B8%AD"):
        late = await portal.browser().get(path + switch)
        assert late.status_code == 410
        assert "view=" not in late.text


async def test_it_ends_after_a_minute(portal: PortalFixture, drawn: list[str]) -> None:
    """To the second."""
    _, early = await show(portal, drawn)
    _, late = await show(portal, drawn)
    assert early != late
    with portal.clock.later(seconds=59):
        assert (await portal.browser().get(early)).status_code == 200
    with portal.clock.later(seconds=60):
        assert (await portal.browser().get(late)).status_code == 410


async def test_a_head_request_does_not_spend_it(portal: PortalFixture, drawn: list[str]) -> None:
    """Programs that look at links ask by HEAD."""
    _, path = await show(portal, drawn)
    assert (await portal.browser().head(path)).status_code == 405
    assert (await portal.browser().get(path)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/S/", f"/S/{'A' * 64}", "/S/A", "/s/%E4%B8%AD", f"/S/{'A' * 26}"]
)
async def test_a_made_up_address_is_a_warning(portal: PortalFixture, path: str) -> None:
    """It shows nothing of any enterprise."""
    answer = await portal.browser().get(path)
    assert answer.status_code == 404
    assert "可能是伪造的" in answer.text


async def test_without_a_limiter_nothing_is_shown(portal: PortalFixture, drawn: list[str]) -> None:
    """Nobody knows then whether it was viewed; afterwards it still can be."""
    _, path = await show(portal, drawn)
    runtime = portal.runtime
    portal.app.state.runtime = replace(runtime, limiter=UnreachableStore(portal.clock))
    try:
        assert (await portal.browser().get(path)).status_code == 503
    finally:
        portal.app.state.runtime = runtime
    assert (await portal.browser().get(path)).status_code == 200


async def test_the_enterprises_people_alone_show_it(
    portal: PortalFixture, drawn: list[str]
) -> None:
    """A stranger finds no page, and no address is made."""
    page, _ = await show(portal, drawn, who="wang")
    assert page.status_code == 404
    assert not drawn


async def test_a_phone_left_lying_stops_showing_codes(
    portal: PortalFixture, drawn: list[str]
) -> None:
    """The page renews itself a bounded number of times; any other turn is the last one."""
    first, _ = await show(portal, drawn)
    address = f"/portal/enterprises/{portal.firm}/screen-code"
    assert first.headers["refresh"] == f"45; url={address}?turn=2"
    assert f'href="{address}?turn=0"' in first.text  # to stop it
    for turn in (screen_pages.TURNS, 10**30, 0, -1):
        last, _ = await show(portal, drawn, turn=f"?turn={turn}")
        assert "refresh" not in last.headers
