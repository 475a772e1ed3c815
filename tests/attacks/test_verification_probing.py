"""Probing credit files by yes/no questions: probe budgets, padding, uniform answers."""

import asyncio
import secrets

import httpx2
import pytest

from tests.gateway_fixture import (
    UNKNOWN,
    Caller,
    GatewayFixture,
    QuestionValue,
    every_question,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "legal_representative_name.v1"
ID_NUMBER = "legal_representative_id.v1"
RATING = "rating_at_least.v1"
WRONG = ("王一", "王二", "王三", "王四", "王五")


def guesses(*values: str, question: str = NAME) -> list[tuple[str, str]]:
    """One question with these values."""
    return [(question, value) for value in values]


async def test_three_values_are_answered_and_a_fourth_is_not(gateway: GatewayFixture) -> None:
    """Even if the fourth is true; answered values are answered again."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    for value in WRONG[:3]:
        assert await bank.answers(of.uscc, (NAME, value)) == ["no"]
    for _ in range(2):
        assert await bank.answers(of.uscc, (NAME, of.legal_representative)) == ["not_determined"]
    assert await bank.answers(of.uscc, *guesses(*WRONG[:3])) == ["no", "no", "no"]


async def test_in_one_call_the_first_three_are_answered(gateway: GatewayFixture) -> None:
    """In the order of the questions."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    told = await bank.answers(of.uscc, *guesses(*WRONG, of.legal_representative))
    assert told == ["no", "no", "no", "not_determined", "not_determined", "not_determined"]


async def test_a_repeat_is_free_in_any_spelling(gateway: GatewayFixture) -> None:
    """Full width, brackets and spaces are normalised."""
    bank, of = await gateway.client(), gateway.entity("full_width_name").enterprise
    spellings = (of.name, "杭州AI云算(智能)科技有限公司", " 杭州ＡＩ云算【智能】科技有限公司 ")
    asked = guesses(*spellings, "甲公司", "乙公司", "丙公司", question="enterprise_name.v1")
    assert await bank.answers(of.uscc, *asked) == [
        "yes", "yes", "yes", "no", "no", "not_determined",
    ]  # fmt: skip


async def test_each_question_of_each_enterprise_has_its_own_budget(gateway: GatewayFixture) -> None:
    """For each client, enterprise and question."""
    bank, other = await gateway.client(), await gateway.client()
    of, elsewhere = gateway.entity("clean").enterprise, gateway.entity("penalised").enterprise
    await bank.answers(of.uscc, *guesses(*WRONG))
    right = (NAME, of.legal_representative)
    assert await bank.answers(of.uscc, right) == ["not_determined"]
    assert await bank.answers(of.uscc, ("enterprise_name.v1", of.name)) == ["yes"]
    assert await bank.answers(elsewhere.uscc, (NAME, elsewhere.legal_representative)) == ["yes"]
    assert await other.answers(of.uscc, right) == ["yes"]


async def test_both_questions_on_a_name_share_one_budget(gateway: GatewayFixture) -> None:
    """Whichever of the two questions and spellings is used."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    later = "legal_representative_name.v2"
    assert await bank.answers(of.uscc, *guesses("王一", "龙二")) == ["no", "no"]
    assert (
        await bank.answers(of.uscc, *guesses("王一", "⻰二", "王三", question=later)) == ["no"] * 3
    )
    right = [(NAME, of.legal_representative), (later, of.legal_representative)]
    assert await bank.answers(of.uscc, *right) == ["not_determined"] * 2
    assert await bank.answers(of.uscc, (NAME, "⻰二"), (NAME, "王三")) == ["no", "no"]
    (row,) = await gateway.rows(
        "SELECT question, (SELECT count(*) FROM jsonb_object_keys(asked)) AS values FROM probe"
        " WHERE client_id = :client",
        client=bank.client_id,
    )
    assert row == {"question": NAME, "values": 3}


async def test_after_thirty_days_a_value_leaves_the_budget(gateway: GatewayFixture) -> None:
    """Not a day earlier."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    await bank.answers(of.uscc, *guesses(*WRONG[:3]))
    right = (NAME, of.legal_representative)
    with gateway.clock.later(days=29):
        assert await bank.answers(of.uscc, right) == ["not_determined"]
    with gateway.clock.later(days=31):
        assert await bank.answers(of.uscc, right) == ["yes"]


async def test_a_band_cannot_be_found_by_halving(gateway: GatewayFixture) -> None:
    """Three of five values, with a consent."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc, questions=[RATING])
    told = await bank.answers(uscc, *guesses("差", "较差", "中等", "良好", "优秀", question=RATING))
    assert told == ["yes", "yes", "yes", "not_determined", "not_determined"]


async def test_questions_closed_for_missing_consent_spend_no_budget(
    gateway: GatewayFixture,
) -> None:
    """Closed questions do not use the budget."""
    bank, of = await gateway.client(), gateway.entity("clean")
    uscc, number = of.enterprise.uscc, of.personal["legal_representative_id_number"]
    closed = await bank.answers(uscc, *guesses(*WRONG, number, question=ID_NUMBER))
    assert set(closed) == {"not_determined"}
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER])
    assert await bank.answers(uscc, (ID_NUMBER, number)) == ["yes"]


async def test_no_crowd_of_calls_exceeds_the_budget(gateway: GatewayFixture) -> None:
    """Twenty concurrent values: three answered, a response for each."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    await bank.token()
    values = [f"王{number}" for number in range(20)]
    told = await asyncio.gather(*(bank.answers(of.uscc, (NAME, value)) for value in values))
    assert sorted(answer for answers in told for answer in answers) == sorted(
        ["no"] * 3 + ["not_determined"] * 17
    )
    assert await bank.answers(of.uscc, (NAME, of.legal_representative)) == ["not_determined"]


async def test_an_unknown_enterprise_spends_budgets_like_a_known_one(
    gateway: GatewayFixture,
) -> None:
    """The same rows are written."""
    rows = []
    for uscc in (gateway.uscc("clean"), UNKNOWN):
        bank = await gateway.client()
        await bank.answers(uscc, *guesses(*WRONG[:2]))
        found = await gateway.rows(
            "SELECT question, revision, (SELECT count(*) FROM jsonb_object_keys(asked)) AS values"
            " FROM probe WHERE client_id = :client",
            client=bank.client_id,
        )
        rows.append(found)
    assert rows[0] == rows[1] == [{"question": NAME, "revision": 1, "values": 2}]


async def test_asserted_values_are_kept_as_keyed_digests_only(gateway: GatewayFixture) -> None:
    """The table has neither values nor plain hashes."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    value = f"王{secrets.token_hex(4)}"
    await bank.answers(of.uscc, (NAME, value))
    kept = await gateway.rows(
        "SELECT row_to_json(p)::text AS row FROM probe p WHERE client_id = :client",
        client=bank.client_id,
    )
    logged = await gateway.log_of(bank)
    assert value not in str(kept) + str(logged)


# What an answer gives away besides itself


async def answer_to(
    bank: Caller, uscc: str, *asked: tuple[str, QuestionValue] | str
) -> httpx2.Response:
    """A single answer."""
    response = await bank.verify(uscc, *asked, headers={"X-Request-Id": "the-same"})
    assert response.status_code == 200, response.text
    return response


async def test_answers_to_the_same_question_are_of_one_length(gateway: GatewayFixture) -> None:
    """Yes by any level, no, not determined, unknown enterprise, budget used up."""
    bank, of = await gateway.client(), gateway.entity("traditional_variant").enterprise
    name = "enterprise_name.v1"
    told = [
        await answer_to(bank, of.uscc, (name, of.name)),
        await answer_to(bank, of.uscc, (name, "杭州龙腾云数科技有限公司")),
        await answer_to(bank, of.uscc, (name, "杭州龍騰雲數科技有限公門")),
        await answer_to(bank, of.uscc, (name, "杭州龍騰雲數科技有限公間")),
        await answer_to(bank, UNKNOWN, (name, of.name)),
    ]
    answers = [tuple(sorted(each.json()["answers"][0].items())) for each in told]
    assert len(set(answers)) == 4
    assert len({len(each.content) for each in told}) == 1
    assert len({tuple(each.headers) for each in told}) == 1


async def test_every_question_is_padded_for_every_enterprise(gateway: GatewayFixture) -> None:
    """The whole catalogue, for each kind of enterprise and an unknown one."""
    bank = await gateway.client()
    usccs = [e.enterprise.uscc for e in gateway.entities[:56] if e.enterprise.code_ok]
    for asked in every_question():
        lengths = {len((await answer_to(bank, uscc, *asked)).content) for uscc in (*usccs, UNKNOWN)}
        assert len(lengths) == 1


async def test_an_unknown_enterprise_and_a_closed_one_answer_alike(gateway: GatewayFixture) -> None:
    """Byte by byte, but for ids, times and digests."""
    bank = await gateway.client()
    told = [
        (await answer_to(bank, uscc, (RATING, "良好"), (ID_NUMBER, "330106199001011234"))).json()
        for uscc in (gateway.uscc("clean"), UNKNOWN)
    ]
    for each in told:
        for own in ("verification_id", "disclosure_id", "as_of", "log_promise", "enterprise"):
            del each[own]
    assert told[0] == told[1]


async def test_no_group_gives_further_guesses(gateway: GatewayFixture) -> None:
    """A group's names and single names share one budget: a fourth name is not answered."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    group = "three_elements.v1"

    def asked(name: str, person: str) -> tuple[str, QuestionValue]:
        return group, {"name": name, "legal_representative": person}

    assert await bank.answers(of.uscc, *guesses("王一", "王二")) == ["no", "no"]
    assert await bank.answers(of.uscc, asked(of.name, "王三")) == ["no"]
    right = asked(of.name, of.legal_representative)
    assert await bank.answers(of.uscc, right) == ["not_determined"]
    assert await bank.answers(of.uscc, (NAME, of.legal_representative)) == ["not_determined"]
    assert await bank.answers(of.uscc, asked(of.name, "王一")) == ["no"]
    kept = await gateway.rows(
        "SELECT question, (SELECT count(*) FROM jsonb_object_keys(asked)) AS values FROM probe"
        " WHERE client_id = :client ORDER BY question",
        client=bank.client_id,
    )
    assert [(row["question"], row["values"]) for row in kept] == [
        ("enterprise_name.v1", 1),
        (NAME, 3),
        (group, 2),
    ]


async def test_an_unanswered_group_spends_no_budget(gateway: GatewayFixture) -> None:
    """If one element is beyond its budget, neither the group nor the other element is counted."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    await bank.answers(of.uscc, *guesses(*WRONG[:3]))
    closed = {"name": "甲公司", "legal_representative": "王四"}
    assert await bank.answers(of.uscc, ("three_elements.v1", closed)) == ["not_determined"]
    names = guesses("甲公司", "乙公司", of.name, question="enterprise_name.v1")
    assert await bank.answers(of.uscc, *names) == ["no", "no", "yes"]


async def test_concurrent_groups_do_not_exceed_their_budgets(gateway: GatewayFixture) -> None:
    """Twelve concurrent groups of four names: three names answered, a response for each call."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    await bank.token()
    asked: list[tuple[str, QuestionValue]] = [
        ("three_elements.v1", {"name": f"甲{i % 4}", "legal_representative": f"王{i}"})
        for i in range(12)
    ]
    told = await asyncio.gather(*(bank.answers(of.uscc, each) for each in asked))
    assert sorted(answer for answers in told for answer in answers) == sorted(
        ["no"] * 3 + ["not_determined"] * 9
    )


async def test_answers_to_a_group_are_of_one_length(gateway: GatewayFixture) -> None:
    """Yes, no for either element, not determined, unknown enterprise."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    told = [
        await answer_to(
            bank, uscc, ("three_elements.v1", {"name": name, "legal_representative": person})
        )
        for uscc, name, person in (
            (of.uscc, of.name, of.legal_representative),
            (of.uscc, of.name, "王一"),
            (of.uscc, "甲公司", of.legal_representative),
            (of.uscc, "乙公司", "王二"),
            (UNKNOWN, of.name, of.legal_representative),
        )
    ]
    answers = [each.json()["answers"][0]["answer"] for each in told]
    assert answers == ["yes", "no", "no", "not_determined", "not_determined"]
    assert len({len(each.content) for each in told}) == 1
