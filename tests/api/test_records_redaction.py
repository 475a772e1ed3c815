"""Masking of personal numbers (R5) from delivery to disclosure."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.privacy.redaction import ID_NUMBER_MASK, PHONE_MASK
from tests.gateway_fixture import GatewayFixture
from tests.records_builders import (
    act,
    deliver,
    make_act,
    make_department,
    make_penalty,
    reasons,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]

ID_NUMBER = "330106–19900101–123X"
PHONE = "（0571）88886666"


async def disclosed_text(gateway: GatewayFixture, dataset: str) -> str:
    """Everything disclosed of the clean subject to a bank with consent and to the public."""
    bank, subject = await gateway.client(), gateway.subject("clean")
    await gateway.grant(bank, subject["uscc"])
    told = await bank.query(subject["uscc"], dataset)
    path = subject["code_url"].removeprefix(gateway.issuer)
    page = await gateway.http.get(path, headers={"Accept": "application/json"})
    assert (told.status_code, page.status_code) == (200, 200)
    return told.text + json.dumps(page.json(), ensure_ascii=False)


async def test_a_number_in_any_text_is_masked_and_its_place_is_said(
    gateway: GatewayFixture,
) -> None:
    """In names and free text; the warning has field and position, not the value."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    decided = (gateway.clock() - timedelta(days=200)).date().isoformat()
    licence = {
        "uscc": uscc,
        "number": "浙许〔2026〕7654321号",
        "certificate": f" 许可证（{ID_NUMBER}）",
        "content": f"联系{PHONE}，许可证编号JY13301060012345。",
        "decided_on": decided,
    }
    (result,) = await deliver(source, "licence", licence)
    assert result["outcome"] == "created"
    assert set(result["warnings"]) == {"id_number_masked", "phone_masked"}
    assert result["warning_details"] == [
        {"row": 0, "field": "certificate", "kind": "id", "start": 5, "length": 20},
        {"row": 0, "field": "content", "kind": "phone", "start": 2, "length": 14},
    ]
    told = await disclosed_text(gateway, "licence")
    assert f"许可证（{ID_NUMBER_MASK}）" in told
    assert f"联系{PHONE_MASK}，许可证编号JY13301060012345。" in told
    assert "19900101" not in told
    assert "88886666" not in told


async def test_a_number_in_a_key_rejects_its_row_alone(gateway: GatewayFixture) -> None:
    """The problem has its code, not the number."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    bad = make_penalty(gateway, uscc, document_number=f"浙罚{ID_NUMBER}号")
    good = make_penalty(gateway, uscc)
    results = await deliver(source, "penalty", bad, good)
    assert [each["outcome"] for each in results] == ["rejected", "created"]
    assert reasons(results[0]) == [{"field": "document_number", "reason": "personal_number_in_key"}]
    assert "19900101" not in json.dumps(results)
    (unknown,) = await act(source, make_act(bad, "withdraw"))
    assert (unknown["outcome"], unknown["key"]) == ("rejected", None)


async def test_a_correction_and_a_reason_are_masked_and_said_too(gateway: GatewayFixture) -> None:
    """Positions refer to the reason or the corrected field."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    (result,) = await act(
        source,
        make_act(
            penalty, "correct", fields={"authority": f"某局{PHONE}"}, reason=f"  当事人{ID_NUMBER}"
        ),
    )
    assert result["outcome"] == "updated"
    assert result["warning_details"] == [
        {"row": 0, "field": "reason", "kind": "id", "start": 5, "length": 20},
        {"row": 0, "field": "authority", "kind": "phone", "start": 2, "length": 14},
    ]
    assert "88886666" not in await disclosed_text(gateway, "penalty")


async def test_older_records_are_masked_on_disclosure(gateway: GatewayFixture) -> None:
    """Records of an earlier version, with a number in a text or in their key."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    (result,) = await deliver(source, "penalty", penalty)
    held = {
        "authority": f"某局{PHONE}",
        "document_number": f"罚{ID_NUMBER}",
        "facts": "138 0000 1234",
    }
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(
            text("UPDATE record SET fields = fields || CAST(:held AS jsonb) WHERE record_id = :id"),
            {"held": json.dumps(held), "id": result["record_id"]},
        )
    told = await disclosed_text(gateway, "penalty")
    assert f"某局{PHONE_MASK}" in told
    assert f"罚{ID_NUMBER_MASK}" in told
    assert not any(each in told for each in ("88886666", "19900101", "0000 1234"))
