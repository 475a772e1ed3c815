"""Objections end to end: mark, department API, review, deadlines."""

import asyncio
import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from gateway.background.housekeeping import advance_objections
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, service, store
from gateway.creditfile.objections.model import (
    Contested,
    Objection,
    ObjectionRefused,
    RefusalReason,
    Status,
)
from gateway.creditfile.records import Record
from gateway.creditfile.working_days import working_days_after
from tests.client_builders import get, make_operator, post
from tests.creditfile_builders import make_record
from tests.gateway_fixture import Caller, GatewayFixture
from tests.objection_builders import (
    ENTERPRISE,
    corrected_record,
    make_disputed_record,
    make_fresh_enterprise,
    marked_since,
    object_to,
)
from tests.records_builders import act as amend
from tests.records_builders import deliver, make_act, make_department, make_penalty

pytestmark = pytest.mark.asyncio(loop_scope="session")
SCOPE = "records:write"
RATED: dict[str, Any] = {
    "model_version": "2026",
    "indicators": [{"indicator": "penalties", "points": 100, "reason_codes": ["L12"]}],
}
REASONS = "处罚决定仍然有效，不予更正。"


async def case(
    gateway: GatewayFixture, dataset: str = "penalty"
) -> tuple[Caller, Record, Objection]:
    """A department, a record and an objection to it."""
    source = await gateway.client("source")
    made = await make_disputed_record(gateway, source, dataset=dataset)
    return source, made, await object_to(gateway, made)


async def ask(source: Caller, path: str = "") -> httpx2.Response:
    """GET as a department."""
    return await source.send(f"/v1/objections{path}", b"", method="GET", scope=SCOPE)


async def act(source: Caller, path: str, body: dict[str, Any]) -> httpx2.Response:
    """POST as a department."""
    return await source.send(f"/v1/objections/{path}", body, scope=SCOPE)


def decision(outcome: str = "rejected", reasons: str = REASONS) -> dict[str, Any]:
    """Body of a decision."""
    return {"outcome": outcome, "reasons": reasons}


async def asked_for_review(gateway: GatewayFixture, raised: Objection) -> None:
    """Request a review as the enterprise."""
    async with gateway.runtime.engine.begin() as connection:
        done = await service.apply_act(
            connection,
            raised.objection_id,
            lambda objection, _: lifecycle.ask_for_review(
                objection,
                actor=replace(ENTERPRISE, party=raised.uscc),
                text="请复核。",
                kinds=gateway.runtime.catalogue.objections,
                now=gateway.clock(),
            ),
        )
    assert isinstance(done, Objection), done


async def test_the_mark_is_disclosed_with_the_record_and_the_text_is_not(
    gateway: GatewayFixture,
) -> None:
    """From the next query, without the objection's text."""
    source, bank = await gateway.client("source"), await gateway.client()
    made = await make_disputed_record(gateway, source)
    await gateway.grant(bank, made.uscc, datasets=["penalty"])
    before = (await bank.query(made.uscc, "penalty")).json()["records"]
    plain = next(each for each in before if each["record_id"] == made.record_id)
    assert "objection" not in plain
    raised = await object_to(gateway, made)
    response = await bank.query(made.uscc, "penalty")
    told = next(e for e in response.json()["records"] if e["record_id"] == made.record_id)
    assert told["objection"].keys() == {"since"}
    assert raised.objection_id not in response.text
    assert "罚款已经撤销" not in response.text


async def test_a_repeated_query_does_not_tell_a_record_without_its_mark(
    gateway: GatewayFixture,
) -> None:
    """The stored answer is not repeated once one of its records is disputed."""
    source, bank = await gateway.client("source"), await gateway.client()
    made = await make_disputed_record(gateway, source)
    await gateway.grant(bank, made.uscc, datasets=["penalty"])
    key = {"Idempotency-Key": "before-the-objection"}
    first = await bank.query(made.uscc, "penalty", headers=key)
    assert (await bank.query(made.uscc, "penalty", headers=key)).content == first.content
    await object_to(gateway, made)
    again = await bank.query(made.uscc, "penalty", headers=key)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")


async def test_a_department_sees_the_objection_with_its_deadline(gateway: GatewayFixture) -> None:
    """Listed by id; in full with text and history, and the due date."""
    source, made, raised = await case(gateway)
    listed = (await ask(source)).json()
    assert [each["objection_id"] for each in listed["objections"]] == [raised.objection_id]
    assert listed["after"] is None
    assert "text" not in listed["objections"][0]
    whole = (await ask(source, f"/{raised.objection_id}")).json()
    assert whole["text"] == "罚款已经撤销，请更正。"
    assert whole["key"] == made.natural_key
    assert [each["what"] for each in whole["history"]] == ["raised"]
    last = working_days_after(day_of(gateway.clock()), 5)
    assert whole["due"]["on"] == last.day.isoformat()
    assert whole["due"]["provisional"] is last.provisional
    assert whole["due"]["working_days_left"] == 5
    on_time = (await ask(source, f"?due={last.day}&status=open")).json()
    assert len(on_time["objections"]) == 1
    too_soon = (await ask(source, f"?due={last.day - timedelta(days=1)}")).json()
    assert too_soon["objections"] == []
    assert (await ask(source, "?status=closed")).json()["objections"] == []


async def test_no_person_is_named_to_the_department(gateway: GatewayFixture) -> None:
    """The department sees the enterprise as actor."""
    source, _, raised = await case(gateway)
    assert ENTERPRISE.name not in (await ask(source, f"/{raised.objection_id}")).text


async def test_another_departments_objection_is_a_404(gateway: GatewayFixture) -> None:
    """404 to read and to decide, as for an unknown id."""
    _, made, raised = await case(gateway)
    other = await gateway.client("source")
    assert (await ask(other)).json() == {"objections": [], "after": None}
    for known in (raised.objection_id, "obj_" + "a" * 26, "obj_1", "%20"):
        for path, body in (
            ("", None),
            ("/decision", decision()),
            ("/extension", {"reason": "需要外调"}),
        ):
            answer = (
                await ask(other, f"/{known}")
                if body is None
                else await act(other, f"{known}{path}", body)
            )
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert await marked_since(gateway, made) is not None


async def test_a_client_that_is_no_department_sees_no_objection_with_any_scope(
    gateway: GatewayFixture,
) -> None:
    """A bank with the department's scope gets 404."""
    _, _, raised = await case(gateway)
    bank = await gateway.client()
    for answer in (
        await ask(bank),
        await ask(bank, f"/{raised.objection_id}"),
        await act(bank, f"{raised.objection_id}/decision", decision()),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_in_agreement")


async def test_a_token_for_something_else_opens_no_objection(gateway: GatewayFixture) -> None:
    """`records:write` is required."""
    source, _, raised = await case(gateway)
    path = f"/v1/objections/{raised.objection_id}"
    answer = await source.send(path, b"", method="GET", scope="query")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_a_rejection_keeps_the_mark_and_its_reasons_reach_the_enterprise(
    gateway: GatewayFixture,
) -> None:
    """Until the time for a review has passed."""
    source, made, raised = await case(gateway)
    answer = await act(source, f"{raised.objection_id}/decision", decision())
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["outcome"]) == ("decided", "rejected")
    assert await marked_since(gateway, made) is not None
    assert await advance_objections(gateway.runtime) == 0
    with gateway.clock.later(days=40):
        assert await advance_objections(gateway.runtime) >= 1
    assert await marked_since(gateway, made) is None
    whole = (await ask(source, f"/{raised.objection_id}")).json()
    assert [each["what"] for each in whole["history"]] == ["raised", "decided", "lapsed"]
    assert whole["due"] is None


async def test_an_upheld_objection_needs_a_correction_first(gateway: GatewayFixture) -> None:
    """The mark is removed in the same transaction."""
    source, made, raised = await case(gateway)
    path = f"{raised.objection_id}/decision"
    refused = await act(source, path, decision("upheld"))
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert await marked_since(gateway, made) is not None
    await corrected_record(gateway, made)
    assert (await act(source, path, decision("upheld"))).json()["status"] == "closed"
    assert await marked_since(gateway, made) is None


async def test_the_same_decision_again_changes_nothing_and_another_is_a_conflict(
    gateway: GatewayFixture,
) -> None:
    """A repeated call is idempotent."""
    source, _, raised = await case(gateway)
    path = f"{raised.objection_id}/decision"
    first = await act(source, path, decision())
    again = await act(source, path, decision())
    assert (again.status_code, again.json()) == (200, first.json())
    other = await act(source, path, decision(reasons="换一个理由。"))
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


async def test_many_decisions_at_once_are_one(gateway: GatewayFixture) -> None:
    """Concurrent decisions: one wins, and the history has one."""
    source, made, raised = await case(gateway)
    await corrected_record(gateway, made)
    await source.token(SCOPE)
    path = f"{raised.objection_id}/decision"
    answers = await asyncio.gather(
        *(act(source, path, decision("upheld", f"理由之{n}")) for n in range(6)),
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409, 409, 409]
    whole = (await ask(source, f"/{raised.objection_id}")).json()
    assert [each["what"] for each in whole["history"]] == ["raised", "decided"]


async def test_time_is_extended_once_over_the_api(gateway: GatewayFixture) -> None:
    """To the last possible day, with the reason in the history."""
    source, _, raised = await case(gateway)
    path = f"{raised.objection_id}/extension"
    answer = await act(source, path, {"reason": "需要外调"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["due"]["on"] == raised.latest_on.isoformat()
    assert answer.json()["history"][-1]["reason"] == "需要外调"
    again = await act(source, path, {"reason": "还要外调"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "upheld"},
        {"outcome": "withdrawn", "reasons": "x" * 10},
        {"outcome": "rejected", "reasons": ""},
        {"outcome": "rejected", "reasons": "\u202e\t"},
        {"outcome": "rejected", "reasons": "理" * 1_501},
        {"outcome": "rejected", "reasons": "理由", "actor": "demo"},
    ],
    ids=str,
)
async def test_a_decision_without_readable_reasons_is_a_400(
    gateway: GatewayFixture, body: dict[str, Any]
) -> None:
    """The objection stays undecided."""
    source, _, raised = await case(gateway)
    answer = await act(source, f"{raised.objection_id}/decision", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await ask(source, f"/{raised.objection_id}")).json()["status"] == "open"


async def test_r5_reasons_are_scanned_for_personal_numbers(gateway: GatewayFixture) -> None:
    """Reasons are read by the enterprise's people."""
    source, _, raised = await case(gateway)
    body = decision(reasons="当事人330106199001011233未到场。")
    answer = await act(source, f"{raised.objection_id}/decision", body)
    assert "330106199001011233" not in answer.text
    assert "身份证号码已隐去" in answer.text


async def test_an_enterprise_objects_to_a_record_once_at_a_time_and_not_for_ever(
    gateway: GatewayFixture,
) -> None:
    """Another objection to the same version needs a waiting time, to a newer one not."""
    source, made, raised = await case(gateway)
    again: dict[str, Any] = {
        "uscc": made.uscc,
        "record_id": made.record_id,
        "text": "再次异议",
        "wanted": "",
        "actor": replace(ENTERPRISE, party=made.uscc),
    }

    async def once_more() -> Objection | ObjectionRefused:
        async with gateway.runtime.engine.begin() as connection:
            return await service.raise_objection(
                connection, gateway.runtime.catalogue, now=gateway.clock(), **again
            )

    assert await once_more() == ObjectionRefused(reason=RefusalReason.ALREADY_OPEN)
    await act(source, f"{raised.objection_id}/decision", decision())
    with gateway.clock.later(days=40):
        await advance_objections(gateway.runtime)
        assert await once_more() == ObjectionRefused(reason=RefusalReason.TOO_SOON)
        await corrected_record(gateway, made)
        assert isinstance(await once_more(), Objection)


async def test_many_objections_at_once_to_one_record_are_one(gateway: GatewayFixture) -> None:
    """A double click, or two people of the enterprise."""
    source = await gateway.client("source")
    made = await make_disputed_record(gateway, source)

    async def raise_one() -> Objection | ObjectionRefused:
        async with gateway.runtime.engine.begin() as connection:
            return await service.raise_objection(
                connection,
                gateway.runtime.catalogue,
                uscc=made.uscc,
                record_id=made.record_id,
                text="有误",
                wanted="",
                actor=replace(ENTERPRISE, party=made.uscc),
                now=gateway.clock(),
            )

    outcomes = await asyncio.gather(*(raise_one() for _ in range(6)))
    assert sum(isinstance(each, Objection) for each in outcomes) == 1
    assert len((await ask(source)).json()["objections"]) == 1


async def test_only_own_and_disclosed_records_can_be_objected_to(
    gateway: GatewayFixture,
) -> None:
    """Another's record, a supervision class, a withdrawn record, an unknown id: the same answer."""
    source = await gateway.client("source")
    made = await make_disputed_record(gateway, source)
    hidden = await make_disputed_record(gateway, source, dataset="supervision")
    gone = await make_disputed_record(gateway, source)
    await gateway.rows(
        "UPDATE record SET withdrawn_at = now() WHERE uscc = :uscc AND record_id = :record_id",
        uscc=gone.uscc,
        record_id=gone.record_id,
    )
    another = gateway.uscc("penalised")
    for uscc, record_id in (
        (another, made.record_id),
        (made.uscc, hidden.record_id),
        (made.uscc, gone.record_id),
        (made.uscc, "rec_unknown"),
    ):
        async with gateway.runtime.engine.begin() as connection:
            outcome = await service.raise_objection(
                connection,
                gateway.runtime.catalogue,
                uscc=uscc,
                record_id=record_id,
                text="有误",
                wanted="",
                actor=replace(ENTERPRISE, party=uscc),
                now=gateway.clock(),
            )
        assert outcome == ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)


async def test_the_registration_is_objected_to_like_any_record(gateway: GatewayFixture) -> None:
    """In queries and on the enterprise's row."""
    source, bank = await gateway.client("source"), await gateway.client()
    uscc = await make_fresh_enterprise(gateway)
    changed = await gateway.rows(
        "UPDATE enterprise SET source_id = :source WHERE uscc = :uscc RETURNING registration_id",
        source=source.client_id,
        uscc=uscc,
    )
    registration = changed[0]["registration_id"]
    async with gateway.runtime.engine.begin() as connection:
        raised = await service.raise_objection(
            connection,
            gateway.runtime.catalogue,
            uscc=uscc,
            record_id=registration,
            text="地址有误",
            wanted="",
            actor=replace(ENTERPRISE, party=uscc),
            now=gateway.clock(),
        )
    assert isinstance(raised, Objection), raised
    await gateway.grant(bank, uscc, datasets=["registration"])
    told = (await bank.query(uscc, "registration")).json()["records"][0]
    assert told["objection"].keys() == {"since"}
    await gateway.rows("UPDATE enterprise SET version = version + 1 WHERE uscc = :uscc", uscc=uscc)
    answer = await act(source, f"{raised.objection_id}/decision", decision("upheld"))
    assert answer.json()["status"] == "closed", answer.text
    assert "objection" not in (await bank.query(uscc, "registration")).json()["records"][0]


async def test_r15_a_rating_appeal_goes_to_the_ratings_source_with_its_own_deadline(
    gateway: GatewayFixture,
) -> None:
    """Another kind and deadline; a review may order a correction."""
    source, made, raised = await case(gateway, "public_rating")
    whole = (await ask(source, f"/{raised.objection_id}")).json()
    assert whole["kind"] == "rating_appeal"
    assert whole["due"]["working_days_left"] == 10
    path = f"{raised.objection_id}/decision"
    await act(source, path, decision())
    await asked_for_review(gateway, raised)
    operator = await make_operator(gateway)
    body = {"outcome": "upheld", "reasons": "指标计算有误。", "operator": "fang"}
    answer = await post(operator, f"/objections/{raised.objection_id}/review", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ordered"
    rejected = await act(source, path, decision(reasons="仍然不同意。"))
    assert (rejected.status_code, rejected.json()["code"]) == (409, "conflict")
    assert await marked_since(gateway, made) is not None
    await corrected_record(gateway, made)
    assert (await act(source, path, decision("upheld", "已重新评价。"))).json()[
        "status"
    ] == "closed"
    assert await marked_since(gateway, made) is None


async def test_an_appeal_names_the_reason_code_that_it_contests(gateway: GatewayFixture) -> None:
    """The source reads it in the list and the whole; one that is not of that rating is refused."""
    source = await gateway.client("source")
    made = await make_disputed_record(gateway, source, dataset="public_rating", **RATED)
    of_another = {"scheme": "zj_public_credit", "indicator": "tax", "reason_code": "F11"}
    with pytest.raises(AssertionError, match="not_available"):
        await object_to(gateway, made, contests=Contested(**of_another))
    named = {"scheme": "zj_public_credit", "indicator": "penalties", "reason_code": "L12"}
    raised = await object_to(gateway, made, contests=Contested(**named))
    listed = (await ask(source)).json()["objections"]
    assert [e["contests"] for e in listed if e["objection_id"] == raised.objection_id] == [named]
    assert (await ask(source, f"/{raised.objection_id}")).json()["contests"] == named


async def test_a_review_is_an_operators_act_and_a_leaf_of_the_log(gateway: GatewayFixture) -> None:
    """Only after the enterprise requested it, and once."""
    source, _, raised = await case(gateway)
    operator = await make_operator(gateway)
    path = f"/objections/{raised.objection_id}/review"
    body = {"outcome": "rejected", "reasons": "决定无误。"}
    assert (await post(operator, path, body)).status_code == 409
    await act(source, f"{raised.objection_id}/decision", decision())
    await asked_for_review(gateway, raised)
    assert (await post(operator, path, body)).json()["status"] == "closed"
    assert (await post(operator, path, body)).status_code == 409
    acts = await get(operator, f"/acts?client_id={source.client_id}")
    done = [each for each in acts["acts"] if each["what"] == "objection.review"]
    assert [each["subject"] for each in done] == [raised.objection_id]


async def test_only_an_operator_reviews_and_an_auditor_sees_no_text(
    gateway: GatewayFixture,
) -> None:
    """Auditors may read the report of due objections."""
    source, _, raised = await case(gateway)
    auditor = await make_operator(gateway, "audit")
    path = f"/v1/admin/objections/{raised.objection_id}"
    for method, more, body in (("GET", "", b""), ("POST", "/review", b"{}")):
        answer = await auditor.send(path + more, body, method=method, scope="audit")
        assert answer.json()["code"] == "insufficient_scope"
    report = await get(auditor, "/objections/due", scope="audit")
    mine = [each for each in report["due"] if each["source_id"] == source.client_id]
    assert [each["objection_id"] for each in mine] == [raised.objection_id]
    assert "罚款已经撤销" not in str(report)
    operator = await make_operator(gateway)
    assert (await get(operator, f"/objections/{raised.objection_id}"))["text"]


async def test_the_report_has_what_is_due_within_some_days_and_what_is_late(
    gateway: GatewayFixture,
) -> None:
    """JSON and CSV; objections waiting for the enterprise are left out."""
    source, _, raised = await case(gateway)
    operator = await make_operator(gateway)

    async def ids(path: str) -> list[str]:
        found = (await get(operator, f"/objections/due{path}"))["due"]
        return [e["objection_id"] for e in found if e["source_id"] == source.client_id]

    assert await ids("") == [raised.objection_id]
    assert await ids("?within=5") == [raised.objection_id]
    assert await ids("?within=4") == []
    with gateway.clock.later(days=14):
        late = (await get(operator, "/objections/due?within=0"))["due"]
        mine = next(each for each in late if each["objection_id"] == raised.objection_id)
        assert mine["working_days_left"] < 0
    path = "/v1/admin/objections/due"
    answer = await operator.send(f"{path}?format=csv", b"", method="GET", scope="admin")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert raised.objection_id in {row["objection_id"] for row in rows}
    await act(source, f"{raised.objection_id}/decision", decision())
    assert await ids("") == []


async def test_an_objection_against_a_record_that_is_gone_can_still_be_closed(
    gateway: GatewayFixture,
) -> None:
    """A record that no longer exists does not block upholding."""
    source, made, raised = await case(gateway)
    await gateway.rows(
        "DELETE FROM record WHERE uscc = :uscc AND record_id = :record_id",
        uscc=made.uscc,
        record_id=made.record_id,
    )
    answer = await act(source, f"{raised.objection_id}/decision", decision("upheld"))
    assert answer.json()["status"] == "closed", answer.text
    async with gateway.runtime.engine.connect() as connection:
        found = await store.by_id(connection, raised.objection_id)
    assert found is not None
    assert found.status is Status.CLOSED


async def test_a_correction_over_the_api_is_what_upholding_waits_for(
    gateway: GatewayFixture,
) -> None:
    """Delivery, objection, correction, upheld; a delivery leaves the mark."""
    source, uscc = await make_department(gateway), await make_fresh_enterprise(gateway)
    penalty = make_penalty(gateway, uscc)
    (delivered,) = await deliver(source, "penalty", penalty)
    made = make_record(uscc=uscc, record_id=delivered["record_id"])
    raised = await object_to(gateway, made)
    path = f"{raised.objection_id}/decision"
    assert (await act(source, path, decision("upheld"))).status_code == 409
    (done,) = await amend(source, make_act(penalty, "correct", fields={"fine": "3"}))
    assert done["outcome"] == "updated"
    assert await marked_since(gateway, made) is not None
    assert (await act(source, path, decision("upheld"))).json()["status"] == "closed"
    assert await marked_since(gateway, made) is None


async def test_wherever_there_is_a_mark_there_is_an_open_objection_and_the_other_way(
    gateway: GatewayFixture,
) -> None:
    """Invariant over the whole province after all other tests."""
    await case(gateway)
    wrong = await gateway.rows("""
        SELECT coalesce(o.record_id, r.record_id) AS record_id
        FROM (SELECT uscc, record_id, objection_since FROM record
              UNION ALL SELECT uscc, registration_id, objection_since FROM enterprise) r
        LEFT JOIN objection o
            ON o.uscc = r.uscc AND o.record_id = r.record_id AND o.status <> 'closed'
        WHERE (o.record_id IS NULL) <> (r.objection_since IS NULL)
           OR o.raised_at <> r.objection_since""")
    assert wrong == []
