"""Personal data of an operator of an individual business, for a credit-service agency (R13)."""

from typing import Any

import pytest

from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def agency_told(gateway: GatewayFixture, licence: str | None, trait: str) -> dict[str, Any]:
    """What a credit-service agency is told of a registration, under consent."""
    agency, uscc = await gateway.client("agency"), gateway.uscc(trait)
    await gateway.rows(
        "UPDATE client SET personal_credit_licence = :licence WHERE client_id = :id RETURNING 1",
        licence=licence,
        id=agency.client_id,
    )
    await gateway.grant(agency, uscc, purpose="credit_service", datasets=["registration"])
    body: dict[str, Any] = (
        await agency.query(uscc, "registration", purpose="credit_service")
    ).json()
    return body


OPERATORS_DATA = ["legal_representative", "phone"]


@pytest.mark.parametrize(
    ("licence", "trait", "is_told"),
    [
        (None, "individual_business", False),
        ("L-1", "individual_business", True),
        (None, "clean", True),
    ],
)
async def test_an_agency_needs_its_licence_for_operators_data_under_consent_too(
    gateway: GatewayFixture, licence: str | None, trait: str, is_told: bool
) -> None:
    """R13: of an individual business, and with the reason in `withheld`."""
    body = await agency_told(gateway, licence, trait)
    [registration] = body["records"]
    withheld = {"dataset": "registration", "fields": OPERATORS_DATA, "reason": "not_licensed"}
    assert (withheld in body["withheld"]) is not is_told
    assert (set(OPERATORS_DATA) <= registration["fields"].keys()) is is_told
    assert "name" in registration["fields"]


async def test_a_bank_needs_no_licence_for_operators_data(gateway: GatewayFixture) -> None:
    """Under consent: it is no credit-service agency."""
    bank, uscc = await gateway.client(), gateway.uscc("individual_business")
    await gateway.grant(bank, uscc, datasets=["registration"])
    [registration] = (await bank.query(uscc, "registration")).json()["records"]
    assert set(OPERATORS_DATA) <= registration["fields"].keys()
