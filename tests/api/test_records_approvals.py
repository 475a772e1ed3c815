"""Suspended records, and acts of two persons that bring a record back: what is told, to whom, when."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
import pytest
import pytest_asyncio

import consent
from consent import store as consents
from gateway.background.housekeeping import delete_expired
from gateway.records.schemas import ActionResultsOut, WaitingActionsOut
from tests.api import test_changes_feed as changes_feed
from tests.gateway_fixture import Caller, GatewayFixture
from tests.records_builders import (
    act,
    call_as_source,
    deliver,
    forget,
    get,
    make_act,
    make_department,
    make_penalty,
    reasons,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS, APPROVES = {"operator": "李雷 0012"}, {"operator": "韩梅梅 0013"}
ENDS = {"reinstate": "suspend", "revoke_repair": "repair"}
KINDS = {"reinstate": "record_suspended", "revoke_repair": "record_repaired"}
BACK = pytest.mark.parametrize("verb", ["reinstate", "revoke_repair"])


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _forgotten(gateway: GatewayFixture) -> AsyncIterator[None]:
    """Delete the records that the tests deliver, and what waits."""
    yield
    await forget(gateway)
    await gateway.rows("DELETE FROM record_action")


async def ended_penalty(
    gateway: GatewayFixture, verb: str, **changed: Any
) -> tuple[Caller, dict[str, Any]]:
    """A department and its penalty, which `verb` would bring back."""
    source = await make_department(gateway)
    penalty = make_penalty(gateway, gateway.uscc("clean"), **changed)
    await deliver(source, "penalty", penalty)
    assert (await act(source, make_act(penalty, ENDS[verb])))[0]["outcome"] == "updated"
    return source, penalty


async def ask(source: Caller, penalty: Mapping[str, Any], verb: str, **changed: Any) -> str:
    """The id of an act that waits."""
    (result,) = await act(source, make_act(penalty, verb, **{**ASKS, **changed}))
    assert (result["outcome"], result["version"]) == ("pending", 2), result
    assert result["lapses_at"] is not None
    return str(result["action_id"])


async def approve(source: Caller, action_id: str, **changed: Any) -> httpx2.Response:
    """The answer to an approval."""
    path = f"/v1/records/actions/{action_id}/approve"
    return await call_as_source(source, path, {**APPROVES, **changed})


def refusal(response: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return response.status_code, response.json()["code"]


async def waiting(source: Caller, status: str = "pending") -> list[dict[str, Any]]:
    """What the department's list shows."""
    response = await get(source, f"/v1/records/actions?status={status}")
    assert response.status_code == 200, response.text
    assert response.json()["after"] is None
    assert WaitingActionsOut.model_validate_json(response.text)
    actions: list[dict[str, Any]] = response.json()["actions"]
    return actions


async def numbers(bank: Caller, uscc: str) -> set[str]:
    """Document numbers of the penalties disclosed to a bank."""
    response = await bank.query(uscc, "penalty")
    assert response.status_code == 200, response.text
    return {each["fields"]["document_number"] for each in response.json()["records"]}


async def kinds(gateway: GatewayFixture, client: Caller) -> list[str]:
    """Kinds of the client's notices on records, in order."""
    rows = await gateway.rows(
        "SELECT kind FROM tombstone WHERE client_id = :client AND record_id IS NOT NULL"
        " ORDER BY occurred_at, change_id",
        client=client.client_id,
    )
    return [each["kind"] for each in rows]


async def marks(gateway: GatewayFixture, penalty: Mapping[str, Any]) -> tuple[int, bool]:
    """Version of the record, and whether it is suspended or repaired."""
    (row,) = await gateway.rows(
        "SELECT version, suspended_at, repaired_at FROM record WHERE natural_key = :key",
        key=penalty["document_number"],
    )
    return row["version"], row["suspended_at"] is not None or row["repaired_at"] is not None


@BACK
async def test_a_record_is_told_again_once_a_second_person_has_approved(
    gateway: GatewayFixture, verb: str
) -> None:
    """Not before; each recipient gets one notice of the end and one of the return."""
    source, bank, late = (
        await make_department(gateway), await gateway.client(), await gateway.client(),
    )  # fmt: skip
    uscc = gateway.uscc("clean")
    for client in (bank, late):
        await gateway.grant(client, uscc)
    penalty = make_penalty(gateway, uscc)
    number = penalty["document_number"]
    await deliver(source, "penalty", penalty)
    assert number in await numbers(bank, uscc)
    await act(source, make_act(penalty, ENDS[verb]))
    action_id = await ask(source, penalty, verb, reason="裁定终止〔2026〕3号")
    assert number not in await numbers(bank, uscc)
    assert number not in await numbers(late, uscc)

    done = await approve(source, action_id)
    assert done.status_code == 200, done.text
    document = done.json()
    assert (document["status"], document["action"]) == ("approved", verb)
    assert (document["operator"], document["approved_by"]) == (
        ASKS["operator"], APPROVES["operator"],
    )  # fmt: skip
    assert number in await numbers(bank, uscc)
    await changes_feed.number(gateway)
    changes = (await changes_feed.read(bank))["changes"]
    of_record = [each for each in changes if each["record_id"] == document["record_id"]]
    assert [each["kind"] for each in of_record] == [KINDS[verb], "record_reinstated"]
    assert await kinds(gateway, late) == [], "was told nothing of it"
    (kept,) = await gateway.rows(
        "SELECT h.reason, h.operator, h.approved_by FROM record_history h JOIN record r"
        " USING (uscc, record_id) WHERE r.natural_key = :key AND h.version = 2",
        key=number,
    )
    assert kept == {
        "reason": "裁定终止〔2026〕3号",
        "operator": ASKS["operator"],
        "approved_by": APPROVES["operator"],
    }


async def test_the_enterprise_is_notified_of_each_change(gateway: GatewayFixture) -> None:
    """Of arrival, repair, suspension and return; not while an act waits."""
    uscc = gateway.uscc("clean")
    await gateway.rows(
        "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by,"
        " added_token_digest, added_at, confirmed_at)"
        " VALUES (:uscc, 'plc_1', 'email', '', '', '', now(), now())",
        uscc=uscc,
    )
    try:
        source = await make_department(gateway)
        penalty = make_penalty(gateway, uscc)
        await deliver(source, "penalty", penalty)
        for verb in ("suspend", "reinstate", "repair", "revoke_repair", "withdraw"):
            (result,) = await act(source, make_act(penalty, verb, **ASKS))
            if result["outcome"] == "pending":
                await approve(source, result["action_id"])
                await approve(source, result["action_id"])
        rows = await gateway.rows(
            "SELECT kind, dataset FROM notice WHERE uscc = :uscc ORDER BY at", uscc=uscc
        )
    finally:
        await gateway.rows("DELETE FROM notice_place WHERE uscc = :uscc", uscc=uscc)
        await gateway.rows("DELETE FROM notice WHERE uscc = :uscc", uscc=uscc)
    assert [each["kind"] for each in rows] == [
        "bad_record_arrived", "record_suspended", "record_reinstated", "record_repaired",
        "repair_revoked",
    ]  # fmt: skip
    assert {each["dataset"] for each in rows} == {"penalty"}


@BACK
async def test_what_has_run_out_meanwhile_is_not_told_again(
    gateway: GatewayFixture, verb: str
) -> None:
    """Its term went on; so nothing is announced."""
    ends_tomorrow = (gateway.clock() - timedelta(days=364)).date().isoformat()
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    source = await make_department(gateway)
    penalty = make_penalty(gateway, uscc, decided_on=ends_tomorrow)
    await deliver(source, "penalty", penalty)
    assert penalty["document_number"] in await numbers(bank, uscc)
    await act(source, make_act(penalty, ENDS[verb]))
    with gateway.clock.later(days=5):
        action_id = await ask(source, penalty, verb)
        assert (await approve(source, action_id)).status_code == 200
        assert penalty["document_number"] not in await numbers(bank, uscc)
    assert await marks(gateway, penalty) == (3, False)
    assert await kinds(gateway, bank) == [KINDS[verb]]


async def test_a_suspension_outlasts_a_repair_and_its_revocation(gateway: GatewayFixture) -> None:
    """Told and announced again only when neither holds."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    source = await make_department(gateway)
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    await numbers(bank, uscc)
    await act(source, make_act(penalty, "suspend"))
    await act(source, make_act(penalty, "repair"))
    (refused,) = await act(source, make_act(penalty, "reinstate", **ASKS))
    assert reasons(refused) == [{"field": "key", "reason": "has been repaired"}]
    for verb, expected in (("revoke_repair", False), ("reinstate", True)):
        (asked,) = await act(source, make_act(penalty, verb, **ASKS))
        assert (await approve(source, asked["action_id"])).status_code == 200
        assert (penalty["document_number"] in await numbers(bank, uscc)) is expected, verb
    assert await kinds(gateway, bank) == [
        "record_suspended", "record_repaired", "record_reinstated",
    ]  # fmt: skip


async def test_no_delivery_and_no_correction_lifts_a_suspension(gateway: GatewayFixture) -> None:
    """Both are taken for later, tell nobody, and no notice names the new version."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    source = await make_department(gateway)
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    await numbers(bank, uscc)
    await act(source, make_act(penalty, "suspend"))
    (again,) = await deliver(source, "penalty", penalty)
    (other,) = await deliver(source, "penalty", penalty | {"fine": "13"})
    assert (again["outcome"], other["outcome"]) == ("unchanged", "updated")
    assert again["warnings"] == other["warnings"] == ["stays_suspended"]
    (corrected,) = await act(source, make_act(penalty, "correct", fields={"fine": "14"}))
    assert (corrected["outcome"], corrected["warnings"]) == ("updated", ["stays_suspended"])
    assert penalty["document_number"] not in await numbers(bank, uscc)
    assert await kinds(gateway, bank) == ["record_suspended"]


@BACK
async def test_an_act_of_two_persons_needs_a_named_one(gateway: GatewayFixture, verb: str) -> None:
    """Of another form it is a problem of the whole call; the other acts may name one."""
    source, penalty = await ended_penalty(gateway, verb)
    for wrong in ({}, {"operator": None}, {"operator": "13800138000"}, {"operator": "оператор"}):
        response = await call_as_source(
            source, "/v1/records/actions", make_act(penalty, verb, **wrong)
        )
        assert refusal(response) == (400, "invalid_request"), wrong
        assert "operator" in response.json()["detail"]
    action_id = await ask(source, penalty, verb)
    for wrong_approval in ({"operator": "---"}, {"operator": None}, {"more": 1}):
        response = await approve(source, action_id, **wrong_approval)
        assert refusal(response) == (400, "invalid_request"), wrong_approval
    assert await marks(gateway, penalty) == (2, True)
    (named,) = await act(source, make_act(penalty, "withdraw", **ASKS))
    assert named["outcome"] == "updated"


async def test_it_lapses_after_a_day(gateway: GatewayFixture) -> None:
    """By the time alone; housekeeping deletes it later."""
    source, penalty = await ended_penalty(gateway, "reinstate")
    action_id = await ask(source, penalty, "reinstate")
    with gateway.clock.later(hours=24):
        assert await waiting(source) == []
        assert refusal(await approve(source, action_id)) == (409, "conflict")
        assert await marks(gateway, penalty) == (2, True)
        anew = await ask(source, penalty, "reinstate")
        assert anew != action_id
    with gateway.clock.later(days=8, hours=1):
        await delete_expired(gateway.runtime)
        assert refusal(await approve(source, action_id)) == (404, "not_found")
        assert refusal(await approve(source, anew)) == (409, "conflict"), (
            "still said to have lapsed"
        )


@pytest.mark.parametrize("change", ["deliver", "correct", "repair", "withdraw", "reinstate"])
async def test_a_change_of_the_record_voids_what_waits(
    gateway: GatewayFixture, change: str
) -> None:
    """The second person approves what the first one saw."""
    source, penalty = await ended_penalty(gateway, "reinstate")
    action_id = await ask(source, penalty, "reinstate")
    if change == "deliver":
        await deliver(source, "penalty", penalty | {"fine": "13"})
    elif change == "reinstate":  # in another request, and suspended again
        other = await ask(source, penalty, "reinstate", reason="另一项裁定")
        assert (await approve(source, other)).status_code == 200
        await act(source, make_act(penalty, "suspend"))
    else:
        fields = {"fields": {"fine": "13"}} if change == "correct" else {}
        await act(source, make_act(penalty, change, **fields))
    before = await marks(gateway, penalty)
    assert await waiting(source) == []
    response = await approve(source, action_id)
    assert refusal(response) == (409, "conflict")
    assert "changed" in response.json()["detail"]
    assert await marks(gateway, penalty) == before


async def test_the_second_person_sees_what_is_approved(gateway: GatewayFixture) -> None:
    """Record, reason, day and who asked; another source sees nothing. A repeated request waits once."""
    source, penalty = await ended_penalty(gateway, "revoke_repair")
    said = {"reason": "承诺书系伪造，电话13800138000", "decided_on": "2026-02-01"}
    action_id = await ask(source, penalty, "revoke_repair", **said)
    assert await ask(source, penalty, "revoke_repair", **said) == action_id
    (shown,) = await waiting(source)
    assert shown["key"] == penalty["document_number"]
    assert {name: shown[name] for name in (
        "action_id", "action", "status", "dataset", "uscc", "record_version", "decided_on", "operator",
        "approved_by",
    )} == {
        "action_id": action_id, "action": "revoke_repair", "status": "pending",
        "dataset": "penalty", "uscc": penalty["uscc"], "record_version": 2,
        "decided_on": "2026-02-01", "operator": ASKS["operator"], "approved_by": None,
    }  # fmt: skip
    assert shown["reason"].startswith("承诺书系伪造")
    assert "13800138000" not in shown["reason"]
    other = await make_department(gateway)
    assert await waiting(other) == []
    await approve(source, action_id)
    assert await waiting(source) == []
    (done,) = await waiting(source, "approved")
    assert (done["action_id"], done["approved_by"]) == (action_id, APPROVES["operator"])
    wrong = await get(source, "/v1/records/actions?status=everything")
    assert refusal(wrong) == (400, "invalid_request")


async def test_many_wait_in_one_call_beside_what_is_done(gateway: GatewayFixture) -> None:
    """Each with its own id."""
    source, first = await ended_penalty(gateway, "reinstate")
    second, third = (make_penalty(gateway, first["uscc"]) for _ in range(2))
    await deliver(source, "penalty", second, third)
    await act(source, make_act(second, "suspend"))
    actions = [make_act(each, "reinstate", **ASKS) for each in (first, second, third)]
    actions.append(make_act(third | {"document_number": "没有"}, "suspend"))
    response = await call_as_source(source, "/v1/records/actions", {"actions": actions})
    assert ActionResultsOut.model_validate_json(response.text)
    results = response.json()["results"]
    assert [each["outcome"] for each in results] == ["pending", "pending", "rejected", "rejected"]
    assert len({each["action_id"] for each in results[:2]}) == 2
    assert reasons(results[2]) == [{"field": "key", "reason": "is not suspended"}]
    assert results[3]["action_id"] is None


@pytest.mark.parametrize("leaves", ["withdraws", "narrows"])
async def test_who_may_ask_no_more_is_not_told_that_a_record_is_back(
    gateway: GatewayFixture, leaves: str
) -> None:
    """A consent that was withdrawn, or no longer covers the dataset, brings no news of the file."""
    source, bank = await make_department(gateway), await gateway.client()
    penalty = make_penalty(gateway, uscc := gateway.uscc("clean"))
    await deliver(source, "penalty", penalty)
    consent_id = await gateway.grant(bank, uscc)
    assert penalty["document_number"] in (await bank.query(uscc, "penalty")).text
    await act(source, make_act(penalty, "suspend"))
    if leaves == "withdraws":
        await gateway.act(consent.withdraw, consent_id)
    else:
        without = partial(consent.narrow, scope=await without_penalties(gateway, consent_id))
        await gateway.act(without, consent_id)
    answer = await approve(source, await ask(source, penalty, "reinstate"))
    assert answer.status_code == 200, answer.text
    kinds = await gateway.rows(
        "SELECT kind FROM tombstone WHERE client_id = :c AND record_id IS NOT NULL",
        c=bank.client_id,
    )
    assert [each["kind"] for each in kinds] == ["record_suspended"]


async def without_penalties(gateway: GatewayFixture, consent_id: str) -> consent.Scope:
    """A consent's scope without penalties."""
    async with gateway.runtime.engine.connect() as connection:
        held = await consents.by_id(connection, consent_id)
    assert held is not None
    left = tuple(each for each in held.datasets if each != "penalty")
    return replace(held.scope, datasets=left)
