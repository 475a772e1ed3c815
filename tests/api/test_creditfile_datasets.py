"""Datasets of the catalogue end to end: ingested, queried under consent, on the public page by class.

The rows are those of the synthetic province; they are delivered once more for another enterprise.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.codes.public_page.summary import public_datasets
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.ingest import BatchResult, Source, ingest_rows
from tests.creditfile_builders import CATALOGUE
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCE = Source(source_id="datasets", name="数源单位（合成数据）")
SUBJECT = "former_name"
NEW = (
    "untrustworthy_list", "administrative_coercion", "measure", "comprehensive_rating",
    "tax_credit_level", "customs_level", "judgment_case", "enforcement_case", "consumption_limit",
    "equity_freeze", "shareholder", "key_person", "change", "branch", "liquidation",
    "arrears_notice", "sampling_result", "contract_performance", "complaint",
)  # fmt: skip


async def deliver(gateway: GatewayFixture, uscc: str, dataset: str, row: Mapping[str, Any]) -> Any:
    async with gateway.runtime.engine.begin() as connection:
        (outcome,) = await ingest_rows(
            connection,
            SOURCE,
            dataset,
            [{"uscc": uscc, **row}],
            now=gateway.clock(),
            catalogue=gateway.runtime.catalogue,
            vault=gateway.runtime.vault,
        )
    return outcome


def row_of(gateway: GatewayFixture, dataset: str) -> dict[str, Any]:
    """A row of the province that is told now and, of complaints, published."""
    rows = (
        dict(row.fields)
        for each in gateway.entities
        for row in each.deliveries
        if row.dataset == dataset
    )
    return next(rows) | ({"published": True} if dataset == "complaint" else {})


async def page_records(gateway: GatewayFixture, dataset: str) -> list[dict[str, Any]]:
    """Records of one dataset on the public page's JSON twin."""
    address = gateway.subject(SUBJECT)["code_url"].removeprefix(gateway.issuer)
    answer = await gateway.http.get(address, headers={"Accept": "application/json"})
    sections = {each["dataset"]: each for each in answer.json()["datasets"]}
    records: list[dict[str, Any]] = sections[dataset]["records"]
    return records


def reaches_client(field: FieldDefinition, row: Mapping[str, Any]) -> bool:
    """True if a client with consent is told the field, by its class alone."""
    return field.disclosure is DisclosureClass.AUTHORISED or is_public(field, row)


def is_public(field: FieldDefinition, row: Mapping[str, Any]) -> bool:
    """True if the page shows the field of this row, by its class alone."""
    if field.disclosure is DisclosureClass.PUBLIC:
        return True
    return field.public_when is not None and field.public_when.holds(row)


@pytest.mark.parametrize("dataset", NEW)
async def test_a_dataset_is_ingested_and_told_as_its_classes_say(
    gateway: GatewayFixture, dataset: str
) -> None:
    """Under consent its public and authorised fields, without consent nothing, on the page what is public."""
    uscc, row = gateway.subject(SUBJECT)["uscc"], row_of(gateway, dataset)
    assert (await deliver(gateway, uscc, dataset, row)).outcome is not BatchResult.REJECTED
    bank = await gateway.client(datasets=frozenset({dataset, "licence"}))
    refused = await bank.query(uscc, dataset)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_available")
    await gateway.grant(bank, uscc, datasets=["licence"])
    other = await bank.query(uscc, dataset)
    assert not [each for each in other.json().get("records", ()) if each["dataset"] == dataset]
    await gateway.grant(bank, uscc, datasets=[dataset])
    answer = (await bank.query(uscc, dataset)).json()
    fields = {each.name: each for each in CATALOGUE.dataset(dataset).fields}
    [told] = [each["fields"] for each in answer["records"] if each["dataset"] == dataset]
    assert told == {n: v for n, v in row.items() if reaches_client(fields[n], row)}
    if dataset in public_datasets(CATALOGUE):
        public = {name for name in row if is_public(fields[name], row)}
        shown = [set(each["fields"]) for each in await page_records(gateway, dataset)]
        assert shown == ([public] if public else [])


async def test_persons_are_masked_on_the_page_and_named_under_consent(
    gateway: GatewayFixture,
) -> None:
    """A liquidator of a firm; identity numbers lie sealed and are told to nobody."""
    uscc, row = gateway.subject(SUBJECT)["uscc"], row_of(gateway, "liquidation")
    await deliver(gateway, uscc, "liquidation", row | {"leader": "张三丰", "members": ["李四光"]})
    [shown] = await page_records(gateway, "liquidation")
    assert (shown["fields"]["leader"], shown["fields"]["members"]) == ("张**", ["李**"])
    await deliver(gateway, uscc, "equity_freeze", row_of(gateway, "equity_freeze"))
    kept = await gateway.rows(
        "SELECT fields FROM record WHERE uscc = :uscc AND dataset = 'equity_freeze'", uscc=uscc
    )
    assert kept
    assert not [each for each in kept if "holder_id_number" in each["fields"]]


async def test_registrations_are_small_or_micro_or_not_known(gateway: GatewayFixture) -> None:
    """The list's entry and the industries of the scope are stored, and told; absent is unknown."""
    firm = gateway.entity("former_name").registration.fields
    bank, uscc = await gateway.client(), gateway.uscc("former_name")
    await gateway.grant(bank, uscc, datasets=["registration"])
    [told] = (await bank.query(uscc, "registration")).json()["records"]
    for name in ("small_or_micro", "small_or_micro_on", "scope_industries"):
        assert told["fields"].get(name) == firm.get(name)
    shop = gateway.uscc("same_name")
    await gateway.grant(bank, shop, datasets=["registration"])
    [told] = (await bank.query(shop, "registration")).json()["records"]
    assert not {"capital", "currency", "small_or_micro"} & set(told["fields"])
