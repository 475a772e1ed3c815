"""Applications for repair end to end: the source's API, the repair, platforms, deadlines."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from gateway.background.housekeeping import advance_repairs
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.model import Actor, Role
from gateway.creditfile.repairs import service
from gateway.creditfile.repairs.model import (
    ApplicationRefusal,
    ApplicationStatus,
    RepairApplication,
)
from gateway.creditfile.working_days import working_days_after
from tests.client_builders import get, make_operator
from tests.gateway_fixture import Caller, GatewayFixture
from tests.objection_builders import make_fresh_enterprise
from tests.records_builders import act, deliver, make_act, make_department, make_penalty
from tests.repair_builders import PAPER, STATEMENT, apply_for_repair, try_apply

pytestmark = pytest.mark.asyncio(loop_scope="session")
SCOPE = "records:write"
REASON = "罚款已缴清，现场复查合格，同意修复。"
Case = tuple[Caller, dict[str, Any], str]


async def make_case(gateway: GatewayFixture, **changed: Any) -> Case:
    """A department, its penalty that can be repaired, and the record's id."""
    source, uscc = await make_department(gateway), await make_fresh_enterprise(gateway)
    penalty = make_penalty(gateway, uscc, **changed)
    (delivered,) = await deliver(source, "penalty", penalty)
    return source, penalty, delivered["record_id"]


async def applied(gateway: GatewayFixture) -> tuple[Case, RepairApplication]:
    """A case with an application."""
    case = await make_case(gateway)
    return case, await apply_for_repair(gateway, case[1]["uscc"], case[2])


async def ask(source: Caller, path: str = "") -> httpx2.Response:
    """GET as a department."""
    return await source.send(f"/v1/records/repairs{path}", b"", method="GET", scope=SCOPE)


async def decide(
    source: Caller, application_id: str, outcome: str = "accepted", reason: str = REASON
) -> httpx2.Response:
    """Decide as a department."""
    body = {"outcome": outcome, "reason": reason}
    return await source.send(f"/v1/records/repairs/{application_id}/decide", body, scope=SCOPE)


async def report(source: Caller, penalty: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Report a platform; the one result."""
    body = {
        "dataset": "penalty",
        "uscc": penalty["uscc"],
        "key": penalty["document_number"],
        "platform": "credit_china",
        **changed,
    }
    answer = await source.send("/v1/records/repairs/platforms", body, scope=SCOPE)
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    return dict(result)


async def repaired_at(gateway: GatewayFixture, record_id: str) -> Any:
    """The record's mark of repair."""
    rows = await gateway.rows("SELECT repaired_at FROM record WHERE record_id = :id", id=record_id)
    return rows[0]["repaired_at"]


async def test_a_department_sees_the_application_with_its_deadline(gateway: GatewayFixture) -> None:
    """Ten working days, the statement, the papers' digests; no person is named."""
    (source, penalty, record_id), made = await applied(gateway)
    listed = (await ask(source, "?status=open")).json()
    assert [each["application_id"] for each in listed["repairs"]] == [made.application_id]
    assert "statement" not in listed["repairs"][0]
    answer = await ask(source, f"/{made.application_id}")
    whole = answer.json()
    assert (whole["statement"], whole["commitment"]) == (STATEMENT, True)
    assert whole["papers"] == [{"name": PAPER.name, "size": PAPER.size, "sha256": PAPER.sha256}]
    assert (whole["record_id"], whole["dataset"]) == (record_id, "penalty")
    assert whole["key"] == penalty["document_number"]
    last = working_days_after(day_of(gateway.clock()), 10)
    assert whole["due"]["on"] == last.day.isoformat()
    assert (whole["due"]["working_days_left"], whole["due"]["overdue"]) == (10, False)
    assert "zhang" not in answer.text
    assert (await ask(source, f"?due={last.day - timedelta(days=1)}")).json()["repairs"] == []
    assert len((await ask(source, f"?due={last.day}")).json()["repairs"]) == 1


async def test_an_accepted_application_repairs_the_record_and_tells_past_recipients(
    gateway: GatewayFixture,
) -> None:
    """As the verb `repair` does: told to nobody, one notice to the client, the reason in history."""
    (source, penalty, record_id), made = await applied(gateway)
    bank = await gateway.client()
    await gateway.grant(bank, penalty["uscc"], datasets=["penalty"])
    told = (await bank.query(penalty["uscc"], "penalty")).json()
    assert record_id in {each["record_id"] for each in told["records"]}
    answer = await decide(source, made.application_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted"), answer.text
    again = (await bank.query(penalty["uscc"], "penalty")).json()
    assert record_id not in {each["record_id"] for each in again["records"]}
    feed = await gateway.rows(
        "SELECT kind, record_id FROM tombstone WHERE client_id = :client AND record_id = :id",
        client=bank.client_id,
        id=record_id,
    )
    assert feed == [{"kind": "record_repaired", "record_id": record_id}]
    history = await gateway.rows(
        "SELECT change, reason, decided_on FROM record_history WHERE record_id = :id", id=record_id
    )
    today = day_of(gateway.clock())
    assert history == [{"change": "repaired", "reason": REASON, "decided_on": today}]


async def test_a_rejected_application_changes_no_record_and_waits_for_the_next(
    gateway: GatewayFixture,
) -> None:
    """Five working days."""
    (source, penalty, record_id), made = await applied(gateway)
    answer = await decide(source, made.application_id, "rejected", "罚款尚未缴清。")
    assert (answer.json()["status"], answer.json()["reason"]) == ("rejected", "罚款尚未缴清。")
    assert await repaired_at(gateway, record_id) is None
    uscc = penalty["uscc"]
    assert await try_apply(gateway, uscc, record_id) is ApplicationRefusal.TOO_SOON
    with gateway.clock.later(days=20):
        assert isinstance(await try_apply(gateway, uscc, record_id), RepairApplication)


async def test_the_enterprise_is_notified_of_the_decision(gateway: GatewayFixture) -> None:
    """A rejection in the digest; an acceptance as the repair of its record, once."""
    for outcome, kind in (("rejected", "repair_not_granted"), ("accepted", "record_repaired")):
        (source, penalty, _), made = await applied(gateway)
        await gateway.rows(
            "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by,"
            " added_token_digest, added_at, confirmed_at) VALUES (:uscc, 'plc_1', 'email', '',"
            " 'zhang', '', :now, :now) RETURNING 1",
            uscc=penalty["uscc"],
            now=gateway.clock(),
        )
        await decide(source, made.application_id, outcome)
        await decide(source, made.application_id, outcome)
        told = await gateway.rows("SELECT kind FROM notice WHERE uscc = :u", u=penalty["uscc"])
        assert told == [{"kind": kind}]


async def test_the_same_decision_again_changes_nothing_and_another_is_a_conflict(
    gateway: GatewayFixture,
) -> None:
    """A repeated call is idempotent."""
    (source, _, record_id), made = await applied(gateway)
    first = await decide(source, made.application_id)
    again = await decide(source, made.application_id)
    assert (again.status_code, again.json()) == (200, first.json())
    for outcome, reason in (("rejected", REASON), ("accepted", "换一个理由。")):
        other = await decide(source, made.application_id, outcome, reason)
        assert (other.status_code, other.json()["code"]) == (409, "conflict")
    rows = await gateway.rows("SELECT 1 FROM record_history WHERE record_id = :id", id=record_id)
    assert len(rows) == 1


async def test_many_decisions_at_once_are_one(gateway: GatewayFixture) -> None:
    """Concurrent decisions: one wins, and the record has one change."""
    (source, _, record_id), made = await applied(gateway)
    await source.token(SCOPE)
    answers = await asyncio.gather(
        *(decide(source, made.application_id, reason=f"理由之{n}") for n in range(4)),
        *(decide(source, made.application_id, "rejected", f"理由之{n}") for n in range(4)),
    )
    assert sorted(each.status_code for each in answers) == [200] + [409] * 7
    accepted = next(e for e in answers if e.status_code == 200).json()["status"] == "accepted"
    assert (await repaired_at(gateway, record_id) is not None) is accepted


async def test_another_departments_application_is_a_404(gateway: GatewayFixture) -> None:
    """404 to read and to decide, as for an unknown id."""
    (_, _, record_id), made = await applied(gateway)
    other = await make_department(gateway)
    assert (await ask(other)).json() == {"repairs": [], "after": None}
    for known in (made.application_id, "rep_" + "a" * 26, "rep_1", "%20"):
        for answer in (await ask(other, f"/{known}"), await decide(other, known)):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), known
    assert await repaired_at(gateway, record_id) is None


async def test_a_client_that_is_no_department_sees_no_application(gateway: GatewayFixture) -> None:
    """A bank with the department's scope, and a token for something else."""
    (source, penalty, _), made = await applied(gateway)
    bank = await gateway.client()
    for answer in (
        await ask(bank),
        await ask(bank, f"/{made.application_id}"),
        await decide(bank, made.application_id),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_in_agreement")
    path = "/v1/records/repairs"
    answer = await source.send(path, b"", method="GET", scope="query")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert penalty["uscc"] == made.uscc


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "accepted"},
        {"outcome": "withdrawn", "reason": "理由充分"},
        {"outcome": "rejected", "reason": ""},
        {"outcome": "rejected", "reason": "\u202e\t"},
        {"outcome": "accepted", "reason": "理" * 501},
        {"outcome": "accepted", "reason": "理由充分", "decided_on": "2026-01-01"},
    ],
    ids=str,
)
async def test_a_decision_without_a_readable_reason_is_a_400(
    gateway: GatewayFixture, body: dict[str, Any]
) -> None:
    """The application stays open."""
    (source, _, _), made = await applied(gateway)
    path = f"/v1/records/repairs/{made.application_id}/decide"
    answer = await source.send(path, body, scope=SCOPE)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await ask(source, f"/{made.application_id}")).json()["status"] == "open"


async def test_only_an_own_record_that_can_be_repaired_is_applied_for(
    gateway: GatewayFixture,
) -> None:
    """Another's, an unknown, a withdrawn or ended one: not available; one too early: not yet."""
    source, penalty, record_id = await make_case(gateway)
    uscc, another = penalty["uscc"], gateway.uscc("penalised")
    for who, what in ((another, record_id), (uscc, "rec_unknown")):
        assert await try_apply(gateway, who, what) is ApplicationRefusal.NOT_AVAILABLE
    stranger = Actor(role=Role.ENTERPRISE, name="demo:wang", party=another)
    refused = await try_apply(gateway, uscc, record_id, actor=stranger)
    assert refused is ApplicationRefusal.NOT_AVAILABLE
    with gateway.clock.later(days=400):
        assert await try_apply(gateway, uscc, record_id) is ApplicationRefusal.NOT_AVAILABLE
    (done,) = await act(source, make_act(penalty, "withdraw"))
    assert done["outcome"] == "updated"
    assert await try_apply(gateway, uscc, record_id) is ApplicationRefusal.NOT_AVAILABLE
    recent = f"{day_of(gateway.clock()) - timedelta(days=30)}"
    _, early, early_id = await make_case(gateway, decided_on=recent)
    refused = await try_apply(gateway, early["uscc"], early_id)
    assert refused is ApplicationRefusal.NOT_REPAIRABLE


async def test_many_applications_at_once_are_one(gateway: GatewayFixture) -> None:
    """A double click, or two people of the enterprise."""
    source, penalty, record_id = await make_case(gateway)
    outcomes = await asyncio.gather(
        *(try_apply(gateway, penalty["uscc"], record_id) for _ in range(6))
    )
    assert sum(isinstance(each, RepairApplication) for each in outcomes) == 1
    assert outcomes.count(ApplicationRefusal.ALREADY_OPEN) == 5
    assert len((await ask(source)).json()["repairs"]) == 1


async def test_a_withdrawn_application_is_decided_no_more_and_made_anew_tomorrow(
    gateway: GatewayFixture,
) -> None:
    """Not on the same day: no flood of applications."""
    (source, penalty, record_id), made = await applied(gateway)
    uscc = penalty["uscc"]
    own = Actor(role=Role.ENTERPRISE, name="demo:zhang", party=uscc)
    for actor, expected in (
        (replace(own, party=gateway.uscc("clean")), ApplicationRefusal.NOT_AVAILABLE),
        (own, ApplicationStatus.WITHDRAWN),
        (own, ApplicationRefusal.NOT_NOW),
    ):
        async with gateway.runtime.engine.begin() as connection:
            done = await service.withdraw(
                connection, made.application_id, actor=actor, now=gateway.clock()
            )
        assert (done.status if isinstance(done, RepairApplication) else done) == expected
    assert (await decide(source, made.application_id)).status_code == 409
    assert await repaired_at(gateway, record_id) is None
    assert await try_apply(gateway, uscc, record_id) is ApplicationRefusal.TOO_SOON
    with gateway.clock.later(days=1):
        assert isinstance(await try_apply(gateway, uscc, record_id), RepairApplication)


async def test_a_record_withdrawn_meanwhile_is_not_repaired(gateway: GatewayFixture) -> None:
    """The application can be rejected; left alone it is closed, with a notice."""
    (source, penalty, record_id), made = await applied(gateway)
    await act(source, make_act(penalty, "withdraw"))
    refused = await decide(source, made.application_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert await repaired_at(gateway, record_id) is None
    (other, other_penalty, _), second = await applied(gateway)
    await act(other, make_act(other_penalty, "repair"))
    assert (await decide(source, made.application_id, "rejected")).status_code == 200
    assert await advance_repairs(gateway.runtime) >= 1
    whole = (await ask(other, f"/{second.application_id}")).json()
    assert (whole["status"], whole["due"]) == ("overtaken", None)


async def test_an_application_ends_with_its_listing(gateway: GatewayFixture) -> None:
    """Taken off its list by a delivery: closed, with a notice, and not overdue for ever."""
    source = await make_department(gateway, datasets=frozenset({"abnormal_listing"}))
    uscc, today = await make_fresh_enterprise(gateway), day_of(gateway.clock())
    listed = {
        "uscc": uscc,
        "reason": "无法联系",
        "decision_number": "列入〔2026〕9号",
        "added_on": f"{today - timedelta(days=90)}",
    }
    (delivered,) = await deliver(source, "abnormal_listing", listed)
    made = await apply_for_repair(gateway, uscc, delivered["record_id"])
    await deliver(source, "abnormal_listing", listed | {"removed_on": f"{today}"})
    assert await advance_repairs(gateway.runtime) >= 1
    whole = (await ask(source, f"/{made.application_id}")).json()
    assert (whole["status"], whole["due"]) == ("overtaken", None)


async def test_an_overdue_application_is_in_the_operators_report(gateway: GatewayFixture) -> None:
    """JSON and CSV, the longest overdue first, without texts; for auditors too."""
    (source, _, _), made = await applied(gateway)
    operator, auditor = await make_operator(gateway), await make_operator(gateway, "audit")

    async def mine(path: str) -> list[dict[str, Any]]:
        found = (await get(operator, f"/repairs/due{path}"))["due"]
        return [each for each in found if each["application_id"] == made.application_id]

    assert len(await mine("")) == 1
    assert len(await mine("?within=10")) == 1
    assert await mine("?within=9") == []
    with gateway.clock.later(days=20):
        (late,) = await mine("?within=0")
        assert late["working_days_left"] < 0
        assert (await ask(source, f"/{made.application_id}")).json()["due"]["overdue"] is True
    report_ = await get(auditor, "/repairs/due", scope="audit")
    assert STATEMENT not in str(report_)
    path = "/v1/admin/repairs/due?format=csv"
    answer = await operator.send(path, b"", method="GET", scope="admin")
    assert made.application_id in answer.text
    await decide(source, made.application_id)
    assert await mine("") == []


async def test_platforms_that_have_followed_a_repair_are_reported_by_its_source(
    gateway: GatewayFixture,
) -> None:
    """Idempotent; another day corrects."""
    source, penalty, record_id = await make_case(gateway)
    today = day_of(gateway.clock())
    yesterday = f"{today - timedelta(days=1)}"
    early = await report(source, penalty, followed_on=yesterday)
    assert (early["outcome"], early["problems"][0]["reason"]) == ("rejected", "is not repaired")
    await act(source, make_act(penalty, "repair", decided_on=f"{today - timedelta(days=3)}"))
    for changed, outcome in (
        ({"followed_on": yesterday}, "updated"),
        ({"followed_on": yesterday}, "unchanged"),
        ({"followed_on": f"{today}"}, "updated"),
        ({"followed_on": f"{today}", "platform": "gsxt"}, "updated"),
    ):
        done = await report(source, penalty, **changed)
        assert (done["outcome"], done["record_id"]) == (outcome, record_id)
    rows = await gateway.rows(
        "SELECT platform, followed_on FROM repair_platform WHERE record_id = :id ORDER BY 1",
        id=record_id,
    )
    assert [tuple(each.values()) for each in rows] == [("credit_china", today), ("gsxt", today)]


async def test_a_report_that_cannot_be_true_is_rejected(gateway: GatewayFixture) -> None:
    """Another's record, an unknown platform, the future, before the repair, a dataset of none."""
    source, penalty, _ = await make_case(gateway)
    today = day_of(gateway.clock())
    await act(source, make_act(penalty, "repair", decided_on=f"{today - timedelta(days=3)}"))
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"platform": "somewhere"}, "platform"),
        ({"followed_on": f"{today + timedelta(days=1)}"}, "followed_on"),
        ({"followed_on": f"{today - timedelta(days=4)}"}, "followed_on"),
        ({"key": "浙罚〔2026〕无此号"}, "key"),
    )
    for changed, field in cases:
        done = await report(source, penalty, **{"followed_on": f"{today}", **changed})
        assert (done["outcome"], done["problems"][0]["field"]) == ("rejected", field), changed
    other = await make_department(gateway)
    done = await report(other, penalty, followed_on=f"{today}")
    assert (done["outcome"], done["problems"][0]["field"]) == ("rejected", "key")
    body = {"dataset": "nonsense", "uscc": penalty["uscc"], "key": "1", "platform": "gsxt"}
    answer = await source.send(
        "/v1/records/repairs/platforms", body | {"followed_on": f"{date(2026, 1, 1)}"}, scope=SCOPE
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_dataset")
    assert (
        await gateway.rows("SELECT 1 FROM repair_platform WHERE uscc = :u", u=penalty["uscc"]) == []
    )
