"""Notices by SMS: retries, one message each, no phone numbers in logs."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from structlog.testing import capture_logs

from gateway.notices.channels import HttpSms
from gateway.notices.kinds import NoticeKind
from gateway.notices.queue import MAX_FAILURES
from gateway.safe_fetch import FetchRoute
from tests.api.test_notices_delivery import sent_count, write_notices
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal
from tests.servers.sms_server import SmsServer, make_sms_server
from tests.waiting import PATIENCE

PHONE = "13800000000"
TOKEN = "made-up-token-of-the-sms-gateway"


@pytest.fixture
def server() -> Iterator[SmsServer]:
    """An SMS gateway."""
    with make_sms_server() as made:
        yield made


@pytest_asyncio.fixture
async def portal(
    migrated_url: str, tmp_path: Path, server: SmsServer
) -> AsyncIterator[PortalFixture]:
    """A running portal with one confirmed number, sending by SMS."""
    async with open_portal(migrated_url, tmp_path) as made:
        async with made.engine.begin() as connection:
            await connection.execute(text("DELETE FROM notice"))
        channel = HttpSms(
            url=server.url, token=TOKEN, loopback=True, route=FetchRoute(timeout=PATIENCE)
        )
        made.app.state.runtime = replace(made.runtime, channels={"sms": channel})
        await _name_a_number(made, server)
        yield made


async def _name_a_number(portal: PortalFixture, server: SmsServer) -> None:
    boss, page = await portal.signed_in(), f"/portal/enterprises/{portal.firm}/notices"
    form = hidden_fields((await boss.get(page)).text, page) | {"address": PHONE, "channel": "sms"}
    added = await boss.post(page, data=form)
    assert added.headers["location"].endswith("notice=sent"), added.headers
    (asked,) = server.taken
    assert asked.form["to"] == PHONE
    link = asked.form["text"].partition("/portal/")[2].split()[0]
    shown = (await boss.get(f"/portal/{link}")).text
    confirmed = await boss.post(f"/portal/{link}", data=hidden_fields(shown, f"/portal/{link}"))
    assert confirmed.headers["location"].endswith("notice=confirmed")
    server.taken.clear()


async def test_a_failed_sms_is_retried_with_the_same_reference(
    portal: PortalFixture, server: SmsServer
) -> None:
    """After a minute, then longer; never after success."""
    server.statuses = [503, 500, 200]
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    for waited, tried in ((0, 1), (0, 1), (61, 2), (61, 2), (61, 3), (3600, 3)):
        portal.clock.advance(timedelta(seconds=waited))
        await sent_count(portal)
        assert len(server.taken) == tried, (waited, tried)
    assert len({each.form["reference"] for each in server.taken}) == 1
    assert "已向 浙江示范银行 同意授权" in server.taken[-1].form["text"]


async def test_a_gateway_that_always_fails_is_given_up_with_a_log_line_without_personal_data(
    portal: PortalFixture, server: SmsServer
) -> None:
    """After twelve tries; no log line has number, token or text."""
    server.statuses = [401]
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    with capture_logs() as lines:
        for _ in range(MAX_FAILURES + 3):
            await sent_count(portal)
            portal.clock.advance(timedelta(hours=7))
    assert len(server.taken) == MAX_FAILURES
    events = [line["event"] for line in lines]
    assert events.count("notice_unsent") == MAX_FAILURES
    assert events.count("notices_given_up") == 1
    said = str(lines)
    assert not [each for each in (PHONE, TOKEN, "云栖", portal.firm, server.url) if each in said]


async def test_a_text_message_holds_no_persons_name_and_no_link_but_the_start_page(
    portal: PortalFixture, server: SmsServer
) -> None:
    """The USCC identifies the enterprise."""
    await write_notices(portal, NoticeKind.CONSENT_GRANTED, NoticeKind.CONSENT_WITHDRAWN)
    await sent_count(portal)
    (taken,) = server.taken
    assert taken.form["text"].count("http") == 2
    assert taken.form["text"].count(f"{portal.runtime.settings.issuer}/portal\n") == 2
    assert not [each for each in ("张三丰", "zhang", PHONE) if each in taken.form["text"]]
