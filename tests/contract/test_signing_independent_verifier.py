"""Response signatures verified by `http-message-signatures`, an independent implementation."""

import asyncio
import base64
import hashlib
from typing import Any

import httpx2
import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, query_body, verification_body
from tests.raw_calls import raw_call

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUEST = {'"@method";req', '"@target-uri";req'}
ANSWER = {'"@status"', '"content-type"', '"content-digest"'}


class PublishedKeys(HTTPSignatureKeyResolver):
    """The keys published by the gateway."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self._keys = {key["kid"]: key["x"] for key in keys if key["xinqiao_use"] == "response"}

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        """The key of this id."""
        raw = base64.urlsafe_b64decode(self._keys[key_id] + "=")
        return Ed25519PublicKey.from_public_bytes(raw)


async def verified(http: httpx2.AsyncClient, response: httpx2.Response) -> set[str]:
    """Covered components of a verified signature."""
    published = (await http.get("/.well-known/jwks.json")).json()["keys"]
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ED25519, key_resolver=PublishedKeys(published)
    )
    (result,) = verifier.verify(response, expect_tag="xinqiao-response")
    assert result.label == "xinqiao"
    digest = base64.b64encode(hashlib.sha256(response.content).digest()).decode()
    assert response.headers["content-digest"] == f"sha-256=:{digest}:"
    return {str(name) for name in result.covered_components} - {'"@signature-params"'}


async def call(
    http: httpx2.AsyncClient, caller: Caller, path: str, body: dict[str, Any]
) -> httpx2.Response:
    """An authorised call over the socket, with the listening worker's nonce."""
    raw = orjson.dumps(body)
    headers = await caller.headers("POST", path, raw)
    refused = await http.post(path, content=raw, headers=headers)
    headers["DPoP"] = await caller.proof(
        "POST", path, await caller.token(), nonce=refused.headers["dpop-nonce"]
    )
    return await http.post(path, content=raw, headers=headers)


async def test_answers_and_refusals_are_signed_and_bound_to_their_requests(
    served: GatewayFixture,
) -> None:
    """An answer, a refusal, a challenge, 404, 405, the catalogue."""
    caller, uscc = await served.client(), served.uscc("clean")
    with_body = REQUEST | ANSWER | {'"content-digest";req'}
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        told = await call(
            http, caller, "/v1/verifications", verification_body(uscc, "is_active.v1")
        )
        refused = await call(http, caller, "/v1/queries", query_body(UNKNOWN))
        assert (told.status_code, refused.status_code) == (200, 403)
        for response in (told, refused):
            assert await verified(http, response) == with_body
        for method, path, status in (
            ("GET", "/v1/questions", 200),
            ("GET", "/v1/nothing?a=%E4%B8%AD&b", 404),
            ("GET", "/v1/questions?", 200),
            ("GET", "/v1/questions??", 400),
            ("GET", "/v1/queries", 405),
            ("POST", "/v1/queries", 401),
        ):
            response = await http.request(method, path)
            assert response.status_code == status
            assert await verified(http, response) == REQUEST | ANSWER
        head = await http.head("/v1/questions")
        assert await verified(http, head) == REQUEST | ANSWER - {'"content-type"'}


async def test_a_codes_page_as_json_is_signed_with_the_published_keys(
    served: GatewayFixture,
) -> None:
    """Of a valid code and of an unknown one, with every coding refused or offered."""
    path = str(served.kit["subjects"][0]["code_url"]).removeprefix(served.issuer)
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        for asked, status in ((path, 200), (f"/E/{'A' * 26}", 404)):
            for codings in ("br, gzip", "identity"):
                headers = {"Accept": "application/json", "Accept-Encoding": codings}
                answer = await http.get(asked, headers=headers)
                assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
                assert "content-encoding" not in answer.headers
                assert await verified(http, answer) == REQUEST | ANSWER
        page = await http.get(path, headers={"Accept": "text/html"})
        assert "signature" not in page.headers


@pytest.mark.parametrize("what", ["status", "target", "method", "digest", "type"])
async def test_a_signature_holds_for_nothing_else(served: GatewayFixture, what: str) -> None:
    """Another status, URL, method, digest or type."""
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        response = await http.get("/v1/questions")
        assert await verified(http, response)
        request = response.request
        if what == "status":
            response.status_code = 201
        elif what == "target":
            response.request = httpx2.Request("GET", f"{served.issuer}/v1/questionz")
        elif what == "method":
            response.request = httpx2.Request("HEAD", request.url)
        elif what == "digest":
            response.headers["content-digest"] = "sha-256=:AAAA:"
        else:
            response.headers["content-type"] = "text/html"
        with pytest.raises((HTTPMessageSignaturesException, InvalidSignature, AssertionError)):
            await verified(http, response)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/questions?",
        "/v1/questions??",
        "/v1/questions?a",
        "/v1/questions?&",
        "/v1/questions?%E4%b8%AD=%2F&A=b;c:d@e/f?g",
        "/v1/questions?a=/../b//",
        "/v1/nothing/%E4%b8%AD",
        "/v1/nothing/",
        "/v1/nothing~:@!$&'()*+,;=?",
        "ISSUER/v1/questions",
        "ISSUER/v1/questions?",
        "ISSUER/v1/questions?A=%e4",
    ],
)
async def test_the_target_is_signed_to_the_byte_as_it_was_sent(
    served: GatewayFixture, target: str
) -> None:
    """RFC 9421 §2.2.2: empty query, percent-encoding case, absolute form."""
    sent = target.replace("ISSUER", served.issuer)
    response = await asyncio.to_thread(raw_call, served.issuer, "GET", sent, [])
    assert response.status_code in {200, 400, 404}
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        assert await verified(http, response) == REQUEST | ANSWER


@pytest.mark.parametrize(
    "lines",
    [
        ["{short}"],
        ["{long}"],
        ["{short}, {long}"],
        ["{short}", "{long}"],
        ["  {long} \t", "\t {short} "],
        ["{short} ,\t{long}"],
        ["{short}", "{short}"],
    ],
)
async def test_a_digest_is_signed_as_its_lines_combine(
    served: GatewayFixture, lines: list[str]
) -> None:
    """RFC 9421 §2.1: lines stripped and joined by comma and space."""
    caller, path = await served.client(), "/v1/verifications"
    body = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    known = {
        name: f"{label}=:{base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}:"
        for name, label, algorithm in (
            ("short", "sha-256", "sha256"),
            ("long", "sha-512", "sha512"),
        )
    }
    token = await caller.token()
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        refused = await http.post(path, headers=await caller.headers("POST", path))
        proof = await caller.proof("POST", path, token, nonce=refused.headers["dpop-nonce"])
        fields = [
            ("Authorization", f"DPoP {token}"),
            ("DPoP", proof),
            ("Content-Type", "application/json"),
            *(("Content-Digest", line.format(**known)) for line in lines),
        ]
        response = await asyncio.to_thread(raw_call, served.issuer, "POST", path, fields, body)
        assert response.status_code == 200, response.text
        assert await verified(http, response) == REQUEST | ANSWER | {'"content-digest";req'}


async def test_an_unverified_digest_is_not_signed(served: GatewayFixture) -> None:
    """Bodies that were refused or not read are not covered."""
    body = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        for method, fields, status in (
            ("POST", [("Content-Digest", f"sha-256=:{digest}:")], 401),
            ("GET", [("Content-Digest", "md5=:AAAA:")], 400),
            ("GET", [("Content-Digest", "junk"), ("Content-Digest", "")], 400),
        ):
            path = "/v1/verifications" if method == "POST" else "/v1/questions"
            sent = body if method == "POST" else b""
            response = await asyncio.to_thread(raw_call, served.issuer, method, path, fields, sent)
            assert response.status_code == status
            assert await verified(http, response) == REQUEST | ANSWER
