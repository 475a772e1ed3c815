"""What was delivered is what is told: sealed fields under consent, and nothing that was ended."""

import pytest

from gateway.creditfile.history import Change, mark
from gateway.creditfile.intake import Source, take
from tests.house import House

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCE = Source(source_id="annual-reports", name="年报（合成）")
REPORT = {"year": "2019", "reported_on": "2020-03-01", "contact_phone": "15400000000"}


async def deliver(house: House, uscc: str) -> str:
    """Deliver the report; the record's id."""
    async with house.runtime.engine.begin() as connection:
        (taken,) = await take(
            connection,
            SOURCE,
            "annual_report",
            [{"uscc": uscc, **REPORT}],
            now=house.clock(),
            catalogue=house.runtime.catalogue,
            vault=house.runtime.vault,
        )
    assert taken.record_id is not None
    return taken.record_id


async def test_a_sealed_field_is_told_under_consent_and_repaired_at_once(house: House) -> None:
    """From the next request on."""
    bank, uscc = await house.client(), house.uscc("clean")
    await house.grant(bank, uscc, datasets=["annual_report"])
    record_id = await deliver(house, uscc)
    told = {r["record_id"]: r for r in (await bank.query(uscc, "annual_report")).json()["records"]}
    assert told[record_id]["fields"] == REPORT
    async with house.runtime.engine.begin() as connection:
        await mark(
            connection,
            uscc,
            record_id,
            {"repaired_at": house.clock()},
            Change(kind="repaired", actor=SOURCE.source_id),
            now=house.clock(),
        )
    await deliver(house, uscc)
    again = (await bank.query(uscc, "annual_report")).json()["records"]
    assert record_id not in {each["record_id"] for each in again}
