"""Attacks by departments with valid credentials: other sources' records, paths, bombs, leaks."""

import asyncio
import gzip
import io
import json
from typing import Any

import pytest
import structlog

from tests.gateway_fixture import Caller, GatewayFixture
from tests.records_builders import (
    SCOPE,
    act,
    approve,
    call_as_source,
    create,
    deliver,
    get,
    lines,
    make_act,
    make_department,
    make_penalty,
    patch,
    upload,
    wait_for_job,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]


NUMBER = "330106199001011234"


async def test_another_sources_record_looks_unknown(gateway: GatewayFixture) -> None:
    """The same answer as for an unknown record."""
    owner, thief, bank = (
        await make_department(gateway),
        await make_department(gateway),
        await gateway.client(),
    )
    uscc = gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    penalty = make_penalty(gateway, uscc)
    (delivered,) = await deliver(owner, "penalty", penalty)
    nobodys = penalty | {"document_number": "没有这个文号"}
    for verb in ("repair", "withdraw", "correct", "suspend", "reinstate", "revoke_repair"):
        more = {"fields": {"fine": "0"}} if verb == "correct" else {"operator": "0012"}
        (theirs,) = await act(thief, make_act(penalty, verb, **more))
        (none,) = await act(thief, make_act(nobodys, verb, **more))
        assert theirs | {"key": ""} == none | {"key": ""}
        assert theirs["outcome"] == "rejected"
    records = (await bank.query(uscc, "penalty")).json()["records"]
    (told,) = (each for each in records if each["record_id"] == delivered["record_id"])
    assert (told["version"], told["fields"]["fine"]) == (1, "12.000000")


async def test_a_row_cannot_say_whose_it_is(gateway: GatewayFixture) -> None:
    """Source, id, version and marks are not accepted as fields."""
    owner, thief = await make_department(gateway), await make_department(gateway)
    penalty = make_penalty(gateway, gateway.uscc("clean"))
    await deliver(owner, "penalty", penalty)
    for claim in (
        {"source_id": owner.client_id}, {"record_id": "x"}, {"version": 9}, {"repaired_at": None},
        {"withdrawn_at": "2026-01-01T00:00:00Z"}, {"personal": "x"}, {"suspended_at": "x"},
    ):  # fmt: skip
        (result,) = await deliver(thief, "penalty", penalty | claim)
        assert result["outcome"] == ("rejected" if None not in claim.values() else "created")


async def suspended_penalty(gateway: GatewayFixture, source: Caller) -> dict[str, Any]:
    """A suspended penalty of this source, as delivered."""
    penalty = make_penalty(gateway, gateway.uscc("clean"))
    await deliver(source, "penalty", penalty)
    await act(source, make_act(penalty, "suspend"))
    return penalty


async def returns(gateway: GatewayFixture, penalty: dict[str, Any]) -> int:
    """How often the record was reinstated."""
    rows = await gateway.rows(
        "SELECT 1 FROM record_history h JOIN record r USING (uscc, record_id)"
        " WHERE r.natural_key = :key AND h.change = 'reinstated'",
        key=penalty["document_number"],
    )
    return len(rows)


async def test_nobody_is_two_persons_by_another_spelling(gateway: GatewayFixture) -> None:
    """Nor is another source, whatever name it gives."""
    source, rival = await make_department(gateway), await make_department(gateway)
    penalty = await suspended_penalty(gateway, source)
    (asked,) = await act(source, make_act(penalty, "reinstate", operator="operator A"))
    for spelling in (
        "operator A", "operator A ", "OPERATOR a", "ｏｐｅｒａｔｏｒ　Ａ", "operator-A", "0perat0r A",
    ):  # fmt: skip
        refused = await approve(source, asked["action_id"], operator=spelling)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_operator_needed")
    theirs = await approve(rival, asked["action_id"], operator="operator B")
    unknown = await approve(source, "act_" + 26 * "a", operator="operator B")
    for response in (theirs, unknown, await approve(source, "act_x", operator="operator B")):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert await returns(gateway, penalty) == 0


async def test_approvals_at_once_or_replayed_do_it_once(gateway: GatewayFixture) -> None:
    """One effect and one notice; a replay after the next suspension lifts nothing."""
    source, bank = await make_department(gateway), await gateway.client()
    penalty = make_penalty(gateway, gateway.uscc("clean"))
    await gateway.grant(bank, penalty["uscc"])
    await deliver(source, "penalty", penalty)
    await bank.query(penalty["uscc"], "penalty")
    await act(source, make_act(penalty, "suspend"))
    (asked,) = await act(source, make_act(penalty, "reinstate", operator="0012"))
    answers = await asyncio.gather(
        *(approve(source, asked["action_id"], operator=name) for name in ("0013", "0013", "0014"))
    )
    # Whoever comes first; the same person again is told that it is done, another that it was.
    assert 200 in {each.status_code for each in answers}
    assert {each.status_code for each in answers} <= {200, 409}
    assert await returns(gateway, penalty) == 1
    await act(source, make_act(penalty, "suspend"))
    first = next(each.json() for each in answers if each.status_code == 200)
    again = await approve(source, asked["action_id"], operator=first["approved_by"])
    assert (again.status_code, again.json()) == (200, first)
    assert await returns(gateway, penalty) == 1
    rows = await gateway.rows(
        "SELECT kind FROM tombstone WHERE client_id = :client AND record_id IS NOT NULL"
        " ORDER BY occurred_at",
        client=bank.client_id,
    )
    assert [each["kind"] for each in rows] == [
        "record_suspended", "record_reinstated", "record_suspended",
    ]  # fmt: skip
    answer = await bank.query(penalty["uscc"], "penalty")
    assert penalty["document_number"] not in answer.text


async def test_a_stolen_token_delivers_nothing(gateway: GatewayFixture) -> None:
    """Without its key, and with a proof for another URL."""
    source, thief = await make_department(gateway), await make_department(gateway)
    body = {"dataset": "penalty", "records": [make_penalty(gateway, gateway.uscc("clean"))]}
    token = await source.token("records:write")
    mine = {
        "Authorization": f"DPoP {token}",
        "DPoP": await thief.proof("POST", "/v1/records", token),
    }
    stolen = await call_as_source(thief, "/v1/records", body, headers=mine)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_token")
    proof = await source.proof("POST", "/v1/records/actions", token)
    moved = await call_as_source(source, "/v1/records", body, headers={"DPoP": proof})
    assert (moved.status_code, moved.json()["code"]) == (401, "invalid_dpop_proof")


async def test_no_number_of_a_person_is_printed_or_repeated(gateway: GatewayFixture) -> None:
    """Neither in answers nor in log lines, wherever it is sent."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    printed = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(printed))
    try:
        rows = [
            make_penalty(gateway, uscc) | {name: NUMBER}
            for name in ("fine", "decided_on", "kinds", "facts", "severity", "colour", "uscc")
        ]
        rows.append(make_penalty(gateway, uscc) | {NUMBER: "x"})
        answers = [
            await call_as_source(source, "/v1/records", {"dataset": "penalty", "records": rows}),
            await call_as_source(source, "/v1/records", {"dataset": NUMBER, "records": rows}),
            await call_as_source(
                source, "/v1/records", {NUMBER: 1, "dataset": "penalty", "records": []}
            ),
            await call_as_source(
                source, "/v1/records/actions", make_act(rows[0], "repair", reason=NUMBER)
            ),
            await call_as_source(
                source, "/v1/records/actions", make_act(rows[0], "repair", decided_on=NUMBER)
            ),
        ]
    finally:
        structlog.reset_defaults()
    for answer in answers[:1] + answers[3:]:
        assert NUMBER not in json.dumps(answer.json(), ensure_ascii=False)
    assert NUMBER not in printed.getvalue()
    assert uscc not in printed.getvalue()
    reasons = await gateway.rows(
        "SELECT reason FROM record_history WHERE reason LIKE :n", n=f"%{NUMBER}%"
    )
    assert reasons == []


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "/etc/passwd", "a\x00b.csv", "..", NUMBER]
)
async def test_a_files_name_is_a_label(gateway: GatewayFixture, name: str) -> None:
    """No path is derived from it, and personal numbers in it are masked."""
    source = await make_department(gateway)
    assert gateway.settings.spool is not None
    before = sorted(gateway.settings.spool.rglob("*"))
    path = await create(source, b"x" * 9, filename=name, format="csv")
    await patch(source, path, 0, b"x")
    made = set(gateway.settings.spool.rglob("*")) - set(before)
    assert {each.name for each in made} == {f"{path.rpartition('/')[2]}.part"}
    job = (await get(source, "/v1/records/jobs")).json()["jobs"][0]
    assert "/" not in (job["file_name"] or "")
    assert NUMBER not in (job["file_name"] or "")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/records/uploads/..%2f..%2fstate", "/v1/records/uploads/%00", "/v1/records/jobs/%2e%2e",
        "/v1/records/jobs/upl_aaaaaaaaaaaaaaaaaaaaaaaaaa", "/v1/records/jobs/..%2f/rejects",
        "/v1/records/jobs/upl_' OR 1=1 --/rejects",
    ],
)  # fmt: skip
async def test_an_id_is_no_path(gateway: GatewayFixture, path: str) -> None:
    """404."""
    source = await make_department(gateway)
    method = "HEAD" if "uploads" in path else "GET"
    token = await source.token(SCOPE)
    request = gateway.http.build_request(method, path)
    raw = request.url.raw_path.decode()
    request.headers.update(
        {
            "Authorization": f"DPoP {token}",
            "DPoP": await source.proof(method, raw, token),
            "Tus-Resumable": "1.0.0",
        }
    )
    assert (await gateway.http.send(request)).status_code in {400, 404, 405}


async def test_a_bomb_does_not_go_off(gateway: GatewayFixture) -> None:
    """Refused with one sentence."""
    source = await make_department(gateway)
    bomb = gzip.compress((b"," * 65_535 + b"\n") * (80 << 4), 9)
    job = await wait_for_job(source, await upload(source, bomb, filename="x.csv.gz"))
    assert job["state"] == "stopped"
    assert job["created"] == 0


async def test_a_number_in_a_file_is_not_repeated(gateway: GatewayFixture) -> None:
    """Neither in the job nor in the reject list."""
    source = await make_department(gateway)
    rows = [
        make_penalty(gateway, gateway.uscc("clean")) | {name: NUMBER}
        for name in ("fine", "uscc", NUMBER)
    ]
    job = await wait_for_job(source, await upload(source, lines(*rows)))
    rejects = await get(source, f"/v1/records/jobs/{job['job_id']}/rejects")
    assert job["rejected"] == 3
    assert NUMBER not in json.dumps(job, ensure_ascii=False) + rejects.text
