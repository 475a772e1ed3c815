"""HEAD requests: answered as GET without content, and not allowed where GET has an effect or waits."""

import socket
from collections.abc import Iterator

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from gateway.limits.quotas import Quotas
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

OF_ONE_ANSWER = {"x-request-id", "signature", "signature-input", "content-digest", "dpop-nonce"}
GET_ONLY = {
    "/R/{number}",
    "/R/{number}/report.json",
    "/R/{number}/report.pdf",
    "/v1/verifications/jobs/{job_id}/result",
    "/oauth/authorize",
    "/oauth/resume",
    "/portal/sign-in",
    "/portal/sign-in/return",
    "/portal/decide/{interaction_id}",
    "/S/{token:path}",
    "/s/{token:path}",
}
# It tells how much has been asked so far; the form has a new token each time.
MOVING = {"/metrics", "/E/report"}


def addresses(gateway: GatewayFixture) -> Iterator[tuple[str, str]]:
    """Every GET route, as its template and with values in place of parameters."""
    for route in iter_route_contexts(gateway.app.router.routes):
        if route.path and "GET" in (route.methods or ()):
            filled = route.path.replace(":path", "")
            for name in ("uscc", "verb"):
                filled = filled.replace(f"{{{name}}}", "withdraw")
            parts = ["x" if part.startswith("{") else part for part in filled.split("/")]
            yield route.path, "/".join(parts)


def comparable_parts(answer: httpx2.Response) -> tuple[int, dict[str, str]]:
    """Status and headers, without those that differ in every answer."""
    headers = {n: v for n, v in answer.headers.items() if n not in OF_ONE_ANSWER}
    return answer.status_code, headers


async def test_every_address_that_takes_get_takes_head_or_says_that_it_does_not(
    gateway: GatewayFixture,
) -> None:
    """The same status and headers as GET, Content-Length included, or 405."""
    seen = set()
    for path, address in addresses(gateway):
        head = await gateway.http.head(address)
        assert head.content == b"", path
        if path in GET_ONLY:
            assert head.status_code == 405, path
            assert head.headers["allow"] in {"GET", "GET, POST"}, path
            seen.add(path)
            continue
        get = await gateway.http.get(address)
        expected, found = comparable_parts(get), comparable_parts(head)
        if path in MOVING:
            found[1].update(
                {n: expected[1][n] for n in ("content-length", "etag") if n in expected[1]}
            )
        assert found == expected, path
    assert seen == GET_ONLY


async def test_a_head_is_proven_counted_and_signed_as_what_it_is(gateway: GatewayFixture) -> None:
    """Its proof is for HEAD, it counts towards the limits, and its signature covers HEAD."""
    bank = await gateway.client(quotas=Quotas(per_minute=6))
    get = await bank.send("/v1/consents", b"", method="GET", scope="consents")
    head = await bank.send("/v1/consents", b"", method="HEAD", scope="consents")
    after = await bank.send("/v1/consents", b"", method="GET", scope="consents")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["content-type"] == "application/json"
    assert remaining(get) - 1 == remaining(head) == remaining(after) + 1
    proof = await bank.proof("GET", "/v1/consents", await bank.token("consents"))
    other = await bank.send(
        "/v1/consents", b"", method="HEAD", scope="consents", headers={"DPoP": proof}
    )
    assert (other.status_code, other.content) == (401, b"")
    assert 'error="invalid_dpop_proof"' in other.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/v1/changes", "/v1/consents/cst_none"])
async def test_a_head_does_not_wait(gateway: GatewayFixture, path: str) -> None:
    """Long polls wait on GET only."""
    bank = await gateway.client()
    scope = "changes" if path == "/v1/changes" else "consents"
    held = await bank.send(f"{path}?wait=30", b"", method="HEAD", scope=scope)
    assert held.status_code == 405
    assert "HEAD" not in held.headers["allow"].split(", ")
    for asked in (path, f"{path}?wait=0"):
        free = await bank.send(asked, b"", method="HEAD", scope=scope)
        get = await bank.send(asked, b"", method="GET", scope=scope)
        assert free.status_code == get.status_code


async def test_a_head_where_get_has_an_effect_leaves_nothing(gateway: GatewayFixture) -> None:
    """No interaction is opened, no sign-in begins, no cookie is set."""
    before = await gateway.rows("SELECT count(*) FROM interaction")
    for path in ("/oauth/authorize?client_id=x&request_uri=y", "/portal/sign-in"):
        answer = await gateway.http.head(path)
        assert answer.status_code == 405
        assert "set-cookie" not in answer.headers
    assert await gateway.rows("SELECT count(*) FROM interaction") == before


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("HEAD", "/v1/verifications", "POST"),
        ("POST", "/v1/questions", "GET, HEAD"),
        ("PUT", "/oauth/authorize", "GET"),
        ("DELETE", "/v1/records/uploads", "POST, OPTIONS"),
        ("GET", "/v1/records/uploads/x", "HEAD, PATCH, DELETE"),
        ("HEAD", "/oauth/token", "POST"),
        ("POST", "/docs/static/swagger-ui.css", "GET, HEAD"),
        ("PUT", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_every_405_says_what_is_allowed(
    gateway: GatewayFixture, method: str, path: str, allow: str
) -> None:
    """RFC 9110 §15.5.6: `Allow` lists the methods, HEAD included."""
    answer = await gateway.http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


async def test_over_a_socket_nothing_follows_the_header_of_a_head(served: GatewayFixture) -> None:
    """The next answer on the connection starts directly after the header."""
    request = "{} /v1/questions HTTP/1.1\r\nHost: credit.test\r\nConnection: {}\r\n\r\n"
    with socket.create_connection(served.listening.getsockname(), timeout=20) as connection:
        connection.sendall(request.format("HEAD", "keep-alive").encode())
        connection.sendall(request.format("GET", "close").encode())
        data = b"".join(iter(lambda: connection.recv(65_536), b""))
    first, second, content = data.split(b"\r\n\r\n", 2)
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")
    length = f"content-length: {len(content)}".encode()
    assert length in first.lower()
    assert length in second.lower()


def remaining(answer: httpx2.Response) -> int:
    """Remaining calls of the client's first limit."""
    limits = dict(
        part.split("=") for part in answer.headers["ratelimit"].split(",")[0].split(";")[1:]
    )
    return int(limits["r"])


async def test_a_receipts_head_is_that_clients_alone(gateway: GatewayFixture) -> None:
    """HEAD of another client's consent is 404."""
    bank, other = await gateway.client(), await gateway.client()
    path = f"/v1/consents/{await consent_of(bank)}"
    mine = await bank.send(path, b"", method="HEAD", scope="consents")
    theirs = await other.send(path, b"", method="HEAD", scope="consents")
    assert (mine.status_code, theirs.status_code) == (200, 404)


async def consent_of(bank: Caller) -> str:
    """Id of a consent that this client requested."""
    body = {
        "enterprise": {"uscc": bank.gateway.uscc("clean")},
        "purpose": "loan_approval",
        "datasets": ["registration"],
    }
    answer = await bank.send("/v1/consents", body, scope="consents")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["consent_id"])
