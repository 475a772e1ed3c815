"""Leak tests (R5, R17): ID numbers, phones and home addresses in answers, logs and tables.

A gateway process is called in every way; all answers and output are searched for the personal data
of the whole province.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson
import pytest
import pytest_asyncio

from gateway.app import create_app
from gateway.synthetic.demo.clients import BANK_DATASETS
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from tests.gateway_fixture import Caller, GatewayFixture, in_process, query_body, verification_body
from tests.servers.gateway_process import serving
from verification import QUESTIONS

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERSONAL: Final = ("legal_representative_id_number", "phone", "home_address")


@dataclass(slots=True, kw_only=True)
class CapturedOutput:
    """A served gateway, with every answer and log line recorded."""

    gateway: GatewayFixture
    http: httpx2.AsyncClient
    output: Path
    said: list[tuple[str, str]] = field(default_factory=list)

    async def call(self, what: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """Send a call and record the whole answer."""
        response = await self.http.request(method, path, **more)
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.said.append((what, f"{headers}\n\n{response.text}"))
        return response

    async def authorised(self, what: str, caller: Caller, path: str, body: Any) -> httpx2.Response:
        """Call as a client, with nonces that fit the store's generation."""
        raw = orjson.dumps(body)
        token = await caller.token()
        headers = {"Authorization": f"DPoP {token}", "Content-Type": "application/json"}
        nonce = None
        for _ in range(2):
            headers["DPoP"] = await caller.proof("POST", path, token, nonce=nonce)
            response = await self.call(what, "POST", path, content=raw, headers=headers)
            if response.status_code != 401:
                break
            nonce = response.headers["dpop-nonce"]
        return response


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def heard(
    gateway: GatewayFixture, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CapturedOutput]:
    """A process that serves the gateway's database, with captured output."""
    output = tmp_path_factory.mktemp("served") / "output"
    with serving(gateway.settings, output) as address:
        async with httpx2.AsyncClient(base_url=address, trust_env=False) as http:
            yield CapturedOutput(gateway=gateway, http=http, output=output)


def secrets_of(entities: Iterable[SyntheticEnterprise]) -> dict[str, str]:
    """Personal values of an enterprise, by kind."""
    return {e.personal[name]: name for e in entities for name in PERSONAL}


def leaks(text: str, secrets: dict[str, str]) -> set[str]:
    """Kinds of personal data in a text, JSON escapes included."""
    plain = text + re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    squeezed = re.sub(r"[\s·.\-]", "", plain)
    return {kind for secret, kind in secrets.items() if secret in plain or secret in squeezed}


async def sweep(heard: CapturedOutput) -> None:
    """Every unauthorised call about each kind of enterprise."""
    gateway, bank = heard.gateway, await heard.gateway.client()
    subjects = gateway.entities[:56]
    for of in subjects:
        uscc, personal = of.enterprise.uscc, of.personal
        number, phone = personal["legal_representative_id_number"], personal["phone"]
        await heard.call("no token", "POST", "/v1/queries", json=query_body(uscc, *BANK_DATASETS))
        await heard.authorised("no consent", bank, "/v1/queries", query_body(uscc, *BANK_DATASETS))
        await heard.authorised(
            "id number",
            bank,
            "/v1/verifications",
            verification_body(uscc, ("legal_representative_id.v1", number), "is_active.v1"),
        )
        await heard.authorised(
            "phone for a name",
            bank,
            "/v1/verifications",
            verification_body(uscc, ("legal_representative_name.v1", phone)),
        )
    for subject in gateway.kit["subjects"]:
        path = subject["code_url"].removeprefix(gateway.issuer)
        await heard.call("scan", "GET", path)
        await heard.call("scan", "GET", path, headers={"Accept": "application/json"})
    await _stumble(heard, bank, subjects[0])


async def _stumble(heard: CapturedOutput, bank: Caller, enterprise: SyntheticEnterprise) -> None:
    """Errors of each kind, with personal data in the wrong places."""
    number = enterprise.personal["legal_representative_id_number"]
    home = enterprise.personal["home_address"]
    odd: list[tuple[str, Any]] = [
        ("/v1/verifications", {**verification_body(number, "is_active.v1"), "purpose": home}),
        ("/v1/verifications", {**verification_body(enterprise.enterprise.uscc, number)}),
        (
            "/v1/verifications",
            {**verification_body(enterprise.enterprise.uscc, "is_active.v1"), "x": number},
        ),
        (
            "/v1/verifications",
            {**verification_body(enterprise.enterprise.uscc, "is_active.v1"), "purpose": [home]},
        ),
        ("/v1/queries", {**query_body(number)}),
        ("/v1/queries", {**query_body(enterprise.enterprise.uscc, home)}),
        ("/v1/queries", {**query_body(enterprise.enterprise.uscc), "page": {"cursor": number}}),
        (
            "/v1/queries",
            {**query_body(enterprise.enterprise.uscc), "filter": {"decided_from": number}},
        ),
    ]
    for path, body in odd:
        await heard.authorised("odd", bank, path, body)
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/questions", "/portal"):
        await heard.call("public", "GET", path)
    for path in (f"/v1/{number}", f"/E/{number}", f"/log/{number}"):
        await heard.call("nowhere", "GET", path, params={"q": home})
    await heard.call("broken", "POST", "/v1/queries", content=number.encode())
    await heard.call(
        "sign-in", "POST", "/demo-identity/sign-in", data={"username": "nobody", "password": home}
    )
    await heard.call("token", "POST", "/oauth/token", data={"client_id": "nobody", "scope": home})


async def test_nothing_personal_is_said_to_the_unauthorised_or_printed(
    heard: CapturedOutput,
) -> None:
    """Answers, headers, pages, errors and log lines, for three hundred enterprises."""
    await sweep(heard)
    secrets = secrets_of(heard.gateway.entities)
    found = [(what, leaks(text, secrets)) for what, text in heard.said]
    assert [each for each in found if each[1]] == []
    assert len(found) > 250
    printed = heard.output.read_text()
    assert leaks(printed, secrets) == set()


async def test_log_lines_name_no_enterprise(heard: CapturedOutput) -> None:
    """Log lines have request ids, neither codes nor names."""
    printed = heard.output.read_text()
    assert [e for e in heard.gateway.entities if e.enterprise.uscc in printed] == []
    assert [e for e in heard.gateway.entities if e.enterprise.name in printed] == []


async def test_a_fault_prints_where_it_was_and_nothing_of_whom(
    gateway: GatewayFixture, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Tracebacks of a failing handler."""
    of = gateway.entity("clean")
    number = of.personal["legal_representative_id_number"]

    async def broken() -> None:
        raise RuntimeError(number)

    app = create_app(gateway.settings)
    app.add_api_route("/v1/broken", broken)
    async with in_process(gateway.settings, gateway.clock, app=app) as (_, http):
        response = gateway.checked(await http.get("/v1/broken"))
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    captured = capfd.readouterr()
    everything = captured.out + captured.err + caplog.text + response.text
    assert number not in everything
    assert "RuntimeError" in captured.out + captured.err + caplog.text


async def test_an_authorised_answer_holds_only_what_its_class_allows(
    gateway: GatewayFixture,
) -> None:
    """With all consents: never an ID number or a home address."""
    bank = await gateway.client()
    secrets = secrets_of(gateway.entities)
    for of in (e for e in gateway.entities[:56] if e.enterprise.code_ok):
        uscc = of.enterprise.uscc
        everything = [q.tag for q in QUESTIONS if q.needs_consent]
        await gateway.grant(bank, uscc, datasets=sorted(BANK_DATASETS), questions=everything)
        told = await bank.query(uscc, *BANK_DATASETS)
        assert told.status_code == 200
        phones = {of.personal["phone"]: "own phone"}
        others = {secret: kind for secret, kind in secrets.items() if secret not in phones}
        assert leaks(told.text, others) == set()
        asked = ("legal_representative_id.v1", of.personal["legal_representative_id_number"])
        verified = await bank.verify(uscc, asked)
        assert leaks(verified.text, secrets) == set()


async def test_nothing_personal_lies_legibly_in_any_table(gateway: GatewayFixture) -> None:
    """Credit files, log, stored answers."""
    secrets, bank, of = (
        secrets_of(gateway.entities),
        await gateway.client(),
        gateway.entity("clean"),
    )
    await gateway.grant(bank, of.enterprise.uscc)
    key: dict[str, str | None] = {"Idempotency-Key": "kept"}
    told = await bank.query(of.enterprise.uscc, "registration", headers=key)
    assert of.personal["phone"] in told.text
    for table in await gateway.counts():
        rows = await gateway.rows(f'SELECT row_to_json(t)::text AS row FROM "{table}" AS t')  # noqa: S608  # of the schema
        assert leaks("\n".join(each["row"] for each in rows), secrets) == set(), table


Spelling = Callable[[str], str]


@pytest.mark.parametrize(
    "spelling",
    [
        str,
        lambda number: f"{number[:6]} {number[6:14]} {number[14:]}",
        lambda number: json.dumps(f"号{number}"),
    ],
)
async def test_the_search_itself_finds_what_it_looks_for(
    gateway: GatewayFixture, spelling: Spelling
) -> None:
    """Control: planted values are found."""
    secrets = secrets_of(gateway.entities)
    of = gateway.entities[-1].personal
    planted = f"before {spelling(of['legal_representative_id_number'])} after"
    assert leaks(planted, secrets) == {"legal_representative_id_number"}
    assert leaks(json.dumps(of["home_address"]), secrets) == {"home_address"}
