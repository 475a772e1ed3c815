"""Bundles by name: published, expanded where they are named, never beside other items."""

import json
from typing import Any

import pytest

from gateway.clients.bundles import BUNDLES, PUBLISHED
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

PRE_LOAN = BUNDLES["pre_loan.v1"]
BATCH = "/v1/verifications/batch"
ACTIVE = {"question": "is_active.v1"}
COVERED = frozenset({"registration", "licence", "penalty", "public_rating", "honour"})
"""Datasets of the agreements below: not the whole bundle, and one that it has not."""


async def requested(gateway: GatewayFixture, role: str = "bank", **members: Any) -> Any:
    """The answer to a consent request with these members."""
    caller = await gateway.client(role, datasets=COVERED)
    uscc = gateway.uscc("clean")
    body = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval"} | members
    made = await caller.send("/v1/consents", body, scope="consents")
    if made.status_code != 201:
        return made
    path = f"/v1/consents/{made.json()['consent_id']}"
    return await caller.send(path, b"", method="GET", scope="consents")


async def test_the_bundles_are_published_to_everybody(gateway: GatewayFixture) -> None:
    """Signed, with titles in both languages; every value that a question needs is there."""
    answer = gateway.checked(await gateway.http.get("/v1/bundles"))
    assert answer.status_code == 200
    published = answer.json()["bundles"]
    assert [each["bundle"] for each in published] == [each.name for each in PUBLISHED]
    for told, bundle in zip(published, PUBLISHED, strict=True):
        assert told["purpose"] == bundle.purpose
        assert told["title"]["zh"]
        assert told["title"]["en"]
        assert tuple(told["datasets"]) == bundle.datasets
        assert tuple(each["question"] for each in told["questions"]) == bundle.tags


async def test_a_consent_request_names_what_its_bundle_stood_for(gateway: GatewayFixture) -> None:
    """What the agreement lacks is left out."""
    found = (await requested(gateway, bundle="pre_loan.v1")).json()
    assert set(found["datasets"]) == COVERED - {"honour"}
    assert tuple(found["questions"]) == PRE_LOAN.tags


@pytest.mark.parametrize(
    ("members", "code", "says"),
    [
        ({"bundle": "pre_loan.v1", "datasets": ["penalty"]}, "invalid_request", "not both"),
        ({"bundle": "pre_loan.v1", "questions": ["is_active.v1"]}, "invalid_request", "not both"),
        ({"bundle": "pre_loan.v9"}, "invalid_request", "GET /v1/bundles"),
        ({"bundle": "tender.v1"}, "invalid_request", "purpose tender"),
        ({}, "invalid_request", "Ask for datasets or questions"),
    ],
)
async def test_a_bundle_stands_alone_and_fits_its_purpose(
    gateway: GatewayFixture, members: dict[str, Any], code: str, says: str
) -> None:
    """Each mistake is named."""
    answer = await requested(gateway, **members)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert says in answer.json()["detail"]


async def test_a_bundle_of_which_the_agreement_covers_nothing_is_refused(
    gateway: GatewayFixture,
) -> None:
    """A purpose alone asks for nothing."""
    caller = await gateway.client("bank", datasets=frozenset({"complaint"}), questions=frozenset())
    body = {"enterprise": {"uscc": gateway.uscc("clean")}, "purpose": "loan_approval"}
    answer = await caller.send("/v1/consents", body | {"bundle": "pre_loan.v1"}, scope="consents")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_in_agreement")


async def test_a_query_by_bundle_tells_what_agreement_and_consent_allow(
    gateway: GatewayFixture,
) -> None:
    """It names what the bundle stood for, and withholds what was not consented to."""
    bank, uscc = await gateway.client(datasets=COVERED), gateway.uscc("penalised")
    await gateway.grant(bank, uscc, datasets=("registration", "penalty"))
    whole = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval"}
    answer = await bank.send("/v1/queries", whole | {"bundle": "pre_loan.v1"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    stood_for = body["bundle"]["datasets"]
    assert body["bundle"]["name"] == "pre_loan.v1"
    assert set(stood_for) == COVERED - {"honour"}
    assert {each["dataset"] for each in body["records"]} == {"registration", "penalty"}
    missing = {each["dataset"] for each in body["withheld"] if each["reason"] == "not_in_consent"}
    assert missing == set(stood_for) - {"registration", "penalty"}
    assert not [each for each in body["withheld"] if each["reason"] == "not_in_agreement"]
    [disclosure] = await gateway.log_of(bank)
    assert disclosure["asked"] == stood_for
    by_name = await bank.send("/v1/queries", whole | {"datasets": stood_for})
    assert by_name.json()["records"] == body["records"]
    assert "bundle" not in by_name.json()


async def test_pages_of_a_query_by_bundle_follow_one_another(gateway: GatewayFixture) -> None:
    """One use, whichever page; the cursor is of the same bundle."""
    bank, uscc = await gateway.client(), gateway.uscc("penalised")
    consent_id = await gateway.grant(bank, uscc, datasets=("registration", "penalty", "licence"))
    body = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval", "bundle": "pre_loan.v1"}
    seen, cursor = 0, None
    while not seen or cursor:
        answer = await bank.send("/v1/queries", body | {"page": {"size": 1, "cursor": cursor}})
        assert answer.status_code == 200, answer.text
        seen, cursor = seen + len(answer.json()["records"]), answer.json()["page"]["cursor"]
    assert seen > 1
    assert await gateway.uses(consent_id) == 1


async def test_a_query_asks_for_datasets_or_for_a_bundle(gateway: GatewayFixture) -> None:
    """Neither and both are mistakes, and spend nothing."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    body = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval"}
    for members in ({}, {"bundle": "pre_loan.v1", "datasets": ["penalty"]}, {"bundle": "x"}):
        answer = await bank.send("/v1/queries", body | members)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert await gateway.uses(consent_id) == 0


async def verified(platform: Caller, uscc: str, **members: Any) -> Any:
    """The answer to a verification with these members."""
    body = {"enterprise": {"uscc": uscc}, "purpose": "merchant_review"} | members
    return await platform.send("/v1/verifications", body)


async def test_a_verification_by_bundle_asks_what_the_agreement_covers(
    gateway: GatewayFixture,
) -> None:
    """The answers name what it stood for; the same as these questions by name."""
    uscc = gateway.uscc("clean")
    covered = frozenset({"not_abnormal.v1", "no_live_penalty.v1", "enterprise_name.v1"})
    platform = await gateway.client("platform", questions=covered)
    answer = await verified(platform, uscc, bundle="review.v1")
    assert answer.status_code == 200, answer.text
    answers = answer.json()["answers"]
    assert [each["question"] for each in answers] == ["not_abnormal.v1", "no_live_penalty.v1"]
    assert {each["answer"] for each in answers} == {"yes"}
    named = [{"question": each["question"]} for each in answers]
    assert (await verified(platform, uscc, questions=named)).json()["answers"] == answers
    assert {tuple(each["asked"]) for each in await gateway.log_of(platform)} == {
        ("not_abnormal.v1", "no_live_penalty.v1")
    }


async def test_a_line_of_a_batch_may_name_a_bundle(gateway: GatewayFixture) -> None:
    """Beside lines that ask by name."""
    platform, uscc = await gateway.client("platform"), gateway.uscc("clean")
    line = {"enterprise": {"uscc": uscc}, "purpose": "merchant_review"}
    lines = [
        line | {"line": 1, "bundle": "review.v1"},
        line | {"line": 2, "bundle": "review.v1", "questions": [{"question": "is_active.v1"}]},
        line | {"line": 3, "questions": [{"question": "is_active.v1"}]},
    ]
    body = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    headers = await platform.headers("POST", BATCH, body)
    answer = await gateway.http.post(
        BATCH, content=body, headers=headers | {"Content-Type": "application/x-ndjson"}
    )
    first, second, third, _ = (json.loads(each) for each in answer.text.splitlines())
    assert len(first["answers"]) == len(BUNDLES["review.v1"].questions)
    assert second["problem"]["code"] == "invalid_request"
    assert [each["question"] for each in third["answers"]] == ["is_active.v1"]


async def test_a_bundle_outside_the_agreement_is_refused(gateway: GatewayFixture) -> None:
    """So are one of another purpose, one beside questions, and nothing at all."""
    uscc = gateway.uscc("clean")
    platform = await gateway.client("platform", questions=frozenset({"enterprise_name.v1"}))
    answer = await verified(platform, uscc, bundle="review.v1")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_in_agreement")
    for members in ({}, {"bundle": "tender.v1"}, {"bundle": "review.v1", "questions": [ACTIVE]}):
        answer = await verified(platform, uscc, **members)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
