"""Reports on codes for operators: the queue over the API and at the shell, and who may read what."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.codes import store as codes
from gateway.codes.reports import store
from gateway.codes.reports.model import Ground, Report, ScannedCode
from gateway.disclosure.ids import new_id
from tests.api.test_cli_objections import Shell, run, shell
from tests.client_builders import get, make_operator, post
from tests.gateway_fixture import GatewayFixture

__all__ = ["shell"]  # the fixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "<b>店</b>\x1b[31m\u202e"


async def make_case(gateway: GatewayFixture, text: str = "在解放路口") -> tuple[str, str]:
    """A reported code: the id of its case, and of the code."""
    uscc = gateway.entities[0].uscc
    now = gateway.clock()
    async with gateway.runtime.engine.begin() as connection:
        code = await codes.issue(connection, uscc, "某店", now=now)
        scanned = ScannedCode(text=code.code_id, code_id=code.code_id)
        report = Report(report_id=new_id("rpt"), scanned=scanned, ground=Ground.COVERED, text=text)
        await store.write_report(connection, report, may_store=True, new_keys=1, now=now)
    [row] = await gateway.rows(
        "SELECT case_id FROM code_report_case WHERE code_key = :key", key=code.code_id
    )
    return row["case_id"], code.code_id


async def test_the_queue_is_read_paged_and_decided(gateway: GatewayFixture) -> None:
    """One case per code; a decided one leaves the open queue, and its code is revoked."""
    operator = await make_operator(gateway)
    older, _ = await make_case(gateway)
    with gateway.clock.later(hours=1):
        case_id, code_id = await make_case(gateway)
        first = await get(operator, "/code-reports?status=open&issued=true&limit=1")
        assert [each["case_id"] for each in first["code_reports"]] == [case_id]
        rest = await get(operator, f"/code-reports?status=open&after={first['after']}")
        assert older in {each["case_id"] for each in rest["code_reports"]}
        assert "在解放路口" not in str(first)
        shown = await get(operator, f"/code-reports/{case_id}")
        assert shown["not_kept_at_least"] == 0
        for name in ("first_at", "last_at"):
            assert shown[name].endswith(":00:00+08:00"), "no finer than the hour"
        assert shown["reports"][0]["text"] == "在解放路口"
        body = {"operator": "fang", "outcome": "confirmed", "reasons": "已查看。", "revoke": True}
        decided = (await post(operator, f"/code-reports/{case_id}/decide", body)).json()
        assert decided["decision"]["revoked"] is True
        assert (await gateway.http.get(f"/E/{code_id}")).status_code == 410
        again = await post(operator, f"/code-reports/{case_id}/decide", body)
        assert again.status_code == 409
        still = await get(operator, "/code-reports?status=open")
        assert case_id not in {each["case_id"] for each in still["code_reports"]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"outcome": "confirmed"}, 400),
        ({"outcome": "revoked", "reasons": "因为"}, 400),
        ({"outcome": "dismissed", "reasons": "因为", "revoke": True}, 409),
        ({"outcome": "dismissed", "reasons": "因为", "client": "x"}, 400),
        ({"outcome": "dismissed", "reasons": " "}, 400),
    ],
)
async def test_a_decision_that_cannot_be_is_refused(
    gateway: GatewayFixture, body: dict[str, object], status: int
) -> None:
    """Without reasons, of an unknown kind, with members that nobody reads."""
    operator, (case_id, _) = await make_operator(gateway), await make_case(gateway)
    answer = await post(operator, f"/code-reports/{case_id}/decide", body)
    assert answer.status_code == status, answer.text
    assert (await get(operator, f"/code-reports/{case_id}"))["status"] == "open"


async def test_citizens_texts_are_for_operators_alone(gateway: GatewayFixture) -> None:
    """An auditor reads numbers; a bank nothing."""
    case_id, _ = await make_case(gateway)
    auditor = await make_operator(gateway, "audit")
    listed = await auditor.send("/v1/admin/code-reports", b"", method="GET", scope="audit")
    assert listed.status_code == 200
    one = f"/v1/admin/code-reports/{case_id}"
    assert (await auditor.send(one, b"", method="GET", scope="audit")).status_code == 403
    bank = await gateway.client()
    for path in ("/v1/admin/code-reports", one):
        assert (await bank.send(path, b"", method="GET", scope="query")).status_code == 403
    assert (await bank.send(f"{one}/decide", {}, scope="query")).status_code == 403


async def test_the_queue_at_the_shell(
    gateway: GatewayFixture, shell: Shell, tmp_path: Path
) -> None:
    """List, show and decide under the operator's name; hostile text is printed escaped."""
    case_id, _ = await make_case(gateway, HOSTILE)
    plain = replace(shell, environment=shell.environment | {"COLUMNS": "80"})
    listed = await run(plain, "code-reports", "list", "--limit", "200")
    assert case_id in listed
    [named] = await gateway.rows(
        "SELECT name FROM enterprise WHERE uscc = :uscc", uscc=gateway.entities[0].uscc
    )
    assert f"name: {named['name']}" in listed
    assert "sign: 某店" in listed
    assert "grounds: covered 贴纸下面盖着另一张，或有揭换痕迹: ≥1" in listed
    shown = await run(plain, "code-reports", "show", case_id)
    assert "<b>店</b>" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    reasons = tmp_path / "reasons.txt"
    reasons.write_text("没有问题。")
    decide = ("code-reports", "decide", case_id, "--reasons", str(reasons), "--outcome")
    assert "dismissed or confirmed" in await run(plain, *decide, "maybe", refused=True)
    assert "Only a code of ours" in await run(plain, *decide, "dismissed", "--revoke", refused=True)
    assert "is dismissed" in await run(plain, *decide, "dismissed")
    assert "decided before" in await run(plain, *decide, "dismissed", refused=True)
    assert case_id in await run(plain, "code-reports", "list", "--status", "dismissed")
    acts = await gateway.rows(
        "SELECT operator, what FROM operator_act WHERE subject = :id", id=case_id
    )
    assert acts == [{"operator": "shell:fang", "what": "code_report.dismissed"}]
    assert "no such report" in await run(plain, "code-reports", "show", "crc_x", refused=True)
