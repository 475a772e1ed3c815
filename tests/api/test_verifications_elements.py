"""Verification of element groups, licence numbers and payments over HTTP: consent, budgets, answers."""

import pytest

from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from tests.gateway_fixture import UNKNOWN, GatewayFixture, verification_body

pytestmark = pytest.mark.asyncio(loop_scope="session")

THREE, FOUR = "three_elements.v1", "four_elements.v1"
OTHER_ID = "110101199003074514"


def three(held: SyntheticEnterprise, **other: str) -> tuple[str, dict[str, str]]:
    """Three elements of an enterprise, with changes."""
    values = {
        "name": held.enterprise.name,
        "legal_representative": held.enterprise.legal_representative,
    }
    return THREE, values | other


def four(held: SyntheticEnterprise, **other: str) -> tuple[str, dict[str, str]]:
    """Four elements of an enterprise, with changes."""
    number = held.personal["legal_representative_id_number"]
    return FOUR, {**three(held)[1], "id_number": number} | other


async def test_three_elements_are_answered_as_one(gateway: GatewayFixture) -> None:
    """One `yes`, or the same `no` for a wrong name, a wrong person or both, without a level of match."""
    of = gateway.entity("clean")
    wrong = (
        {"name": "甲公司"},
        {"legal_representative": "不是本人"},
        {"name": "甲公司", "legal_representative": "不是本人"},
    )
    bank = await gateway.client()
    told = await bank.verify(of.enterprise.uscc, three(of))
    assert told.json()["answers"] == [{"question": THREE, "answer": "yes"}]
    for others in wrong:
        bank = await gateway.client()
        told = await bank.verify(of.enterprise.uscc, three(of, **others))
        assert told.json()["answers"] == [{"question": THREE, "answer": "no"}]
    traditional = gateway.entity("traditional_variant")
    simplified = three(traditional, name="杭州龙腾云数科技有限公司")
    assert await bank.answers(traditional.enterprise.uscc, simplified) == ["yes"]


async def test_four_elements_need_a_consent_that_names_them(gateway: GatewayFixture) -> None:
    """A consent to the ID number alone is not enough; a closed question spends no budget."""
    bank, of = await gateway.client(), gateway.entity("clean")
    uscc, number = of.enterprise.uscc, of.personal["legal_representative_id_number"]
    for guess in ("1", "2", "3", "4"):
        assert await bank.answers(uscc, four(of, id_number=guess)) == ["not_determined"]
    await gateway.grant(bank, uscc, datasets=(), questions=["legal_representative_id.v1"])
    assert await bank.answers(uscc, four(of)) == ["not_determined"]
    await gateway.grant(bank, uscc, datasets=(), questions=[FOUR])
    right = await bank.verify(uscc, four(of))
    assert right.json()["answers"] == [{"question": FOUR, "answer": "yes"}]
    assert number not in right.text
    assert await bank.answers(uscc, four(of, id_number=OTHER_ID)) == ["no"]
    assert await bank.answers(uscc, four(of, name="甲公司")) == ["no"]


async def test_a_wrong_code_and_an_unknown_one_are_answered_alike(gateway: GatewayFixture) -> None:
    """The same statements run, and the budgets are written for both."""
    bank, of = await gateway.client(), gateway.entity("clean")
    assert await bank.answers(UNKNOWN, three(of)) == ["not_determined"]
    kept = await gateway.rows(
        "SELECT question FROM probe WHERE client_id = :client ORDER BY question",
        client=bank.client_id,
    )
    assert [each["question"] for each in kept] == [
        "enterprise_name.v1",
        "legal_representative_name.v1",
        THREE,
    ]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (THREE, "杭州云栖数据科技有限公司"),
        (THREE, {"name": "甲公司"}),
        (THREE, {"name": "甲公司", "legal_representative": None}),
        (THREE, {"name": "甲公司", "legal_representative": " "}),
        (THREE, {"name": "甲公司", "legal_representative": "张三", "id_number": "1"}),
        (THREE, {"name": "甲公司", "legal_representative": "张三", "colour": "red"}),
        (THREE, {"name": "甲公司", "legal_representative": ["张三"]}),
        (THREE, ["甲公司", "张三"]),
        (THREE, {}),
        (THREE, None),
        (FOUR, {"name": "甲公司", "legal_representative": "张三"}),
        ("enterprise_name.v1", {"name": "甲公司"}),
        ("rating_at_least.v1", {"name": "良好"}),
        ("is_active.v1", {"name": "甲公司"}),
    ],
)
async def test_a_group_takes_just_its_members(
    gateway: GatewayFixture, question: str, value: object
) -> None:
    """Refused before anything is read, without repeating a value."""
    bank = await gateway.client()
    body = verification_body(gateway.uscc("clean"), "is_active.v1")
    body["questions"] = [{"question": question, "value": value}]
    refused = await bank.send("/v1/verifications", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert "甲公司" not in refused.text
    assert "张三" not in refused.text


async def test_the_order_of_members_is_not_part_of_the_question(gateway: GatewayFixture) -> None:
    """Asked twice in one call it is a duplicate and refused."""
    bank, of = await gateway.client(), gateway.entity("clean")
    tag, members = three(of)
    turned = (tag, dict(reversed(members.items())))
    assert await bank.answers(of.enterprise.uscc, turned) == ["yes"]
    twice = await bank.verify(of.enterprise.uscc, (tag, members), turned)
    assert twice.json()["code"] == "invalid_request"


async def test_a_licence_is_found_by_its_number(gateway: GatewayFixture) -> None:
    """In any spelling, without a level of match; a fourth number is beyond the budget."""
    bank, tag = await gateway.client(), "licence_number_valid.v1"
    of = next(
        e for e in gateway.entities if any(r.dataset == "licence" for r in e.records)
    )  # the first with a licence
    licence = next(r for r in of.records if r.dataset == "licence")
    number = licence.fields["number"]
    spelt = number.replace("〔", "[").replace("〕", "]")
    told = await bank.verify(of.enterprise.uscc, (tag, number))
    assert told.json()["answers"][0].keys() == {"question", "answer"}
    (answer,) = await bank.answers(of.enterprise.uscc, (tag, spelt))
    assert answer == told.json()["answers"][0]["answer"]
    assert await bank.answers(UNKNOWN, (tag, number)) == ["not_determined"]
    await bank.answers(of.enterprise.uscc, (tag, "甲1号"), (tag, "乙2号"))
    assert await bank.answers(of.enterprise.uscc, (tag, "丙3号")) == ["not_determined"]


async def test_payments_are_disclosed_under_consent_only(gateway: GatewayFixture) -> None:
    """Tax, housing fund and number of insured employees have their own questions."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    tags = ("paid_tax_on_time.v1", "paid_housing_fund_on_time.v1")
    asked = [(tag, "6") for tag in tags]
    assert await bank.answers(uscc, *asked) == ["not_determined"] * 2
    await gateway.grant(bank, uscc, questions=[tags[0]])
    assert await bank.answers(uscc, *asked) == ["yes", "not_determined"]
    await gateway.grant(bank, uscc, questions=[*tags, "employees_insured_at_least.v1"])
    assert await bank.answers(uscc, *asked, ("employees_insured_at_least.v1", "1")) == [
        "yes",
        "yes",
        "yes",
    ]


@pytest.mark.parametrize(
    ("trait", "standing", "is_individual"),
    [
        ("clean", "yes", "no"),
        ("suspended", "yes", "no"),
        ("revoked", "no", "no"),
        ("deregistered", "no", "no"),
        ("moved", "not_determined", "no"),
        ("individual_business", "yes", "yes"),
        ("cooperative", "yes", "no"),
    ],
)
async def test_standing_and_kind_are_those_of_the_registration(
    gateway: GatewayFixture, trait: str, standing: str, is_individual: str
) -> None:
    """Public state: no consent, no budget."""
    bank = await gateway.client()
    told = await bank.answers(
        gateway.uscc(trait), "registration_standing.v1", "is_individual_business.v1"
    )
    assert told == [standing, is_individual]


async def test_last_years_report_is_asked_for_after_june(gateway: GatewayFixture) -> None:
    """Individual businesses file too; an unavailable source is not determined."""
    bank = await gateway.client()
    reported = next(
        e
        for e in gateway.entities
        if e.enterprise.status == "active"
        and any(r.dataset == "annual_report" and r.period == "2025" for r in e.records)
    )
    assert await bank.answers(reported.enterprise.uscc, "annual_report_filed.v1") == ["yes"]
