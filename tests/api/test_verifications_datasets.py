"""Questions on lists, proceedings, levels and the scope over HTTP, about the synthetic province."""

import pytest

from gateway.creditfile.records import Record
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from tests.gateway_fixture import UNKNOWN, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

ABSENCES = {
    "no_enforcement_case.v1": "enforcement_case",
    "no_equity_freeze.v1": "equity_freeze",
    "not_in_liquidation.v1": "liquidation",
    "not_on_any_serious_list.v1": "untrustworthy_list",
}
LEVELS = {
    "tax_credit_level_at_least.v1": ("tax_credit_level", ("A", "B", "M", "C", "D"), "M"),
    "comprehensive_rating_at_least.v1": ("comprehensive_rating", ("A", "B", "C", "D"), "B"),
}


def is_open(record: Record, gateway: GatewayFixture) -> bool:
    """True where neither its last day nor its removal has passed."""
    today = gateway.clock().date()
    return not (
        (record.removed_on is not None and record.removed_on <= today)
        or (record.valid_to is not None and record.valid_to < today)
    )


def holder(gateway: GatewayFixture, dataset: str) -> SyntheticEnterprise:
    """An enterprise with an open record of this dataset."""
    return next(
        entity
        for entity in gateway.entities
        if entity.enterprise.code_ok
        and any(r.dataset == dataset and is_open(r, gateway) for r in entity.records)
    )


@pytest.mark.parametrize("tag", ABSENCES)
async def test_an_open_entry_is_a_no_that_rests_on_it(gateway: GatewayFixture, tag: str) -> None:
    """Public: no consent is needed. Without an entry yes, of an unknown enterprise not determined."""
    bank, listed = await gateway.client(), holder(gateway, ABSENCES[tag])
    assert await bank.answers(listed.enterprise.uscc, tag) == ["no"]
    (row,) = await gateway.log_of(bank)
    rested = {record_id for record_id, _ in row["relied_on"]}
    assert rested & {r.record_id for r in listed.records if r.dataset == ABSENCES[tag]}
    free = next(
        entity
        for entity in gateway.entities
        if entity.enterprise.code_ok
        and not {r.dataset for r in entity.records}
        & {*ABSENCES.values(), "serious_violation", "judgment_defaulter"}
    )
    assert await bank.answers(free.enterprise.uscc, tag) == ["yes"]
    assert await bank.answers(UNKNOWN, tag) == ["not_determined"]


@pytest.mark.parametrize("trait", ["serious_violation", "judgment_defaulter"])
async def test_any_serious_list_counts(gateway: GatewayFixture, trait: str) -> None:
    """The market regulator's and the courts' among them."""
    bank = await gateway.client()
    assert await bank.answers(gateway.uscc(trait), "not_on_any_serious_list.v1") == ["no"]


@pytest.mark.parametrize("tag", LEVELS)
async def test_a_level_is_told_under_consent_only(gateway: GatewayFixture, tag: str) -> None:
    """Also the level that is published of those who have it: that somebody lacks it is not."""
    bank = await gateway.client()
    dataset, scale, asked = LEVELS[tag]
    rated = next(
        (entity, record)
        for entity in gateway.entities
        for record in entity.records
        if record.dataset == dataset and record.level in scale and is_open(record, gateway)
    )
    uscc, level = rated[0].enterprise.uscc, str(rated[1].level)
    assert await bank.answers(uscc, (tag, scale[0]), (tag, asked)) == ["not_determined"] * 2
    await gateway.grant(bank, uscc, questions=[tag])
    reached = scale.index(level) <= scale.index(asked)
    assert await bank.answers(uscc, (tag, asked)) == ["yes" if reached else "no"]


async def test_scope_size_and_items_are_those_of_the_file(gateway: GatewayFixture) -> None:
    """Each by its fixed list or form; what is not of that form is refused."""
    bank = await gateway.client()
    with_scope = next(
        entity.enterprise for entity in gateway.entities if entity.enterprise.scope_industries
    )
    code = (with_scope.scope_industries or ("",))[0]
    tag = "scope_includes.v1"
    assert await bank.answers(with_scope.uscc, (tag, code[1:4]), (tag, code[:4])) == ["yes"] * 2
    assert await bank.answers(with_scope.uscc, (tag, "999")) == ["no"]
    refused = await bank.verify(with_scope.uscc, (tag, code))
    assert refused.json()["code"] == "invalid_request"
    sized = next(
        entity.enterprise
        for entity in gateway.entities
        if entity.enterprise.small_or_micro is not None
    )
    small = "yes" if sized.small_or_micro else "no"
    assert await bank.answers(sized.uscc, "is_small_or_micro.v1") == [small]
    licensed, licence = next(
        (entity.enterprise, record)
        for entity in gateway.entities
        for record in entity.records
        if record.dataset == "licence"
        and record.fields.get("item_code")
        and is_open(record, gateway)
    )
    asked = ("licence_item_valid.v1", str(licence.fields["item_code"]))
    assert await bank.answers(licensed.uscc, asked) == ["yes"]


async def test_a_change_of_representative_is_a_no(gateway: GatewayFixture) -> None:
    """For as long as it is recent."""
    bank = await gateway.client()
    changed, record = next(
        (entity.enterprise, record)
        for entity in gateway.entities
        for record in entity.records
        if record.dataset == "change" and record.category == "法定代表人变更"
    )
    days = (gateway.clock().date() - record.decided_on).days if record.decided_on else 0
    (told,) = await bank.answers(changed.uscc, ("representative_stable.v1", "6"))
    assert told == "no" if days < 180 else told != "no"
