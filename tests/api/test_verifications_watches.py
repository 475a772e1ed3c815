"""Watch lists: put, read, deleted; a changed answer is told once, to its own clients, without the answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.ingest import Source, ingest_rows
from gateway.limits.quotas import Quotas
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.records_builders import act, deliver, make_act, make_department, make_penalty
from tests.watch_builders import ACTIVE, PENALTY, delete, follow, put, show, told, watch

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_list_is_shown_as_it_was_put(gateway: GatewayFixture) -> None:
    """With its enterprises in order, and among the client's lists without them."""
    bank = await gateway.client()
    usccs = sorted([gateway.uscc("clean"), UNKNOWN])
    answer = await put(bank, reversed(usccs), ACTIVE, PENALTY)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["questions"] == [ACTIVE, PENALTY]
    assert (shown["name"], shown["count"], shown["status"]) == ("nightly", 2, "watching")
    whole = await show(bank)
    assert whole.json() == {**shown, "enterprises": usccs}
    every = await bank.send("/v1/watches", b"", method="GET")
    assert every.json() == {"watches": [shown]}


async def test_a_bundle_stands_for_its_questions_that_need_no_consent(
    gateway: GatewayFixture,
) -> None:
    """Within the agreement; the answers name what it stood for, and so does what is told."""
    covered = frozenset({"no_live_penalty.v1", "not_abnormal.v1", "paid_tax_on_time.v1"})
    bank = await gateway.client(questions=covered)
    department, uscc = await make_department(gateway), gateway.entities[115].uscc
    answer = await put(bank, [uscc], bundle="pre_loan.v1")
    assert answer.status_code == 200, answer.text
    assert answer.json()["questions"] == ["not_abnormal.v1", PENALTY]
    assert (await show(bank)).json()["questions"] == ["not_abnormal.v1", PENALTY]
    await follow(gateway)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    assert await told(gateway, bank) == [(uscc, [PENALTY])]


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"bundle": "pre_loan.v1", "questions": [PENALTY]}, 400, "invalid_request"),
        ({"bundle": "pre_loan.v9"}, 400, "invalid_request"),
        ({"bundle": "review.v1"}, 400, "invalid_request"),
        ({}, 400, "invalid_request"),
        ({"bundle": "pre_loan.v1"}, 403, "not_in_agreement"),
    ],
)
async def test_a_bundle_that_does_not_fit_puts_no_list(
    gateway: GatewayFixture, members: dict[str, Any], status: int, code: str
) -> None:
    """Beside questions, unknown, of another purpose, nothing at all, nothing that can be watched."""
    bank = await gateway.client(questions=frozenset({"is_active.v1", "paid_tax_on_time.v1"}))
    whole = {"purpose": "loan_approval", "enterprises": [gateway.uscc("clean")]}
    answer = await bank.send("/v1/watches/nightly", whole | members, method="PUT")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await show(bank)).status_code == 404


async def test_a_new_penalty_is_told_once_and_without_the_answer(gateway: GatewayFixture) -> None:
    """By the question that it changes, and by no other."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc = gateway.entities[111].uscc
    assert (await put(bank, [uscc], ACTIVE, PENALTY)).status_code == 200
    await follow(gateway)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    assert await told(gateway, bank) == [(uscc, [PENALTY])]
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    assert await told(gateway, bank) == [(uscc, [PENALTY])], "the answer has not changed again"
    assert not {"yes", "no"} & set(str(await gateway.log_of(bank)).split("'"))


async def test_what_comes_and_goes_is_told_in_order(gateway: GatewayFixture) -> None:
    """A penalty and its withdrawal are two changes of one answer."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc = gateway.entities[110].uscc
    await watch(gateway, bank, uscc)
    row = make_penalty(gateway, uscc)
    await deliver(department, "penalty", row)
    assert len(await told(gateway, bank)) == 1
    await act(department, make_act(row, "withdraw"))
    assert len(await told(gateway, bank)) == 2


async def test_each_watcher_is_told_of_its_own_list_only(gateway: GatewayFixture) -> None:
    """On however many lists an enterprise is, its client is told once."""
    bank, other, none = [await gateway.client() for _ in range(3)]
    department = await make_department(gateway)
    uscc, another = (each.uscc for each in gateway.entities[100:102])
    for name in ("a", "b"):
        await watch(gateway, bank, uscc, name=name)
    await watch(gateway, other, uscc, another)
    await watch(gateway, none, another)
    marks = await gateway.rows("SELECT marks FROM watch WHERE uscc = :uscc", uscc=uscc)
    assert marks
    assert all(each["marks"] for each in marks)
    row = make_penalty(gateway, uscc)
    await deliver(department, "penalty", row)
    assert await told(gateway, bank) == [(uscc, [PENALTY])]
    assert await told(gateway, other) == [(uscc, [PENALTY])]
    assert await told(gateway, none) == []
    await act(department, make_act(row, "withdraw"))


async def test_the_end_of_a_clock_is_told_on_its_day(gateway: GatewayFixture) -> None:
    """A penalty whose publicity ends today is none tomorrow, and no record has changed."""
    bank, uscc = await gateway.client(), gateway.uscc("expires_today")
    await watch(gateway, bank, uscc)
    assert await told(gateway, bank) == []
    with gateway.clock.later(days=1):
        assert await told(gateway, bank) == [(uscc, [PENALTY])]
    await delete(bank)


@pytest.mark.parametrize("reads_first", [True, False])
async def test_a_change_under_way_while_the_list_is_put_is_told(
    gateway: GatewayFixture, *, reads_first: bool
) -> None:
    """Whether its answers were read before the change's commit, or had not been read."""
    bank, uscc = await gateway.client(), gateway.entities[112 + reads_first].uscc
    async with gateway.runtime.engine.connect() as connection:
        await ingest_rows(
            connection,
            Source(source_id="market", name="市场监督管理部门（合成）"),
            "penalty",
            [make_penalty(gateway, uscc)],
            now=gateway.clock(),
            catalogue=gateway.runtime.catalogue,
            vault=gateway.runtime.vault,
        )
        assert (await put(bank, [uscc])).status_code == 200
        if reads_first:
            await follow(gateway)
        await connection.commit()
    assert await told(gateway, bank) == [(uscc, [PENALTY])]


async def test_a_list_put_again_loses_no_change(gateway: GatewayFixture) -> None:
    """What stays on it is compared with what was read before."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc, added = (each.uscc for each in gateway.entities[104:106])
    await watch(gateway, bank, uscc)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    await watch(gateway, bank, uscc, added)
    assert await told(gateway, bank) == [(uscc, [PENALTY])]
    await watch(gateway, bank, added)
    assert (await show(bank)).json()["enterprises"] == [added]


async def test_an_unknown_enterprise_is_told_when_it_is_registered(gateway: GatewayFixture) -> None:
    """Its answers were not determined, and are now."""
    bank = await gateway.client()
    department = await gateway.client("source", datasets=frozenset({"registration"}))
    uscc = "91330106MA2DNEW123"
    await watch(gateway, bank, uscc)
    row = {
        "uscc": uscc,
        "name": "杭州新立科技有限公司",
        "kind": "firm",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "张三丰",
        "division": "330106",
    }
    (result,) = await deliver(department, "registration", row)
    assert result["outcome"] == "created", result
    assert await told(gateway, bank) == [(uscc, [PENALTY])]


async def test_nothing_is_told_while_the_client_is_suspended(gateway: GatewayFixture) -> None:
    """What has changed meanwhile is told within a day of its return."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc = gateway.entities[107].uscc
    await watch(gateway, bank, uscc)
    state = "UPDATE client SET state = :state WHERE client_id = :client"
    await gateway.rows(state, state="suspended", client=bank.client_id)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    await follow(gateway)
    notices = "SELECT * FROM tombstone WHERE client_id = :client"
    assert await gateway.rows(notices, client=bank.client_id) == []
    refused = await put(bank, [uscc])
    assert (refused.status_code, refused.json()["code"]) == (403, "client_suspended")
    await gateway.rows(state, state="active", client=bank.client_id)
    with gateway.clock.later(days=1, minutes=1):
        await follow(gateway)
    assert await told(gateway, bank) == [(uscc, [PENALTY])]


async def test_a_list_outside_a_later_agreement_says_so(gateway: GatewayFixture) -> None:
    """Nothing of it is told."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc = gateway.entities[108].uscc
    await watch(gateway, bank, uscc)
    role = next(each for each in DEMO_CLIENTS if each.key == "bank")
    narrowed = replace(terms_of(role, gateway.clock()), questions=frozenset({ACTIVE}))
    await gateway.agree(bank, narrowed)
    assert (await show(bank)).json()["status"] == "not_in_agreement"
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    assert await told(gateway, bank) == []
    refused = await put(bank, [uscc])
    assert (refused.status_code, refused.json()["code"]) == (403, "not_in_agreement")


async def test_what_is_told_is_in_the_disclosure_log(gateway: GatewayFixture) -> None:
    """With its purpose and leaf, and resting on no record."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc = gateway.entities[109].uscc
    await watch(gateway, bank, uscc)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    assert len(await told(gateway, bank)) == 1
    (row,) = await gateway.log_of(bank)
    assert (row["kind"], row["outcome"], row["purpose"]) == ("watch", "told", "loan_approval")
    assert (row["asked"], row["relied_on"], row["uscc"]) == ([PENALTY], [], uscc)
    leaf = await gateway.rows(
        "SELECT leaf_hash FROM log_entry WHERE disclosure_id = :id"
        " UNION SELECT leaf_hash FROM pending_leaf WHERE disclosure_id = :id",
        id=row["disclosure_id"],
    )
    assert [each["leaf_hash"] for each in leaf] == [row["leaf_hash"]]
    receipt = await bank.send(
        f"/v1/disclosures/{row['disclosure_id']}/receipt", b"", method="GET", scope="verify"
    )
    assert receipt.status_code in {200, 404}


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"enterprises": ["91", UNKNOWN, "x"]}, "invalid_uscc", "enterprises[0], enterprises[2]"),
        ({"enterprises": [UNKNOWN, UNKNOWN.lower()]}, "invalid_request", "enterprises[1]"),
        ({"enterprises": []}, "invalid_request", "enterprises"),
        ({"questions": ["rating_at_least.v1"]}, "invalid_request", "rating_at_least.v1"),
        ({"questions": ["no_such.v1"]}, "unknown_question", ""),
        ({"questions": [ACTIVE, ACTIVE]}, "invalid_request", "once"),
        ({"questions": []}, "invalid_request", "questions"),
        ({"purpose": "marketing"}, "unknown_purpose", ""),
        ({"purpose": "tender"}, "not_in_agreement", "tender"),
        ({"enterprises": [UNKNOWN] * 10_001}, "quota_exhausted", "10000"),
        ({"value": 1}, "invalid_request", "value"),
    ],
)
async def test_a_list_that_cannot_be_put_is_one_clear_problem(
    gateway: GatewayFixture, changed: dict[str, object], code: str, words: str
) -> None:
    """Which says where, and never what was sent."""
    bank = await gateway.client()
    body = {"purpose": "loan_approval", "questions": [ACTIVE], "enterprises": [UNKNOWN]} | changed
    answer = await bank.send("/v1/watches/nightly", body, method="PUT")
    problem = answer.json()
    assert problem["code"] == code, problem
    assert words in problem["detail"]
    assert UNKNOWN not in answer.text
    assert (await show(bank)).status_code == 404


async def test_ten_thousand_enterprises_fit_on_a_list(gateway: GatewayFixture) -> None:
    """The largest list there is, put and replaced."""
    bank = await gateway.client()
    usccs = [f"91330106MA{number:08d}"[:18] for number in range(10_000)]
    answer = await put(bank, usccs)
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == 10_000
    assert (await put(bank, usccs[:1])).json()["count"] == 1
    assert (await delete(bank)).status_code == 204
    assert (await delete(bank)).status_code == 404


async def test_watched_enterprises_count_among_the_agreements_distinct_ones(
    gateway: GatewayFixture,
) -> None:
    """On all lists together, and each that is new with those asked about today."""
    bank = await gateway.client(quotas=Quotas(distinct_enterprises_per_day=4))
    usccs = [each.uscc for each in gateway.entities[:7]]
    assert (await put(bank, usccs[:2])).status_code == 200
    assert (await put(bank, usccs[:3], name="other")).status_code == 200
    assert (await put(bank, usccs[:5], name="other")).json()["code"] == "quota_exhausted"
    assert (await show(bank, "other")).json()["count"] == 3
    assert (await bank.verify(usccs[3], ACTIVE)).status_code == 200
    assert (await bank.verify(usccs[4], ACTIVE)).status_code == 429
    assert (await put(bank, usccs[5:7], name="other")).json()["code"] == "quota_exhausted"


async def test_a_refused_list_counts_none_of_its_enterprises(gateway: GatewayFixture) -> None:
    """Neither those that would have fitted: the day's rest can still be asked about."""
    bank = await gateway.client(quotas=Quotas(distinct_enterprises_per_day=4))
    usccs = [each.uscc for each in gateway.entities[:7]]
    assert (await put(bank, usccs[:2])).status_code == 200
    assert (await bank.verify(usccs[2], ACTIVE)).status_code == 200
    assert (await put(bank, usccs[3:5], name="other")).json()["code"] == "quota_exhausted"
    assert (await bank.verify(usccs[5], ACTIVE)).status_code == 200
    assert (await bank.verify(usccs[6], ACTIVE)).status_code == 429


async def test_a_client_has_at_most_a_hundred_lists(gateway: GatewayFixture) -> None:
    """One of them can be put again."""
    bank = await gateway.client()
    assert (await put(bank, [UNKNOWN])).status_code == 200
    await gateway.rows(
        "INSERT INTO watch_list SELECT client_id, 'n' || n, purpose, questions, enterprises,"
        " catalogue_version, created_at, replaced_at FROM watch_list, generate_series(1, 99) AS n"
        " WHERE client_id = :client",
        client=bank.client_id,
    )
    refused = await put(bank, [UNKNOWN], name="one-more")
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exhausted")
    assert (await put(bank, [UNKNOWN])).status_code == 200


async def test_answers_are_compared_anew_under_another_catalogue(gateway: GatewayFixture) -> None:
    """And nothing is told where they are the same."""
    bank, uscc = await gateway.client(), gateway.uscc("penalised")
    await watch(gateway, bank, uscc)
    await gateway.rows("UPDATE watch_list SET catalogue_version = 'before'")
    await gateway.rows(
        "UPDATE watch SET due_at = :later WHERE client_id = :client",
        later=gateway.clock() + timedelta(days=20),
        client=bank.client_id,
    )
    assert await told(gateway, bank) == []
    (row,) = await gateway.rows(
        "SELECT catalogue_version FROM watch_list WHERE client_id = :client",
        client=bank.client_id,
    )
    assert row["catalogue_version"] == gateway.runtime.catalogue.version
