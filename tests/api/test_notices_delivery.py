"""Notices to enterprises by e-mail: contact points, digests, retries, encryption."""

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.background.notice_sender import send_due
from gateway.notices import outbox, queue
from gateway.notices.channels import Notifier, UnsentError
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import RecordEvent, note, note_expiring_consents, note_records
from gateway.notices.templates import Message
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.privacy.reencryption import reencrypt
from tests.api.test_identity_new_representative import deliver_registration
from tests.api.test_portal_delegates import make_delegate
from tests.api.test_portal_link_requests import decide, request_by_link
from tests.ingest_fixture import make_uscc
from tests.portal_fixture import PortalFixture, hidden_fields

WANG = "wang@example.cn"


@dataclass
class FakeNotifier:
    """Notifier that stores messages, and fails or dies as configured."""

    sent: list[tuple[str, Message]] = field(default_factory=list)
    fails: int = 0
    dies: int = 0

    async def send(self, recipient: str, message: Message) -> None:
        """Store a message."""
        if self.fails:
            self.fails -= 1
            raise UnsentError("TimeoutError")
        self.sent.append((recipient, message))
        if self.dies:
            self.dies -= 1
            raise asyncio.CancelledError

    @property
    def texts(self) -> list[str]:
        """Texts sent, oldest first."""
        return [message.text for _, message in self.sent]


@pytest_asyncio.fixture
async def box(portal: PortalFixture) -> FakeNotifier:
    """The portal's e-mails; notices of other tests are removed."""
    async with portal.engine.begin() as connection:
        await connection.execute(text("DELETE FROM notice"))
    made = FakeNotifier()
    channels: Mapping[str, Notifier] = {"email": made}
    portal.app.state.runtime = replace(portal.runtime, channels=channels)
    return made


async def confirm_contact_point(
    portal: PortalFixture, box: FakeNotifier, address: str = WANG
) -> httpx2.Response:
    """Answer to the confirmation link of a new contact point."""
    boss = await portal.signed_in()
    page = f"/portal/enterprises/{portal.firm}/notices"
    form = hidden_fields((await boss.get(page)).text, page) | {
        "address": address,
        "channel": "email",
    }
    added = await boss.post(page, data=form)
    assert added.headers["location"].endswith("notice=sent"), added.headers
    link = re.findall(r"http://\S+/portal(\S+)", box.texts[-1])[-1]
    shown = (await boss.get(f"/portal{link}")).text
    return await boss.post(f"/portal{link}", data=hidden_fields(shown, f"/portal{link}"))


async def sent_count(portal: PortalFixture) -> int:
    """Number of notices sent."""
    total = 0
    while done := await send_due(portal.runtime):
        total += done
    return total


async def write_notices(portal: PortalFixture, *kinds: NoticeKind) -> None:
    """Notices as written by a transaction."""
    async with portal.engine.begin() as connection:
        for kind in kinds:
            await note(connection, kind, portal.firm, client_id=portal.bank, now=portal.clock())


async def test_a_decision_is_notified_at_once_to_a_confirmed_contact_point(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Chinese first, with the names of enterprise and client only."""
    assert (
        (await confirm_contact_point(portal, box)).headers["location"].endswith("notice=confirmed")
    )
    consent_id = await request_by_link(portal, portal.firm)
    await decide(await portal.signed_in(), consent_id, decision="refuse")
    assert await sent_count(portal) == 1
    to, message = box.sent[-1]
    assert to == WANG
    assert "已拒绝 浙江示范银行 的申请" in message.text
    assert "杭州云栖数据科技有限公司" in message.text
    assert "张三丰" not in message.text
    assert consent_id not in message.text
    assert await sent_count(portal) == 0


async def test_a_notice_of_a_later_release_is_left_to_it_and_holds_up_no_other(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """While two releases run at once, the one before knows fewer kinds."""
    await confirm_contact_point(portal, box)
    await write_notices(portal, NoticeKind.CONSENT_REFUSED)
    async with portal.engine.begin() as connection:
        await connection.execute(text("UPDATE notice SET kind = 'of_a_later_release'"))
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    assert await sent_count(portal) == 1
    async with portal.engine.connect() as connection:
        left = await connection.execute(text("SELECT kind FROM notice WHERE done_at IS NULL"))
        assert left.scalars().all() == ["of_a_later_release"]


async def test_nothing_goes_to_a_place_that_was_not_confirmed(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """No notice is stored for later."""
    boss = await portal.signed_in()
    page = f"/portal/enterprises/{portal.firm}/notices"
    form = hidden_fields((await boss.get(page)).text, page) | {"address": WANG, "channel": "email"}
    await boss.post(page, data=form)
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    assert await sent_count(portal) == 0
    assert len(box.sent) == 1  # the link


async def test_a_link_confirms_once_in_time_and_only_for_its_own_representative(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Not after a day, and not from another enterprise's session."""
    await confirm_contact_point(portal, box)
    link = re.findall(r"http://\S+/portal(\S+)", box.texts[-1])[-1]
    assert (await (await portal.signed_in("wang")).get(f"/portal{link}")).status_code == 404
    boss = await portal.signed_in()
    shown = (await boss.get(f"/portal{link}")).text
    again = await boss.post(f"/portal{link}", data=hidden_fields(shown, f"/portal{link}"))
    assert again.status_code == 410


async def test_addresses_are_sealed_and_links_are_digests(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """The table has neither addresses nor links."""
    await confirm_contact_point(portal, box)
    secret = re.findall(r"/notices/plc_\w+/(\S+)", box.texts[0])[0]
    async with portal.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT encode(address, 'escape'), * FROM notice_place")
        )
        dump = str(rows.all())
    assert WANG not in dump
    assert secret not in dump


async def test_new_contact_points_are_limited_by_day(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """At most five new contact points a day."""
    boss = await portal.signed_in()
    page = f"/portal/enterprises/{portal.firm}/notices"
    for number in range(7):
        form = hidden_fields((await boss.get(page)).text, page)
        await boss.post(page, data=form | {"address": f"w{number}@example.cn", "channel": "email"})
    assert len(box.sent) == 5


async def test_the_rest_comes_as_one_digest_at_nine(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """A request and two decided objections in one e-mail."""
    await confirm_contact_point(portal, box)
    await write_notices(
        portal, NoticeKind.CONSENT_ASKED, NoticeKind.OBJECTION_DECIDED, NoticeKind.OBJECTION_DECIDED
    )
    assert await sent_count(portal) == 0
    portal.clock.advance(timedelta(hours=21))
    assert await sent_count(portal) == 3
    assert len(box.sent) == 2
    assert box.texts[-1].count("一项异议已有处理结果") == 2


async def test_acts_of_a_department_are_notified_with_the_datasets_name(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """At once, once for each version of the record."""
    await confirm_contact_point(portal, box)
    event = RecordEvent(uscc=portal.firm, dataset="penalty", record_id="rec_1", version=2)
    async with portal.engine.begin() as connection:
        for kind in (NoticeKind.RECORD_SUSPENDED, NoticeKind.RECORD_SUSPENDED):
            await note_records(connection, kind, [event], now=portal.clock())
        await note_records(
            connection, NoticeKind.REPAIR_REVOKED, [replace(event, version=3)], now=portal.clock()
        )
    assert await sent_count(portal) == 2
    assert box.texts[-1].count("“行政处罚”中的一条信息已中止公示、共享和使用") == 1
    assert "“行政处罚”中一条信息的信用修复已被撤销" in box.texts[-1]
    assert f"{portal.runtime.settings.issuer}/portal" in box.texts[-1]


async def test_a_client_that_asks_over_and_over_is_one_line_of_a_digest(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Within a day; another client or day has another line."""
    await confirm_contact_point(portal, box)
    await write_notices(portal, *[NoticeKind.CONSENT_ASKED] * 60)
    portal.bank, first = await portal.add_client("另一银行", "Another Bank"), portal.bank
    await write_notices(portal, NoticeKind.CONSENT_ASKED)
    portal.clock.advance(timedelta(hours=21))
    assert await sent_count(portal) == 2
    assert len(box.sent) == 2
    assert box.texts[-1].count("申请查看信息") == 2
    portal.bank = first
    await write_notices(portal, NoticeKind.CONSENT_ASKED, NoticeKind.CONSENT_ASKED)
    portal.clock.advance(timedelta(hours=24))
    assert await sent_count(portal) == 1


async def test_a_request_opened_and_left_is_notified_once_it_lapsed(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Once, before or after nine, however often and by whom it was opened."""
    await confirm_contact_point(portal, box)
    boss, page = await portal.signed_in(), f"/portal/decide/{await portal.ask()}"
    wang = await make_delegate(portal, "consents")
    await sent_count(portal)
    for _ in range(3):
        assert (await boss.get(page)).status_code == 200
    assert (await wang.get(page)).status_code == 409
    assert await sent_count(portal) == 0
    portal.clock.advance(timedelta(hours=21))
    assert await sent_count(portal) == 1
    assert "浙江示范银行 的授权申请已打开，没有作出决定" in box.texts[-1]
    assert await sent_count(portal) == 0


@pytest.mark.parametrize("decision", ["grant", "refuse"])
async def test_a_request_opened_and_decided_is_notified_as_a_decision_only(
    portal: PortalFixture, box: FakeNotifier, decision: str
) -> None:
    """At once, and not again in the digest."""
    await confirm_contact_point(portal, box)
    boss, page = await portal.signed_in(), f"/portal/decide/{await portal.ask()}"
    form = hidden_fields((await boss.get(page)).text, page) | {
        "uscc": portal.firm,
        "decision": decision,
    }
    taken = await boss.post(page, data=form | {"dataset": ["penalty"]})
    assert taken.headers["location"].startswith("/oauth/resume")
    assert await sent_count(portal) == 1
    portal.clock.advance(timedelta(hours=21))
    assert await sent_count(portal) == 0


async def test_no_notice_of_a_request_opened_without_permission_or_in_a_cool_down(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """A person without permission is shown nothing and causes no notice."""
    await confirm_contact_point(portal, box)
    stranger, page = await portal.signed_in("wang"), f"/portal/decide/{await portal.ask()}"
    assert (await stranger.get(page)).status_code == 403
    boss = await portal.signed_in()
    await decide(boss, await request_by_link(portal, portal.firm), decision="refuse")
    assert await sent_count(portal) == 1
    assert (await boss.get(page)).status_code == 200
    portal.clock.advance(timedelta(hours=21))
    assert await sent_count(portal) == 0


async def test_a_consent_about_to_end_is_notified_once(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Once, however often the job runs."""
    await confirm_contact_point(portal, box)
    consent_id = await request_by_link(portal, portal.firm)
    last_day = (portal.clock() + timedelta(days=5)).date().isoformat()
    boss = await portal.signed_in()
    await decide(boss, consent_id, decision="grant", dataset=["penalty"], last_day=last_day)
    for _ in range(2):
        async with portal.engine.begin() as connection:
            await note_expiring_consents(connection, now=portal.clock())
    async with portal.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT count(*) FROM notice WHERE uscc = :u AND kind = 'consent_ending'"),
            {"u": portal.firm},
        )
        assert found.scalar_one() == 1


async def test_consents_about_to_end_are_found_by_an_index(
    portal: PortalFixture,
) -> None:
    """Index scan across all enterprises."""
    until = portal.clock() + timedelta(days=7)
    values = {"kind": "k", "now": portal.clock(), "until": until, "due": until}
    async with portal.engine.connect() as connection:
        await connection.execute(
            text("SET LOCAL enable_seqscan = off")
        )  # which pays in a table of ten
        plan = await connection.execute(text(f"EXPLAIN {outbox.EXPIRING}"), values)
        assert "ix_consent_ending" in "\n".join(plan.scalars())


async def test_a_failed_contact_point_is_retried_and_a_reached_one_is_not(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Two contact points, of which the first fails once."""
    await confirm_contact_point(portal, box)
    await confirm_contact_point(portal, box, "li@example.cn")
    box.sent.clear()
    box.fails = 1
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    await sent_count(portal)
    assert len(box.sent) == 1
    assert await sent_count(portal) == 0
    portal.clock.advance(timedelta(minutes=2))
    await sent_count(portal)
    assert sorted(to for to, _ in box.sent) == ["li@example.cn", WANG]


async def test_a_sender_that_dies_however_often_sends_at_most_twice(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """A process killed between sending and writing sends once more, never again."""
    await confirm_contact_point(portal, box)
    box.sent.clear()
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    box.dies = 10
    for _ in range(5):
        with suppress(asyncio.CancelledError):
            await sent_count(portal)
        portal.clock.advance(timedelta(minutes=11))
    assert len(box.sent) == 2


async def test_two_senders_at_once_send_each_notice_once(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Locked rows are skipped."""
    await confirm_contact_point(portal, box)
    box.sent.clear()
    for _ in range(4):
        await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    await asyncio.gather(*(send_due(portal.runtime) for _ in range(6)))
    await sent_count(portal)
    assert sum(each.count("已向") for each in box.texts) == 4


async def test_a_sender_passes_by_an_enterprise_that_another_one_holds(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """However many notices of it are due before those of the next one."""
    other = make_uscc(99)
    await confirm_contact_point(portal, box)
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    async with portal.engine.begin() as connection:
        await connection.execute(text("UPDATE notice SET uscc = :other"), {"other": other})
    portal.clock.advance(timedelta(minutes=-1))
    await write_notices(portal, *[NoticeKind.CONSENT_GRANTED] * queue.BATCH_SIZE)
    now = portal.clock() + timedelta(days=1)
    async with portal.engine.connect() as first, portal.engine.connect() as second:
        held = await queue.claim_due(first, now=now)
        next_one = await queue.claim_due(second, now=now)
    assert held is not None
    assert next_one is not None
    assert {each.uscc for each in held.due} == {portal.firm}
    assert [each.uscc for each in next_one.due] == [other]


async def test_a_notice_is_written_with_its_cause_or_not_at_all(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """A transaction that fails leaves no notice."""
    await confirm_contact_point(portal, box)
    async with portal.engine.connect() as connection:
        await note(
            connection,
            NoticeKind.CONSENT_GRANTED,
            portal.firm,
            client_id=portal.bank,
            now=portal.clock(),
        )
    assert await sent_count(portal) == 0


async def test_delegates_are_notified(portal: PortalFixture, box: FakeNotifier) -> None:
    """On invitation and on acceptance."""
    await confirm_contact_point(portal, box)
    await make_delegate(portal, "consents")
    await sent_count(portal)
    assert "已邀请一名经办人" in box.texts[-1]
    assert "已接受邀请" in box.texts[-1]


async def test_a_former_representatives_contact_point_gets_one_last_notice(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """In the delivery's transaction; the page shows that the contact point is no longer used."""
    await confirm_contact_point(portal, box)
    box.sent.clear()
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal, legal_representative="钱七")
    await sent_count(portal)
    assert "法定代表人（经营者）已变更" in box.texts[-1]
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    await sent_count(portal)
    assert len(box.sent) == 1
    portal.clock.advance(timedelta(minutes=1))
    boss = await portal.signed_in()
    assert "不再使用" in (await boss.get(f"/portal/enterprises/{portal.firm}/notices")).text


async def test_a_removed_place_is_forgotten(portal: PortalFixture, box: FakeNotifier) -> None:
    """With its address."""
    await confirm_contact_point(portal, box)
    boss = await portal.signed_in()
    page = (await boss.get(f"/portal/enterprises/{portal.firm}/notices")).text
    action = re.findall(r'action="(\S+/remove)"', page)[0]
    await boss.post(action, data=hidden_fields(page, action))
    await write_notices(portal, NoticeKind.CONSENT_GRANTED)
    assert await sent_count(portal) == 0
    async with portal.engine.connect() as connection:
        left = await connection.execute(
            text("SELECT * FROM notice_place WHERE uscc = :u"), {"u": portal.firm}
        )
        (place,) = left.mappings()
    assert place["address"] is None
    for done in ("added", "confirmed", "removed"):
        assert place[f"{done}_by"] == "demo:zhang"
        assert len(place[f"{done}_token_digest"]) == 32
    assert place["removed_token_digest"] != place["confirmed_token_digest"]  # another sign-in


async def test_without_a_way_to_send_the_page_says_so(portal: PortalFixture) -> None:
    """A forged form adds no contact point."""
    portal.app.state.runtime = replace(portal.runtime, channels={})
    boss = await portal.signed_in()
    page = f"/portal/enterprises/{portal.firm}/notices"
    shown = (await boss.get(page)).text
    assert "尚未开通" in shown
    form: dict[str, Any] = {"csrf": "0" * 64, "address": WANG, "channel": "email"}
    assert (await boss.post(page, data=form)).status_code == 403


async def test_a_new_key_of_personal_data_takes_addresses_and_names_along(
    portal: PortalFixture, box: FakeNotifier
) -> None:
    """Nothing remains under the old key, and all values are readable under the new one."""
    await confirm_contact_point(portal, box)
    await make_delegate(portal, "consents")
    said = json.loads(portal.runtime.settings.vault_keys.read_text())
    said["keys"]["2"] = said["keys"]["1"]
    newer = Vault(VaultKeys.parse(json.dumps(said | {"current": "2"})))
    async for _ in reencrypt(portal.engine, newer):
        pass
    async with portal.engine.connect() as connection:
        for table, column in (
            ("notice_place", "address"),
            ("delegation", "name"),
            ("delegation", "accepted_name"),
        ):
            keys = await connection.execute(
                text(f"SELECT get_byte({column}, 1) FROM {table} WHERE uscc = :u"),  # noqa: S608
                {"u": portal.firm},
            )
            assert set(keys.scalars()) == {2}, table
    portal.app.state.runtime = replace(portal.runtime, vault=newer)
    boss = await portal.signed_in()
    assert "w***@example.cn" in (await boss.get(f"/portal/enterprises/{portal.firm}/notices")).text
    assert "小王" in (await boss.get(f"/portal/enterprises/{portal.firm}/delegates")).text
