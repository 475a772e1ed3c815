"""New legal representative (decision 0019): delegations end, consents are reviewed."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from consent import Status
from gateway.access.serializers.signed_consent_record import signed_record
from gateway.ingest import Source, ingest_rows
from tests.api.test_portal_delegates import make_delegate
from tests.api.test_portal_link_requests import decide, read_consent, request_by_link
from tests.portal_fixture import CATALOGUE, PortalFixture, hidden_fields
from tests.waiting import PATIENCE
from xinqiao import errors, verify_consent_record

SOURCE = Source(source_id="source", name="市场监督管理部门")


async def deliver_registration(portal: PortalFixture, **changed: Any) -> None:
    """Deliver the firm's registration again."""
    row = {
        "uscc": portal.firm,
        "name": "杭州云栖数据科技有限公司",
        "kind": "firm",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "张三丰",
        "division": "330106",
    }
    async with portal.engine.begin() as connection:
        (outcome,) = await ingest_rows(
            connection,
            SOURCE,
            "registration",
            [row | changed],
            now=portal.clock(),
            catalogue=CATALOGUE,
            vault=portal.runtime.vault,
        )
    assert outcome.outcome == "updated", outcome


async def grant_consent(portal: PortalFixture, browser: httpx2.AsyncClient) -> str:
    """Id of a new consent."""
    consent_id = await request_by_link(portal, portal.firm)
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    await decide(browser, consent_id, decision="grant", dataset=["penalty"], last_day=last_day)
    assert (await read_consent(portal, consent_id)).status is Status.ACTIVE
    return consent_id


async def actors_of_endings(portal: PortalFixture) -> list[Any]:
    """Actor that ended each of the firm's delegations."""
    async with portal.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT ended_by FROM delegation WHERE uscc = :uscc"), {"uscc": portal.firm}
        )
        return list(found.scalars())


async def test_delegates_end_without_a_sign_in_and_do_not_come_back(
    portal: PortalFixture,
) -> None:
    """In the delivery's transaction; a change back restores no delegation."""
    wang = await make_delegate(portal, "consents")
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal, legal_representative="钱七")
    assert await actors_of_endings(portal) == ["representative_changed"]
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal)
    assert (await wang.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 404


@pytest.mark.parametrize(
    ("number", "then", "ends"),
    [(None, "110101199003070011", False), ("110101199003070011", "110101199003070038", True)],
)
async def test_a_namesake_is_another_person_and_a_number_learnt_later_is_not(
    portal: PortalFixture, number: str | None, then: str, ends: bool
) -> None:
    """Two people of one name are told apart by ID number where both are known."""
    if number:
        await deliver_registration(portal, legal_representative_id_number=number)
        portal.clock.advance(timedelta(minutes=1))
    await make_delegate(portal, "consents")
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal, legal_representative_id_number=then)
    assert await actors_of_endings(portal) == (["representative_changed"] if ends else [None])


async def test_another_change_of_the_registration_ends_nothing(portal: PortalFixture) -> None:
    """A new address changes nothing."""
    wang = await make_delegate(portal, "consents")
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal, address="杭州市虚构街2号")
    assert (await wang.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 200


async def test_a_session_from_before_the_change_has_to_sign_in_again(portal: PortalFixture) -> None:
    """The session names the former representative."""
    boss = await portal.signed_in()
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal, legal_representative="钱七")
    assert (await boss.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 404
    assert "法定代表人（经营者）已变更" in (await boss.get("/portal")).text
    portal.clock.advance(timedelta(minutes=1))
    again = await portal.signed_in()
    assert (await again.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 200


async def assert_the_log_proves_that_it_was_kept(
    portal: PortalFixture, browser: httpx2.AsyncClient, consent_id: str
) -> None:
    """Assert that the enterprise's record proves the review, and a forged one does not."""
    keys = portal.runtime.keys.published()
    async with asyncio.timeout(PATIENCE):
        while True:
            made = (await browser.get(f"/portal/consents/{consent_id}/record.json")).json()
            verified = verify_consent_record(made, keys=keys)
            if verified.kept_proven and not verified.unproven:
                break
            await asyncio.sleep(0.2)
    assert verified.record["xq:kept"]["dpv:isImplementedByEntity"] == "demo:zhang"
    theirs = await read_consent(portal, consent_id)
    async with portal.engine.connect() as connection:
        copy = await signed_record(connection, portal.runtime, theirs, reader="client")
    assert "kept" not in json.dumps(copy["record"])
    assert f"{consent_id}-k" not in json.dumps(copy)
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE consent_kept SET subject = 'demo:li' WHERE consent_id = :id"),
            {"id": consent_id},
        )
    forged = (await browser.get(f"/portal/consents/{consent_id}/record.json")).json()
    with pytest.raises(errors.EvidenceInvalid, match="That it was kept is not what its leaf says"):
        verify_consent_record(forged, keys=keys)


async def test_running_consents_go_on_and_are_kept_or_withdrawn_by_the_new_one(
    portal: PortalFixture,
) -> None:
    """The start page lists them until each is kept or withdrawn, in two taps."""
    kept = await grant_consent(portal, await portal.signed_in())
    portal.clock.advance(timedelta(minutes=1))
    await deliver_registration(portal, legal_representative="钱七")
    portal.clock.advance(timedelta(minutes=1))
    new = await portal.signed_in()
    assert (await read_consent(portal, kept)).status is Status.ACTIVE
    home = (await new.get("/portal")).text
    address = f"/portal/consents/{kept}/keep"
    assert "法定代表人（经营者）已变更，请确认下列授权" in home
    assert address in home
    page = (await new.get(address)).text
    assert f"/portal/consents/{kept}/withdraw" in page
    await new.post(address, data=hidden_fields(page, address))
    assert address not in (await new.get("/portal")).text
    async with portal.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT subject FROM consent_kept WHERE uscc = :u"), {"u": portal.firm}
        )
        assert rows.scalars().all() == ["demo:zhang"]
    await assert_the_log_proves_that_it_was_kept(portal, new, kept)
    portal.clock.advance(timedelta(minutes=11))
    await grant_consent(portal, await portal.signed_in())
    assert "/keep" not in (await new.get("/portal")).text
