"""Headers of real answers against the OpenAPI document: each kind of operation, answered and refused.

The fixture compares the answers of all other tests too (`gateway_fixture`), of statuses that are described.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from gateway.limits.quotas import Quotas
from tests.client_builders import make_operator
from tests.gateway_fixture import (
    UNKNOWN,
    Caller,
    GatewayFixture,
    query_body,
    verification_body,
)
from tests.oauth_builders import ASSERTION_TYPE
from tests.openapi_description import ApiDescription
from tests.records_builders import (
    SCOPE,
    UPLOADS,
    call_as_source,
    create,
    get,
    head,
    make_department,
    make_penalty,
    patch,
)
from tests.watch_builders import put as put_watch

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORM = {"client_assertion_type": ASSERTION_TYPE}


class Heard:
    """The answers of a test."""

    def __init__(self, document: ApiDescription) -> None:
        self.document = document
        self.answers: list[tuple[str, str, int]] = []

    async def note(self, response: httpx2.Response) -> None:
        """Note an answer."""
        method, path = response.request.method, response.request.url.path
        self.answers.append((method, path, response.status_code))

    def statuses(self) -> set[str]:
        """Operation and status of each answer."""
        found = set()
        for method, path, status in self.answers:
            operation = self.document.operation(method, path)
            assert operation is not None, (method, path)
            found.add(f"{operation['operationId']} {status}")
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def heard(gateway: GatewayFixture) -> AsyncIterator[Heard]:
    """What the test was answered; at its end each status must be described."""
    made = Heard(ApiDescription(gateway.app.openapi()))
    before = gateway.http.event_hooks
    gateway.http.event_hooks = {"response": [made.note, *before["response"]]}
    yield made
    gateway.http.event_hooks = before
    assert [each for each in made.answers if not made.document.describes(*each)] == []


async def test_headers_of_answers_to_a_bank(gateway: GatewayFixture, heard: Heard) -> None:
    """Verification, query, consents, changes, receipts: as asked, and refused in every way."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    body, wanted = verification_body(uscc, "is_active.v1"), query_body(uscc, "licence")
    consent_id = await gateway.grant(bank, uscc)
    key: dict[str, str | None] = {"Idempotency-Key": "headers-1"}
    await bank.send("/v1/verifications", body, headers=key)
    await bank.send("/v1/verifications", verification_body(uscc, "is_active.v1") | {"purpose": "x"})
    await bank.send("/v1/verifications", {**body, "purpose": "post_loan_management"}, headers=key)
    await bank.send("/v1/verifications", b"<x/>", headers={"Content-Type": "text/xml"})
    await bank.send("/v1/verifications", b"x", headers={"Content-Encoding": "gzip"})
    await bank.send("/v1/verifications", b" " * 70_000)
    await bank.send("/v1/verifications", body, headers={"DPoP": None})
    await bank.send("/v1/verifications", body, headers={"Authorization": None, "DPoP": None})
    await bank.send("/v1/verifications", body, scope="consents")
    await bank.send("/v1/verifications", body, headers={"Content-Digest": "md5=:x:"})
    await bank.send("/v1/queries", wanted)
    await bank.send("/v1/queries", {**wanted, "enterprise": {"uscc": gateway.uscc("disputed")}})
    asked = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval", "datasets": ["licence"]}
    made = await bank.send("/v1/consents", asked, scope="consents")
    await bank.send("/v1/consents", {**asked, "amends": "cst_none"}, scope="consents")
    own = f"/v1/consents/{made.json()['consent_id']}"
    for method, path, scope in (
        ("GET", "/v1/consents", "consents"),
        ("GET", own, "consents"),
        ("GET", f"/v1/consents/{consent_id}/record", "consents"),
        ("GET", f"{own}/symbol", "consents"),
        ("DELETE", own, "consents"),
        ("GET", "/v1/consents/cst_none", "consents"),
        ("GET", "/v1/changes?after=x", "changes"),
        ("GET", "/v1/changes", "changes"),
        ("GET", "/v1/receipts/dsc_none", "query"),
    ):
        await bank.send(path, b"", method=method, scope=scope)
    await bank.send("/v1/changes/ack", {"cursor": "0"}, scope="changes")
    await put_watch(bank, [UNKNOWN])
    for path, method in (
        ("/v1/watches", "GET"),
        ("/v1/watches/nightly", "GET"),
        ("/v1/watches/nightly", "DELETE"),
        ("/v1/watches/nightly", "DELETE"),
    ):
        await bank.send(path, b"", method=method)
    few = await gateway.client(quotas=Quotas(per_minute=1))
    for _ in range(2):
        await few.send("/v1/verifications", body)
    gateway.checked(await gateway.http.get("/v1/questions"))
    assert heard.statuses() >= {
        "verify 200", "verify 400", "verify 401", "verify 403", "verify 409", "verify 413",
        "verify 415", "verify 429", "query 200", "query 403", "request_consent 201",
        "request_consent 404", "list_consents 200", "get_consent 200", "get_consent 404",
        "get_consent_record 200", "give_up_consent 204", "list_changes 200", "list_changes 400",
        "acknowledge_changes 200", "get_receipt 404", "list_questions 200",
        "put_watch_list 200", "list_watches 200", "get_watch_list 200",
        "delete_watch_list 204", "delete_watch_list 404",
    }  # fmt: skip


async def test_headers_of_answers_to_a_department(gateway: GatewayFixture, heard: Heard) -> None:
    """Deliveries and uploads."""
    source, content = await make_department(gateway), b"x" * 100
    penalty = make_penalty(gateway, gateway.uscc("clean"), fine="-x")
    await call_as_source(source, "/v1/records", {"dataset": "penalty", "records": [penalty]})
    gateway.checked(await gateway.http.request("OPTIONS", UPLOADS))
    path = await create(source, content)
    await head(source, path)
    await patch(source, path, 0, content[:50])
    await patch(source, path, 0, content)
    await patch(source, path, 50, b"x" * 51)
    await patch(source, path, 50, b"x", Tus_Resumable="0.2.2")
    await patch(source, path, 50, b"x", Content_Type="text/csv")
    await patch(source, path, 50, b"x", Upload_Offset="x")
    await patch(source, path, 50, b"x", Upload_Checksum="sha1 eHg=")
    await source.send(f"{UPLOADS}/upl_none", b"", method="HEAD", scope=SCOPE)
    tus: dict[str, str | None] = {"Tus-Resumable": "1.0.0"}
    await source.send(path, b"", method="DELETE", scope=SCOPE, headers=tus)
    await source.send(path, b"", method="DELETE", scope=SCOPE, headers=tus)
    await call_as_source(source, UPLOADS, b"", headers=tus)
    for listed in (
        "jobs",
        "overdue",
        "actions",
        "repairs",
        "jobs/upl_none",
        "jobs/upl_none/rejects",
    ):
        await get(source, f"/v1/records/{listed}")
    await get(source, "/v1/objections")
    assert heard.statuses() >= {
        "deliver_records 200", "describe_uploads 204", "create_upload 201", "create_upload 400",
        "get_upload_offset 200", "get_upload_offset 412", "append_to_upload 204",
        "append_to_upload 400", "append_to_upload 409", "append_to_upload 412",
        "append_to_upload 413", "append_to_upload 415", "append_to_upload 460",
        "terminate_upload 204", "terminate_upload 404", "get_ingest_job 404",
    }  # fmt: skip


async def test_headers_of_answers_to_an_operator(gateway: GatewayFixture, heard: Heard) -> None:
    """The admin API."""
    operator = await make_operator(gateway)
    for path in (
        *("clients", "clients/demo-bank", "clients/none", "acts", "agreements/demo-bank"),
        *("agreements/demo-bank/proposals", "objections/due", "objections/due?format=csv"),
        *("repairs/due?format=csv", "objections/obj_none"),
    ):
        await operator.send(f"/v1/admin/{path}", b"", method="GET", scope="admin")
    assert {"list_clients 200", "get_client 404", "list_due_objections 200"} <= heard.statuses()


async def test_headers_of_answers_to_everybody(gateway: GatewayFixture, heard: Heard) -> None:
    """Metadata, the log, a code's page, the authorization server."""
    http, bank = gateway.http, await gateway.client()
    code = gateway.kit["subjects"][0]["code_url"].removeprefix(gateway.issuer)
    for path in (
        *("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"),
        *("/.well-known/jwks.json", "/log/checkpoint", "/log/events", "/log/events/none"),
        *(
            "/log/entries/000.p/1",
            "/log/tile/entries/000.p/1",
            "/log/tile/0/000.p/1",
            "/log/tile/0/9",
        ),
        *(code, "/E/none", "/oauth/authorize?client_id=x&request_uri=x"),
    ):
        await http.get(path)
    for path in (code, f"{code}?x=y", "/E/none"):
        await http.get(path, headers={"Accept": "application/json"})
    await bank.token()
    await token_refusals(bank)
    assert heard.statuses() >= {
        "get_jwks 200", "list_log_events 200", "get_log_event 404", "get_log_tile 404",
        "scan_code 200", "scan_code 303", "scan_code 404", "begin_authorization 400", "issue_token 200",
        "issue_token 400", "issue_token 401", "issue_token 415", "introspect_token 200",
        "revoke_token 200", "push_authorization_request 400",
    }  # fmt: skip


async def token_refusals(bank: Caller) -> None:
    """Calls of the authorization server, right and wrong."""
    http = bank.gateway.http
    form: dict[str, Any] = {**FORM, "grant_type": "client_credentials", "scope": "verify"}
    await http.post("/oauth/token", data=form)
    basic = {"Authorization": "Basic eDp4"}
    await http.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=basic)
    await http.post("/oauth/token", json=form)
    proof = await bank.proof("POST", "/oauth/token", None, nonce=None)
    await http.post("/oauth/token", data=form, headers={"DPoP": proof})
    for endpoint in ("introspect", "revoke", "par"):
        signed = {**FORM, "client_assertion": bank.assertion(), "token": "x"}
        await http.post(f"/oauth/{endpoint}", data=signed)
