"""Personal fields and ID questions (R8a): told only where the separate consent was given too."""

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: Final = "registration.phone"
ID_NUMBER: Final = "legal_representative_id.v1"
WITHHELD: Final = {"dataset": "registration", "fields": ["phone"], "reason": "not_in_consent"}


async def told(
    gateway: GatewayFixture, uscc: str, separate: list[str], **granted: Any
) -> dict[str, Any]:
    """The answer to a query of the registration under a consent with these separate ones."""
    bank = await gateway.client()
    await gateway.grant(bank, uscc, datasets=["registration"], separate=separate, **granted)
    body: dict[str, Any] = (await bank.query(uscc, "registration")).json()
    return body


async def test_a_phone_is_told_under_its_separate_consent_only(gateway: GatewayFixture) -> None:
    """Of a firm too; `withheld` names the field and the consent what was given."""
    uscc = gateway.uscc("clean")
    without = await told(gateway, uscc, [])
    assert WITHHELD in without["withheld"]
    assert without["consent"]["separate_consents"] == []
    [registration] = without["records"]
    assert "phone" not in registration["fields"]
    assert "legal_representative" in registration["fields"]
    given = await told(gateway, uscc, [PHONE])
    [registration] = given["records"]
    assert "phone" in registration["fields"]
    assert WITHHELD not in given["withheld"]
    assert given["consent"]["separate_consents"] == [
        {"dataset": "registration", "fields": ["phone"], "given_by": "enterprise"}
    ]


async def test_an_operators_name_needs_the_operators_separate_consent(
    gateway: GatewayFixture,
) -> None:
    """Field by field: one without the other."""
    uscc = gateway.uscc("individual_business")
    [registration] = (await told(gateway, uscc, [PHONE]))["records"]
    assert "phone" in registration["fields"]
    assert "legal_representative" not in registration["fields"]
    assert "name" in registration["fields"]


async def test_a_consent_of_before_tells_nothing_personal(gateway: GatewayFixture) -> None:
    """Its text asked for no separate consent by item; no use is spent on a question either."""
    bank, held = await gateway.client(), gateway.entity("clean")
    consent_id = await gateway.grant(
        bank,
        held.uscc,
        datasets=["registration"],
        questions=[ID_NUMBER],
        named=["registration.name", PHONE],
        separate=[],
    )
    own = held.personal["legal_representative_id_number"]
    assert await answer(bank, held.uscc, own) == "not_determined"
    shown = (
        await bank.send(f"/v1/consents/{consent_id}", b"", method="GET", scope="consents")
    ).json()
    assert (shown["uses_left"], shown["questions"]) == (10, [ID_NUMBER])
    assert shown["separate_consents"] == []
    assert WITHHELD in (await bank.query(held.uscc, "registration")).json()["withheld"]


async def test_an_id_question_is_answered_under_that_persons_consent(
    gateway: GatewayFixture,
) -> None:
    """Until another becomes legal representative; what the enterprise gave goes on."""
    bank, held = await gateway.client(), gateway.entity("clean")
    uscc, own = held.uscc, held.personal["legal_representative_id_number"]
    await gateway.grant(bank, uscc, datasets=["registration"], questions=[ID_NUMBER])
    assert await answer(bank, uscc, own) == "yes"
    try:
        await gateway.rows(
            "INSERT INTO representative_change (uscc, changed_at) VALUES (:uscc, :now)",
            uscc=uscc,
            now=gateway.clock(),
        )
        assert await answer(bank, uscc, own) == "not_determined"
        body = (await bank.query(uscc, "registration")).json()
    finally:
        await gateway.rows("DELETE FROM representative_change WHERE uscc = :uscc", uscc=uscc)
    assert [each["given_by"] for each in body["consent"]["separate_consents"]] == ["enterprise"]
    assert "phone" in body["records"][0]["fields"]


async def answer(bank: Caller, uscc: str, number: str) -> str:
    """The answer to the ID question with this number."""
    [told] = (await bank.verify(uscc, (ID_NUMBER, number))).json()["answers"]
    return str(told["answer"])


@pytest.mark.parametrize(("shown", "kept"), [(None, 30), (3, 3), (60, 30)])
async def test_the_retention_that_was_shown_is_not_exceeded(
    gateway: GatewayFixture, shown: int | None, kept: int
) -> None:
    """A longer one of a later agreement binds nobody who was shown the shorter (R8)."""
    body = await told(gateway, gateway.uscc("clean"), [], retention_days=shown)
    [registration] = body["records"]
    ends = (datetime.fromisoformat(registration[each]) for each in ("use_until", "delete_by"))
    use_until, delete_by = ends
    assert delete_by - use_until == timedelta(days=kept)


async def test_a_corporate_shareholder_needs_no_separate_consent(gateway: GatewayFixture) -> None:
    """Its name is no person's; `withheld` names the field all the same."""
    bank, held = await gateway.client(), shareholding(gateway)
    await gateway.grant(bank, held.uscc, datasets=["shareholder"], separate=[])
    body = (await bank.query(held.uscc, "shareholder")).json()
    named = {each["fields"]["type"]: "name" in each["fields"] for each in body["records"]}
    assert named == {"自然人": False, "企业法人": True}
    withheld = {"dataset": "shareholder", "fields": ["name"], "reason": "not_in_consent"}
    assert withheld in body["withheld"]


def shareholding(gateway: GatewayFixture) -> SyntheticEnterprise:
    """An enterprise with a corporate shareholder."""
    return next(
        each
        for each in gateway.entities
        if {r.fields["type"] for r in each.records if r.dataset == "shareholder"}
        == {"自然人", "企业法人"}
    )
