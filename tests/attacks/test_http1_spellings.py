"""Non-canonical paths: refused before routing, in the error format of their endpoint."""

import httpx2
import pytest

from tests.gateway_fixture import GatewayFixture, verification_body

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


async def answer_at(
    gateway: GatewayFixture, method: str, path: str, **more: object
) -> httpx2.Response:
    """Answer to a path sent unchanged."""
    url = httpx2.URL(gateway.issuer).copy_with(raw_path=path.encode())
    request = httpx2.Request(method, url, **more)  # type: ignore[arg-type]  # httpx2's own
    assert request.url.raw_path == path.encode()
    return await gateway.http.send(request)


@pytest.mark.parametrize(
    "path",
    ["/v1/verifications%0a", "/v1/verification%73", "/%761/verifications", "/v1//verifications",
     "/v1/%2e/verifications", "/v1/verifications%00", "/v1/receipts/%ff"],
)  # fmt: skip
async def test_a_call_under_another_spelling_is_a_signed_400(
    gateway: GatewayFixture, path: str
) -> None:
    """400; it is neither answered nor counted under another route."""
    bank = await gateway.client()
    body = verification_body(gateway.uscc("clean"), "is_active.v1")
    for method in ("POST", "GET", "HEAD", "OPTIONS"):
        answer = gateway.checked(await answer_at(gateway, method, path, json=body, headers=BROWSER))
        assert answer.status_code == 400
        if method != "HEAD":
            assert answer.json()["code"] == "invalid_request"
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert await gateway.log_of(bank) == []


@pytest.mark.parametrize(
    "path", ["/oauth/token%0a", "/oauth/%74oken", "/oauth//token", "/%6fauth/par"]
)
async def test_at_the_authorization_server_it_is_an_oauth_error(
    gateway: GatewayFixture, path: str
) -> None:
    """RFC 6749 §5.2; browser endpoints answer with a page."""
    answer = await answer_at(gateway, "POST", path, data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["cache-control"] == "no-store"
    page = await answer_at(gateway, "GET", path, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["/portal%0a", "/p%6frtal", "/portal/.%2e/portal", "/E/%41BC", "/E/A%0d", "/e/A%C2%85"]
)
async def test_a_person_gets_a_page(gateway: GatewayFixture, path: str) -> None:
    """In both languages with the usual headers; API clients get a problem."""
    page = await answer_at(gateway, "GET", path, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "网址不正确" in page.text
    assert "content-security-policy" in page.headers
    told = await answer_at(gateway, "GET", path, headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/log/checkpoint", "/docs"])
@pytest.mark.parametrize(
    "after", ["%0a", "%0d", "%00", "/", "//", "/%2e", "%2f", "%5c", "%20", "%3f"]
)
async def test_nothing_is_served_at_an_address_with_something_after_it(
    gateway: GatewayFixture, path: str, after: str
) -> None:
    """Rules that match addresses by text would not apply."""
    assert (await answer_at(gateway, "GET", path + after)).status_code in {400, 404}


@pytest.mark.parametrize(
    "path",
    ["/log/tile/%30/000", "/log/tile/0/%30%30%30", "/log/tile/0/x001%2F067", "/log%2ftile/0/000",
     "/log/tile/0/000%2Ep/1", "/log/tile/entries/00%30", "/log/tile/0/000%0a", "/log/tile//0/000",
     "/log/tile/0/000/", "/log/tile/0/%2e/000", "/log/%63heckpoint"],
)  # fmt: skip
async def test_a_tile_has_no_second_address(gateway: GatewayFixture, path: str) -> None:
    """A cache would store it twice."""
    answer = await answer_at(gateway, "GET", path)
    assert answer.status_code in {400, 404}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/v1%2Fverifications", "/oauth%2ftoken", "/portal%2f%2fevil.example", "/E%2FABC"]
)
async def test_an_encoded_slash_parts_no_segments(gateway: GatewayFixture, path: str) -> None:
    """RFC 3986 §2.2: it is data, and no route has such data."""
    for headers in ({}, BROWSER):
        answer = await answer_at(gateway, "GET", path, headers=headers)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "code_id", ["%E4%BC%81%E4%B8%9A", "%e4%bc%81", "A%20", "A%20%20", "A%E3%80%80", "A%C2%A0", "A+"]
)
async def test_texts_and_blanks_reach_routing(gateway: GatewayFixture, code_id: str) -> None:
    """The code page answers 404 itself."""
    answer = await answer_at(gateway, "GET", f"/E/{code_id}")
    assert answer.status_code == 404
    assert "这不是企业码" in answer.text


async def test_a_nul_in_a_query_is_refused(gateway: GatewayFixture) -> None:
    """PostgreSQL text has no NUL."""
    answer = gateway.checked(await answer_at(gateway, "GET", "/v1/questions?x=%00"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
