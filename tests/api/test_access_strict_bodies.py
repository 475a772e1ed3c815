"""Strict JSON bodies at every endpoint: duplicate members, codings, NUL and dates."""

import gzip
import json
import secrets
from datetime import timedelta
from typing import Any, Final

import httpx2
import orjson
import pytest

from tests.client_builders import make_operator, make_registration
from tests.gateway_fixture import UNKNOWN, GatewayFixture, verification_body
from tests.records_builders import (
    PART,
    SCOPE,
    create,
    deliver,
    get,
    lines,
    make_act,
    make_department,
    make_penalty,
    upload,
    wait_for_job,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]

TWICE: Final = b'{"operator":"a","operator":"b"}'
DAYS: Final = (
    "0",
    "1704067200",
    1704067200,
    "2024-1-1",
    "20240101",
    "2024-W01-1",
    "２０２４-01-01",
)
OF_FILES: Final = {"2024-1-1", "20240101", "２０２４-01-01"}
"""Taken in a delivered record, as departments' systems write days."""
TIMES: Final = (
    *DAYS,
    "2027-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01 00:00:00Z",
    "2027-01-01T00:00:60Z",
)


def assert_invalid(answer: httpx2.Response, *words: str) -> None:
    """Assert 400 `invalid_request` with this detail."""
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert all(word in answer.json()["detail"] for word in words), answer.text


async def test_no_endpoint_takes_a_member_twice(gateway: GatewayFixture) -> None:
    """Every operation that reads JSON by its description, for each kind of caller."""
    bank, source, operator = (
        await gateway.client(), await make_department(gateway), await make_operator(gateway),
    )  # fmt: skip
    authority = await gateway.client("source", datasets=frozenset({"registration"}))
    described = gateway.app.openapi()["paths"]
    reading = [
        (path, method)
        for path, operations in described.items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert len(reading) >= 14
    for path, method in reading:
        caller, scope = next(
            found
            for prefix, found in (
                ("/v1/admin", (operator, "admin")),
                ("/v1/records", (source, SCOPE)),
                ("/v1/objections", (source, SCOPE)),
                ("/v1/consents", (bank, "consents")),
                ("/v1/changes", (bank, "changes")),
                ("/v1/enterprise-codes", (authority, "codes")),
                ("/v1/", (bank, "query verify")),
            )
            if path.startswith(prefix)
        )
        own = path.replace("{act}", "suspend").replace("{objection_id}", f"obj_{'a' * 26}")
        own = own.replace("{application_id}", f"rep_{'a' * 26}")
        own = own.replace("{action_id}", f"act_{'a' * 26}")
        own = own.replace("{case_id}", f"crc_{'a' * 26}").replace("{code_id}", "A" * 26)
        own = own.replace("{disclosure_id}", f"dsc_{'a' * 26}")
        own = own.replace("/watches/{name}", "/watches/nightly")
        own = own.replace("{client_id}", bank.client_id).replace("{proposal_id}", "prp_x")
        answer = await caller.send(own, TWICE, method=method.upper(), scope=scope)
        assert_invalid(answer, "names a member twice")


async def test_a_member_twice_in_a_member_or_a_row_is_found_too(gateway: GatewayFixture) -> None:
    """Nested, escaped, in rows that the catalogue validates, in a key set."""
    bank, source, operator = (
        await gateway.client(), await make_department(gateway), await make_operator(gateway),
    )  # fmt: skip
    body = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    for again in (b'"uscc":"x",', b'"us\\u0063c":"x",'):
        answer = await bank.send(
            "/v1/verifications", body.replace(b'{"uscc"', b"{" + again + b'"uscc"')
        )
        assert_invalid(answer, "twice")
    rows = orjson.dumps(
        {"dataset": "penalty", "records": [make_penalty(gateway, gateway.uscc("clean"))]}
    )
    twice = rows.replace(b'"fine":', b'"fine":"0","fine":', 1)
    assert_invalid(await source.send("/v1/records", twice, scope=SCOPE), "twice")
    client = {"client_id": f"bank-{secrets.token_hex(4)}", "registration": make_registration()}
    keys = orjson.dumps(client).replace(b'"kty":', b'"kty":"RSA","kty":', 1)
    assert_invalid(await operator.send("/v1/admin/clients", keys, scope="admin"), "twice")


async def test_a_line_of_a_file_with_a_member_twice_is_a_rejected_row(
    gateway: GatewayFixture,
) -> None:
    """The other rows are taken; the result names row and reason."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    good, bad, odd = (make_penalty(gateway, uscc) for _ in "123")
    spoilt = lines(bad).replace(b'"fine":', b'"fine":"1","fine":')
    large = lines(odd).replace(b'"fine":', b'"more":36893488147419103232,"fine":')
    job = await wait_for_job(
        source, await upload(source, lines(good) + spoilt + large + lines(odd))
    )
    assert (job["created"], job["rejected"]) == (2, 2)
    listed = await get(source, f"/v1/records/jobs/{job['job_id']}/rejects")
    assert "2,?,an object names a member twice" in listed.text
    assert "3,?,an integer is beyond 64 bits" in listed.text


async def test_authorization_details_have_one_reading(gateway: GatewayFixture) -> None:
    """`invalid_authorization_details` with the reason."""
    bank = await gateway.client()
    asked = {"type": "credit_data", "purpose": "loan_approval", "datasets": ["registration"]}
    right = json.dumps([asked])
    for details, said in (
        (right.replace('"purpose"', '"purpose": "tender", "purpose"'), "twice"),
        (right.replace('"datasets"', '"max_uses": 1, "max\\u005fuses": 2, "datasets"'), "twice"),
        (right.replace('"datasets"', '"max_uses": 1e400, "datasets"'), "not JSON"),
        (right.replace("loan_approval", "loan\\u0000approval"), "U+0000"),
        *((json.dumps([asked | {"valid_until": each}]), "") for each in TIMES),
    ):
        form = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": bank.assertion(),
            "response_type": "code",
            "redirect_uri": "https://bank.test/callback",
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
            "authorization_details": details,
        }
        answer = await gateway.http.post("/oauth/par", data=form)
        assert (answer.status_code, answer.json()["error"]) == (
            400,
            "invalid_authorization_details",
        )
        assert said in answer.json()["error_description"], answer.text


async def test_a_body_is_sent_as_it_is(gateway: GatewayFixture) -> None:
    """415 for every Content-Encoding but `identity`, also at /oauth and for upload parts."""
    bank, source = await gateway.client(), await make_department(gateway)
    body = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    for coding in ("gzip", "br", "x-unknown", "identity, gzip", "GZIP", "aes128gcm", "gzip;q=1"):
        sent = gzip.compress(body) if coding == "gzip" else body
        answer = await bank.send("/v1/verifications", sent, headers={"Content-Encoding": coding})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (
            coding
        )
        assert answer.headers["accept-encoding"] == "identity"
    for coding in ("identity", "Identity", ""):
        answer = await bank.send("/v1/verifications", body, headers={"Content-Encoding": coding})
        assert answer.status_code == 200
    packed = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    form = b"grant_type=client_credentials"
    refused = await gateway.http.post("/oauth/token", content=form, headers=packed)
    assert (refused.status_code, refused.json()["error"]) == (415, "invalid_request")
    assert refused.headers["accept-encoding"] == "identity"
    content = lines(make_penalty(gateway, gateway.uscc("clean")))
    part = {
        "Tus-Resumable": "1.0.0", "Content-Type": PART, "Upload-Offset": "0", "Content-Encoding": "gzip",
    }  # fmt: skip
    refused = await source.send(
        await create(source, content), content, method="PATCH", scope=SCOPE, headers=part
    )
    assert (refused.status_code, refused.headers["accept-encoding"]) == (415, "identity")


async def test_the_text_of_an_escape_is_no_nul(gateway: GatewayFixture) -> None:
    """A backslash followed by `u0000` is accepted; the character U+0000 is refused."""
    bank = await gateway.client()
    value = ("enterprise_name.v1", "甲\\u0000公司")
    assert (await bank.verify(UNKNOWN, value)).status_code == 200
    assert_invalid(await bank.verify(UNKNOWN, ("enterprise_name.v1", "甲\0公司")), "U+0000")
    assert_invalid(await bank.verify(UNKNOWN, ("enterprise_name.v1", "甲\\\0公司")), "U+0000")


async def test_days_and_times_are_texts_of_rfc_3339(gateway: GatewayFixture) -> None:
    """In queries, consents, record acts, objection decisions and agreements."""
    bank, source, operator = (
        await gateway.client(), await make_department(gateway), await make_operator(gateway),
    )  # fmt: skip
    uscc = gateway.uscc("clean")
    record = make_penalty(gateway, uscc)
    assert (await deliver(source, "penalty", record))[0]["outcome"] == "created"
    signed = {"name": "王芳", "role": "处长", "signed_on": "2026-01-01"}
    terms: dict[str, Any] = {
        "purposes": ["tender"],
        "datasets": ["registration"],
        "valid_from": "2026-01-01T00:00:00+08:00",
        "valid_until": (gateway.clock() + timedelta(days=300)).isoformat(),
        "signatures": {"operator": signed, "client": signed},
    }
    proposals = f"/v1/admin/agreements/{bank.client_id}/proposals"
    objection = f"/v1/objections/obj_{'a' * 26}/extension"
    for day in DAYS:
        for name in ("decided_from", "decided_to"):
            assert_invalid(await bank.query(uscc, "penalty", filter={name: day}), name)
        act = make_act(record, "withdraw") | {"decided_on": day}
        assert_invalid(await source.send("/v1/records/actions", act, scope=SCOPE), "decided_on")
        extension = {"reason": "还需要时间核实。", "until": day}
        assert_invalid(await source.send(objection, extension, scope=SCOPE), "until")
        listing = f"/v1/objections?due={day}"
        assert_invalid(await source.send(listing, b"", method="GET", scope=SCOPE), "due")
        theirs = {"operator": signed | {"signed_on": day}, "client": signed}
        proposal = {"agreement": terms | {"signatures": theirs}}
        assert_invalid(await operator.send(proposals, proposal, scope="admin"), "signed_on")
        delivered = await source.send(
            "/v1/records",
            {"dataset": "penalty", "records": [record | {"decided_on": day}]},
            scope=SCOPE,
        )
        is_refused = delivered.json()["results"][0]["outcome"] == "rejected"
        assert is_refused == (day not in OF_FILES), day
    for time in TIMES:
        wanted = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval", "datasets": ["penalty"]}
        answer = await bank.send("/v1/consents", wanted | {"valid_until": time}, scope="consents")
        assert_invalid(answer, "valid_until")
        for name in ("valid_from", "valid_until"):
            proposal = {"agreement": terms | {name: time}}
            assert_invalid(await operator.send(proposals, proposal, scope="admin"), name)
        acts = f"/v1/admin/acts?before={time}"
        assert_invalid(await operator.send(acts, b"", method="GET", scope="admin"), "before")
        delivered = await source.send(
            "/v1/records",
            {"dataset": "penalty", "records": [record | {"source_time": time}]},
            scope=SCOPE,
        )
        assert delivered.json()["results"][0]["outcome"] == "rejected"
    assert (await operator.send(proposals, {"agreement": terms}, scope="admin")).status_code == 201
