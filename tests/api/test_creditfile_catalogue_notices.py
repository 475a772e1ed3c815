"""Notices of a new catalogue version: `record_ended`, `record_corrected`, `record_reinstated` (R14)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest_asyncio
import yaml

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, Catalogue, load_catalogue
from gateway.creditfile.catalogue import notices as catalogue_notices
from gateway.creditfile.catalogue.notices import DELAY, EARLIER_CATALOGUES
from gateway.creditfile.local_dates import day_of
from gateway.ingest import Source, ingest_rows
from tests.gateway_fixture import Caller, GatewayFixture, open_gateway

EARLIER = load_catalogue((EARLIER_CATALOGUES / "2026.1.yaml").read_text(encoding="utf-8"))
NEW = load_catalogue()
SOURCE = Source(source_id="notices", name="执法部门（合成数据）")


@pytest_asyncio.fixture
async def gateway(postgres_url: str) -> AsyncIterator[GatewayFixture]:
    """A running gateway with a database of its own, under catalogue 2026.1."""
    async with open_gateway(postgres_url) as made:
        switch(made, EARLIER)
        await catalogue_notices.run(made.runtime.engine, EARLIER, now=made.clock())
        yield made


def switch(gateway: GatewayFixture, catalogue: Catalogue) -> None:
    """Bring a catalogue into force in this worker."""
    gateway.app.state.runtime = replace(gateway.runtime, catalogue=catalogue)


def variant(version: str, **minor: Any) -> Catalogue:
    """The published catalogue with another definition of a minor penalty."""
    document = yaml.safe_load(PUBLISHED_CATALOGUE.read_text(encoding="utf-8"))
    document["version"] = version
    document["clocks"]["penalty"]["publicity_by_severity"]["minor"].update(minor)
    return Catalogue.model_validate(document)


async def deliver_criticism(gateway: GatewayFixture, uscc: str) -> None:
    """Deliver a penalty of public criticism alone: disclosed by 2026.1 for three months, not by 2026.2."""
    decided_on = day_of(gateway.clock()) - timedelta(days=30)
    row = {
        "uscc": uscc,
        "document_number": "浙通报1",
        "kinds": ["通报批评"],
        "decided_on": f"{decided_on}",
        "published_on": f"{decided_on}",
        "procedure": "普通",
        "appeal_state": "none",
    }
    async with gateway.runtime.engine.begin() as connection:
        await ingest_rows(
            connection,
            SOURCE,
            "penalty",
            [row],
            now=gateway.clock(),
            catalogue=gateway.runtime.catalogue,
            vault=gateway.runtime.vault,
        )


async def numbers(bank: Caller, uscc: str) -> list[str]:
    """Document numbers of the penalties disclosed to the bank."""
    records = (await bank.query(uscc, "penalty")).json()["records"]
    return [each["fields"]["document_number"] for each in records]


async def kinds(gateway: GatewayFixture, bank: Caller) -> list[str]:
    """Kinds of the notices on records to this client, in order."""
    rows = await gateway.rows(
        "SELECT kind FROM tombstone WHERE client_id = :client AND record_id IS NOT NULL"
        " ORDER BY occurred_at, change_id",
        client=bank.client_id,
    )
    return [row["kind"] for row in rows]


async def bring_into_force(gateway: GatewayFixture, catalogue: Catalogue) -> int:
    """Switch, and write all notices; their number."""
    switch(gateway, catalogue)
    engine, now = gateway.runtime.engine, gateway.clock()
    assert await catalogue_notices.run(engine, catalogue, now=now) == 0, "first seen"
    assert await catalogue_notices.run(engine, catalogue, now=now) == 0, "not before the delay"
    written = await catalogue_notices.run(engine, catalogue, now=now + DELAY)
    assert await catalogue_notices.run(engine, catalogue, now=now + DELAY) == 0, "once"
    return written


async def test_recipients_get_a_notice_of_a_version_that_ends_disclosure(
    gateway: GatewayFixture,
) -> None:
    """A return under a later version is notified to the same recipients only."""
    uscc = gateway.uscc("clean")
    await deliver_criticism(gateway, uscc)
    bank, other = await gateway.client(), await gateway.client()
    for client in (bank, other):
        await gateway.grant(client, uscc, datasets=["penalty"])
    assert await numbers(bank, uscc) == ["浙通报1"]

    assert await bring_into_force(gateway, NEW) == 1
    assert await numbers(bank, uscc) == []
    assert await numbers(other, uscc) == []
    assert (await kinds(gateway, bank), await kinds(gateway, other)) == (["record_ended"], [])

    assert await bring_into_force(gateway, variant("2026.4", kinds=["警告"])) == 1
    assert await numbers(bank, uscc) == ["浙通报1"]
    assert await kinds(gateway, bank) == ["record_ended", "record_reinstated"]
    assert await kinds(gateway, other) == []


async def test_a_field_that_a_new_version_withholds_is_a_correction(
    gateway: GatewayFixture,
) -> None:
    """The record is disclosed without the field."""
    uscc = gateway.uscc("penalised")
    bank = await gateway.client()
    await gateway.grant(bank, uscc, datasets=["penalty"])
    assert await numbers(bank, uscc)
    document = yaml.safe_load(PUBLISHED_CATALOGUE.read_text(encoding="utf-8"))
    penalty = next(each for each in document["datasets"] if each["code"] == "penalty")
    next(f for f in penalty["fields"] if f["name"] == "facts").pop("class")
    assert await bring_into_force(gateway, Catalogue.model_validate(document)) == 1
    assert await kinds(gateway, bank) == ["record_corrected"]


async def test_a_shorter_term_is_notified_to_those_who_were_told_a_later_one(
    gateway: GatewayFixture,
) -> None:
    """Not where the consent ends before it, nor of a yes or no, which has no term of use."""
    uscc = gateway.uscc("penalised")
    await bring_into_force(gateway, NEW)
    long, short, platform = await gateway.client(), await gateway.client(), await gateway.client()
    for bank, days in ((long, 300), (short, 1)):
        await gateway.grant(bank, uscc, datasets=["penalty"], days=days)
        assert await numbers(bank, uscc)
    await platform.verify(uscc, "no_live_penalty.v1")

    document = yaml.safe_load(PUBLISHED_CATALOGUE.read_text(encoding="utf-8"))
    document["version"] = "2026.5"
    document["clocks"]["penalty"]["publicity_by_severity"]["months"]["一般"] = 8
    shorter = Catalogue.model_validate(document)
    assert await bring_into_force(gateway, shorter) == 1
    assert await numbers(long, uscc), "told on, with its new term"
    found = [await kinds(gateway, each) for each in (long, short, platform)]
    assert found == [["record_corrected"], [], []]


async def test_a_record_whose_own_clock_has_ended_is_no_change(gateway: GatewayFixture) -> None:
    """The end was known under the version before."""
    uscc = gateway.uscc("clean")
    await deliver_criticism(gateway, uscc)
    bank = await gateway.client()
    await gateway.grant(bank, uscc, datasets=["penalty"])
    assert await numbers(bank, uscc) == ["浙通报1"]
    with gateway.clock.later(days=100):
        assert await bring_into_force(gateway, NEW) == 0
