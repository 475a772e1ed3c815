"""Response signatures verified by the npm package `http-message-signatures`."""

import asyncio
import base64
import hashlib
import json
from typing import Any

import httpx2
import orjson
import pytest
from jwt.algorithms import ECAlgorithm

from tests.gateway_fixture import UNKNOWN, GatewayFixture, verification_body
from tests.node.programs import Node, Program
from tests.raw_calls import Line, raw_call

pytestmark = pytest.mark.asyncio(loop_scope="session")


def exchange_of(response: httpx2.Response) -> dict[str, Any]:
    """Request and answer in the program's format; repeated fields as lists."""
    request = response.request
    lines: dict[str, list[str]] = {}
    for name, value in request.headers.multi_items():
        lines.setdefault(name, []).append(value)
    return {
        "request": {"method": request.method, "url": str(request.url), "headers": lines},
        "answer": {"status": response.status_code, "headers": dict(response.headers)},
    }


async def test_an_implementation_in_javascript_verifies_answers_and_refusals(
    served: GatewayFixture, node: Node
) -> None:
    """Raw targets, digests in several lines, refusals without a digest."""
    body = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    short, long = (
        f"{label}=:{base64.b64encode(hashlib.new(name, body).digest()).decode()}:"
        for label, name in (("sha-256", "sha256"), ("sha-512", "sha512"))
    )
    caller, path = await served.client(), "/v1/verifications"
    token = await caller.token()

    async def sent(*digests: str) -> httpx2.Response:
        first = await asyncio.to_thread(
            raw_call, served.issuer, "POST", path, [*(await caller.headers("POST", path)).items()]
        )
        proof = await caller.proof("POST", path, token, nonce=first.headers["dpop-nonce"])
        lines: list[Line] = [
            ("Authorization", f"DPoP {token}"),
            ("DPoP", proof),
            ("Content-Type", "application/json"),
            *(("Content-Digest", digest) for digest in digests),
        ]
        return await asyncio.to_thread(raw_call, served.issuer, "POST", path, lines, body)

    async def got(target: str, *lines: Line) -> httpx2.Response:
        return await asyncio.to_thread(raw_call, served.issuer, "GET", target, list(lines))

    answers = [
        (await sent(short, f"\t{long} "), 200, True),
        (await sent(f"{long},{short}"), 200, True),
        (await sent(), 200, False),
        (await sent("md5=:AAAA:"), 400, False),
        (await got("/v1/questions?"), 200, False),
        (await got("/v1/questions?a=%E4%b8%AD&B"), 400, False),
        (await got(f"{served.issuer}/v1/nothing?"), 404, False),
        (await got("/v1/questions", ("Content-Digest", "junk")), 400, False),
    ]
    ask = {
        "keys": served.runtime.keys.published()["keys"],
        "exchanges": [exchange_of(response) for response, _, _ in answers],
    }
    async with Program.running(node, "signatures.mjs", json.loads(json.dumps(ask))) as program:
        for response, status, covered in answers:
            said = await program.says()
            assert response.status_code == status, response.text
            assert said["holds"] is True, (said, str(response.request.url))
            assert ('"content-digest";req' in said["covers"]) == covered


async def test_a_request_signed_in_javascript_is_answered(
    served: GatewayFixture, node: Node
) -> None:
    """By `http-message-signatures` of npm, with `expires`, under an agreement that requires it."""
    caller, path = await served.client(requires_signed_requests=True), "/v1/verifications"
    body = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    first = await asyncio.to_thread(
        raw_call, served.issuer, "POST", path, [*(await caller.headers("POST", path)).items()]
    )
    headers = await caller.headers("POST", path, body)
    headers["DPoP"] = await caller.proof(
        "POST", path, await caller.token(), nonce=first.headers["dpop-nonce"], jti="once-in-js"
    )
    ask = {
        "key": {**ECAlgorithm.to_jwk(caller.key, as_dict=True), "kid": "k1"},
        "request": {"method": "POST", "url": served.issuer + path, "headers": headers},
        "fields": ["@method", "@target-uri", "content-type", "content-digest"],
        "nonce": "once-in-js",
    }
    async with Program.running(node, "sign-request.mjs", ask) as program:
        signed = await program.says()
    answer = await asyncio.to_thread(raw_call, served.issuer, "POST", path, [*signed.items()], body)
    assert answer.status_code == 200, (answer.text, signed)
    assert '"signature";req;key="bank"' in answer.headers["signature-input"]
