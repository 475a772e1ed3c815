"""POST /v1/verifications: answers, consent, idempotency, log."""

import asyncio
import re
from collections import Counter
from datetime import datetime

import pytest

import consent
from tests.gateway_fixture import UNKNOWN, GatewayFixture, every_question, verification_body
from verification import QUESTIONS

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUDGET_FREE = (
    "is_active.v1",
    "no_live_penalty.v1",
    "not_abnormal.v1",
    "not_on_serious_violation_list.v1",
    "not_judgment_defaulter.v1",
)
RATING = ("rating_at_least.v1", "差")
PAID = ("paid_social_insurance_on_time.v1", "3")


async def test_an_answer_has_the_shape_of_the_wire(gateway: GatewayFixture) -> None:
    """No missing and no further members."""
    bank, of = await gateway.client(), gateway.entity("clean").enterprise
    name = ("enterprise_name.v1", of.name)
    response = await bank.verify(of.uscc, name, "is_active.v1", RATING)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    ids = body.pop("verification_id"), body.pop("disclosure_id")
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", each) for each in ids)
    promise = body.pop("log_promise")
    assert promise.keys() == {"leaf_hash", "log", "merge_by"}
    as_of = datetime.fromisoformat(body.pop("as_of"))
    assert as_of.utcoffset() is not None
    assert datetime.fromisoformat(promise["merge_by"]) > as_of
    assert body == {
        "enterprise": {"uscc": of.uscc},
        "purpose": "loan_approval",
        "catalogue_version": "2026.2",
        "answers": [
            {"question": "enterprise_name.v1", "answer": "yes", "match": "strict"},
            {"question": "is_active.v1", "answer": "yes"},
            {"question": "rating_at_least.v1", "answer": "not_determined"},
        ],
    }


@pytest.mark.parametrize(
    ("trait", "noes"),
    [
        ("clean", ()),
        ("penalised", ("no_live_penalty.v1",)),
        ("expires_today", ("no_live_penalty.v1",)),
        ("disputed", ("no_live_penalty.v1",)),
        ("id_number_in_free_text", ("no_live_penalty.v1",)),
        ("penalty_expired", ()),
        ("repaired", ()),
        ("withdrawn", ()),
        ("under_appeal", ()),
        ("warning_only", ()),
        ("simplified_procedure", ()),
        ("abnormal", ("not_abnormal.v1",)),
        ("serious_violation", ("not_on_serious_violation_list.v1",)),
        ("judgment_defaulter", ("not_judgment_defaulter.v1",)),
        ("deregistered", ("is_active.v1",)),
        ("suspended", ("is_active.v1",)),
        ("revoked", ("is_active.v1",)),
        ("moved", ("is_active.v1",)),
        ("individual_business", ()),
        ("cooperative", ()),
        ("source_unavailable", ()),
    ],
)
async def test_each_kind_of_enterprise_answers_its_own_way(
    gateway: GatewayFixture, trait: str, noes: tuple[str, ...]
) -> None:
    """`no` for live facts; not for ended, repaired, withdrawn or uncounted ones."""
    bank = await gateway.client()
    told = await bank.answers(gateway.uscc(trait), *BUDGET_FREE)
    serious = {"no_live_penalty.v1"} if trait == "serious_violation" else set()
    found = {tag for tag, answer in zip(BUDGET_FREE, told, strict=True) if answer == "no"}
    assert found - serious == set(noes)
    assert set(told) <= {"yes", "no"}


@pytest.mark.parametrize(
    ("trait", "asserted", "match"),
    [
        ("clean", "{name}", "strict"),
        ("clean", " {name}\u3000", "strict"),
        ("rare_characters", "{name}", "strict"),
        ("full_width_name", "杭州AI云算(智能)科技有限公司", "strict"),
        ("middle_dot", "杭州茉莉・时光餐饮有限公司", "strict"),
        ("traditional_variant", "杭州龙腾云数科技有限公司", "loose"),
    ],
)
async def test_a_true_name_is_a_yes_however_it_is_written(
    gateway: GatewayFixture, trait: str, asserted: str, match: str
) -> None:
    """The answer has the level of the match."""
    bank, of = await gateway.client(), gateway.entity(trait).enterprise
    response = await bank.verify(of.uscc, ("enterprise_name.v1", asserted.format(name=of.name)))
    assert response.json()["answers"] == [
        {"question": "enterprise_name.v1", "answer": "yes", "match": match}
    ]


async def test_a_wrong_name_is_a_no_without_a_match(gateway: GatewayFixture) -> None:
    """For name, representative and address."""
    bank = await gateway.client()
    tags = ("enterprise_name.v1", "legal_representative_name.v1", "registered_address.v1")
    response = await bank.verify(gateway.uscc("clean"), *((tag, "不是这个") for tag in tags))
    assert response.json()["answers"] == [{"question": tag, "answer": "no"} for tag in tags]


async def test_two_shops_of_one_name_are_told_apart_by_their_codes(gateway: GatewayFixture) -> None:
    """By their codes."""
    bank = await gateway.client()
    shops = [e.enterprise for e in gateway.entities if "same_name" in e.traits]
    assert len({shop.uscc for shop in shops}) == len(shops) == 2
    for shop in shops:
        asked = ("legal_representative_name.v1", shop.legal_representative)
        assert await bank.answers(shop.uscc, ("enterprise_name.v1", shop.name), asked) == [
            "yes",
            "yes",
        ]


async def test_a_lower_case_code_with_spaces_is_the_same_code(gateway: GatewayFixture) -> None:
    """Codes are normalised in request and answer."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    response = await bank.verify(f" {uscc[:8]} {uscc[8:].lower()}", "is_active.v1")
    assert response.json()["enterprise"] == {"uscc": uscc}
    assert response.json()["answers"][0]["answer"] == "yes"


async def test_an_unknown_enterprise_determines_nothing(gateway: GatewayFixture) -> None:
    """For every question of the catalogue."""
    bank = await gateway.client()
    for asked in every_question():
        assert set(await bank.answers(UNKNOWN, *asked)) == {"not_determined"}


# Under consent


async def test_a_question_of_consent_needs_it(gateway: GatewayFixture) -> None:
    """Not determined without it, with another client's, or for another purpose."""
    bank, other, uscc = await gateway.client(), await gateway.client(), gateway.uscc("clean")
    await gateway.grant(other, uscc, questions=["rating_at_least.v1"])
    await gateway.grant(
        bank, uscc, purpose="post_loan_management", questions=["rating_at_least.v1"]
    )
    assert await bank.answers(uscc, RATING) == ["not_determined"]
    assert await bank.answers(uscc, RATING, purpose="post_loan_management") == ["yes"]
    assert await other.answers(uscc, RATING) == ["yes"]


async def test_a_consent_determines_its_own_questions_only(gateway: GatewayFixture) -> None:
    """Other questions stay closed; a call that it does not affect spends no use."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, datasets=(), questions=["rating_at_least.v1"])
    assert await bank.answers(uscc, PAID) == ["not_determined"]
    assert await gateway.uses(consent_id) == 0
    assert await bank.answers(uscc, PAID, RATING, "is_active.v1") == [
        "not_determined",
        "yes",
        "yes",
    ]
    assert await gateway.uses(consent_id) == 1
    assert await bank.answers(uscc, "is_active.v1") == ["yes"]
    assert await gateway.uses(consent_id) == 1


async def test_an_identity_number_is_compared_under_consent(gateway: GatewayFixture) -> None:
    """By keyed digest; the number is in no answer."""
    bank, of = await gateway.client(), gateway.entity("clean")
    await gateway.grant(
        bank, of.enterprise.uscc, datasets=(), questions=["legal_representative_id.v1"]
    )
    number = of.personal["legal_representative_id_number"]
    right = await bank.verify(of.enterprise.uscc, ("legal_representative_id.v1", number))
    wrong = ("legal_representative_id.v1", "110101199003074514")
    assert right.json()["answers"][0] == {
        "question": "legal_representative_id.v1",
        "answer": "yes",
    }
    assert number not in right.text
    assert await bank.answers(of.enterprise.uscc, wrong) == ["no"]


async def test_a_severity_is_disclosed_under_consent_only(gateway: GatewayFixture) -> None:
    """That there is a penalty is public; its severity needs consent."""
    bank, uscc = await gateway.client(), gateway.uscc("penalised")
    severities = [("no_live_penalty.v1", each) for each in ("轻微", "一般", "严重")]
    closed = ["not_determined"] * 3
    assert await bank.answers(uscc, "no_live_penalty.v1", *severities) == ["no", *closed]
    assert await bank.answers(gateway.uscc("clean"), *severities) == closed
    await gateway.grant(bank, uscc, questions=["is_active.v1"])
    assert await bank.answers(uscc, *severities) == closed
    await gateway.grant(bank, uscc, questions=["no_live_penalty.v1"])
    told = await bank.answers(uscc, "no_live_penalty.v1", *severities)
    assert told == ["no", "yes", "no", "yes"]


async def test_an_unavailable_source_is_not_determined_under_consent_either(
    gateway: GatewayFixture,
) -> None:
    """Neither yes nor no."""
    bank, uscc = await gateway.client(), gateway.uscc("source_unavailable")
    await gateway.grant(bank, uscc, questions=[PAID[0], RATING[0]])
    assert await bank.answers(uscc, PAID, RATING) == ["not_determined", "yes"]


@pytest.mark.parametrize("act", [consent.withdraw, consent.pause])
async def test_a_withdrawal_holds_from_the_next_verification(
    gateway: GatewayFixture, act: object
) -> None:
    """With a valid token, the question is not determined."""
    assert callable(act)
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, questions=["rating_at_least.v1"])
    assert await bank.answers(uscc, RATING) == ["yes"]
    await gateway.act(act, consent_id)
    assert await bank.answers(uscc, RATING) == ["not_determined"]
    assert await gateway.uses(consent_id) == 1


async def test_an_expired_consent_determines_nothing(gateway: GatewayFixture) -> None:
    """Without a job that updates its row."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc, questions=[RATING[0]], days=5, granted_days_ago=6)
    assert await bank.answers(uscc, RATING) == ["not_determined"]


async def test_as_many_uses_are_disclosed_as_were_allowed(gateway: GatewayFixture) -> None:
    """Forty concurrent calls on ten uses: ten answers, the rest as without consent."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, questions=[RATING[0]], max_uses=10)
    await bank.token()
    told = Counter(
        answer
        for answers in await asyncio.gather(*(bank.answers(uscc, RATING) for _ in range(40)))
        for answer in answers
    )
    assert told == {"yes": 10, "not_determined": 30}
    assert await gateway.uses(consent_id) == 10
    log = await gateway.log_of(bank)
    assert len(log) == 40
    assert sum(row["consent_id"] == consent_id for row in log) == 10


# Once only


async def test_the_same_call_again_gets_the_same_bytes_and_spends_nothing(
    gateway: GatewayFixture,
) -> None:
    """One use, one log row, one value in the probe budget."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, questions=[RATING[0]])
    key = {"Idempotency-Key": "the-same"}
    first = await bank.verify(uscc, RATING, headers=key)
    again = [await bank.verify(uscc, RATING, headers=key) for _ in range(2)]
    assert {each.content for each in again} == {first.content}
    assert await gateway.uses(consent_id) == 1
    assert len(await gateway.log_of(bank)) == 1


async def test_the_same_call_many_times_at_once_is_one_call(gateway: GatewayFixture) -> None:
    """Concurrent duplicates wait or read the stored answer."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, questions=[RATING[0]])
    key = {"Idempotency-Key": "at-once"}
    await bank.token()
    told = await asyncio.gather(*(bank.verify(uscc, RATING, headers=key) for _ in range(12)))
    assert {each.status_code for each in told} == {200}
    assert len({each.content for each in told}) == 1
    assert await gateway.uses(consent_id) == 1
    assert len(await gateway.log_of(bank)) == 1


async def test_a_repeated_call_tells_nothing_that_was_withdrawn_since(
    gateway: GatewayFixture,
) -> None:
    """Closed questions are not repeated after a withdrawal; public ones are."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, questions=[RATING[0]])
    closed, public = {"Idempotency-Key": "closed"}, {"Idempotency-Key": "public"}
    first = await bank.verify(uscc, RATING, headers=closed)
    open_to_all = await bank.verify(uscc, "is_active.v1", headers=public)
    assert first.json()["answers"][0]["answer"] == "yes"
    await gateway.act(consent.withdraw, consent_id)
    again = await bank.verify(uscc, RATING, headers=closed)
    assert again.json()["answers"][0]["answer"] == "not_determined"
    repeated = await bank.verify(uscc, "is_active.v1", headers=public)
    assert repeated.content == open_to_all.content


async def test_a_key_stands_for_one_request_of_one_client(gateway: GatewayFixture) -> None:
    """Another question or enterprise is a conflict; another client's key is not."""
    bank, other, uscc = await gateway.client(), await gateway.client(), gateway.uscc("clean")
    key = {"Idempotency-Key": '"one"'}
    assert (await bank.verify(uscc, "is_active.v1", headers=key)).status_code == 200
    for conflicting in (
        verification_body(uscc, "not_abnormal.v1"),
        verification_body(gateway.uscc("penalised"), "is_active.v1"),
        verification_body(UNKNOWN, "is_active.v1"),
    ):
        refused = await bank.send("/v1/verifications", conflicting, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")
    assert (await other.verify(uscc, "not_abnormal.v1", headers=key)).status_code == 200


async def test_after_a_day_a_key_is_free_again(gateway: GatewayFixture) -> None:
    """A new answer with a new disclosure."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    key = {"Idempotency-Key": "daily"}
    first = await bank.verify(uscc, "is_active.v1", headers=key)
    with gateway.clock.later(hours=23):
        assert (await bank.verify(uscc, "is_active.v1", headers=key)).content == first.content
    with gateway.clock.later(hours=25):
        later = await bank.verify(uscc, "is_active.v1", headers=key)
    assert later.status_code == 200
    assert later.json()["disclosure_id"] != first.json()["disclosure_id"]


# The log


async def test_an_answer_is_logged_with_the_records_it_rests_on(gateway: GatewayFixture) -> None:
    """Client, purpose, questions, records and leaf."""
    bank, of = await gateway.client(), gateway.entity("penalised")
    response = await bank.verify(of.enterprise.uscc, "no_live_penalty.v1", "is_active.v1")
    (row,) = await gateway.log_of(bank)
    assert row["items"] == [
        {"code": "no_live_penalty.v1", "answer": "no"},
        {"code": "is_active.v1", "answer": "yes"},
    ]
    penalty = next(r for r in of.records if r.dataset == "penalty")
    assert row["disclosure_id"] == response.json()["disclosure_id"]
    assert (row["kind"], row["outcome"], row["reason"]) == ("verification", "told", None)
    assert (row["uscc"], row["purpose"]) == (of.enterprise.uscc, "loan_approval")
    assert row["asked"] == ["no_live_penalty.v1", "is_active.v1"]
    assert sorted(map(tuple, row["relied_on"])) == sorted(
        [(penalty.record_id, 1), (of.enterprise.registration_id, 1)]
    )
    assert row["leaf_hash"].hex() == response.json()["log_promise"]["leaf_hash"]


async def test_the_log_says_that_a_question_had_no_consent(gateway: GatewayFixture) -> None:
    """For the enterprise alone: the client is told no more than `not_determined`."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    asked = ("rating_at_least.v1", "良好")
    response = await bank.verify(uscc, asked, "is_active.v1")
    assert [each["answer"] for each in response.json()["answers"]] == ["not_determined", "yes"]
    assert "not_in_consent" not in response.text
    (row,) = await gateway.log_of(bank)
    assert row["items"] == [
        {
            "code": "rating_at_least.v1",
            "value": "良好",
            "answer": "not_determined",
            "withheld": "not_in_consent",
        },
        {"code": "is_active.v1", "answer": "yes"},
    ]


async def test_a_refused_attempt_is_in_the_log_too(gateway: GatewayFixture) -> None:
    """With its reason, visible to the enterprise."""
    platform, uscc = await gateway.client("platform"), gateway.uscc("clean")
    refused = await platform.verify(uscc, "is_active.v1")
    assert refused.json()["code"] == "not_in_agreement"
    (row,) = await gateway.log_of(platform)
    assert (row["outcome"], row["reason"]) == ("refused", "not_in_agreement")
    assert (row["uscc"], row["asked"], row["relied_on"]) == (uscc, ["is_active.v1"], [])


async def test_the_catalogue_of_questions_is_public_and_signed(gateway: GatewayFixture) -> None:
    """With titles in both languages and accepted values."""
    response = gateway.checked(await gateway.http.get("/v1/questions"))
    assert response.status_code == 200
    listed = response.json()["questions"]
    assert [each["question"] for each in listed] == [each.tag for each in QUESTIONS]
    assert all(each["title"].keys() == {"zh", "en"} for each in listed)
