"""Content-Digest (RFC 9530) at every endpoint: verified, and covered by the signature only then."""

import base64
import hashlib
from typing import Final

import httpx2
import orjson
import pytest

from tests.gateway_fixture import Caller, GatewayFixture, verification_body
from tests.records_builders import (
    PART,
    SCOPE,
    UPLOADS,
    create,
    lines,
    make_department,
    make_penalty,
    upload_headers,
)
from xinqiao._core.signatures.exchange import sha256_digest

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]

COVERED: Final = '"content-digest";req'
EMPTY: Final = sha256_digest(b"")


def sha512_digest(body: bytes) -> str:
    """A sha-512 digest member."""
    return f"sha-512=:{base64.b64encode(hashlib.sha512(body).digest()).decode()}:"


def covers_digest(answer: httpx2.Response) -> bool:
    """True if the answer's signature covers the request's digest."""
    return COVERED in answer.headers["signature-input"]


def assert_mismatch(answer: httpx2.Response) -> None:
    """Assert a signed refusal that names both algorithms and does not cover the digest."""
    assert (answer.status_code, answer.json()["code"]) == (400, "digest_mismatch"), answer.text
    assert "sha-256" in answer.json()["detail"]
    assert "sha-512" in answer.json()["detail"]
    assert not covers_digest(answer)


async def asked(bank: Caller, body: bytes, digests: list[str]) -> httpx2.Response:
    """A verification with these Content-Digest lines."""
    headers = await bank.headers("POST", "/v1/verifications", body)
    del headers["Content-Digest"]
    own = [*headers.items(), *(("Content-Digest", each) for each in digests)]
    return bank.gateway.checked(
        await bank.gateway.http.post("/v1/verifications", content=body, headers=own)
    )


async def test_only_what_was_compared_is_signed(gateway: GatewayFixture) -> None:
    """sha-256, sha-512, both, or in two lines are covered as sent; another algorithm is refused."""
    bank = await gateway.client()
    body = orjson.dumps(verification_body(gateway.uscc("clean"), "is_active.v1"))
    right, long = sha256_digest(body), sha512_digest(body)
    for digests in ([right], [long], [f"{right}, {long}"], [f"{long} ", f"\t{right}"]):
        answer = await asked(bank, body, digests)
        assert answer.status_code == 200
        assert covers_digest(answer)
    for wrong in (
        sha512_digest(b"another"),
        f"{right}, {sha512_digest(b'another')}",
        "md5=:AAAA:",
        f"{right}, md5=:AAAA:",
        "junk",
        "",
        f"{right};q=1",
        f"{right},",
    ):
        assert_mismatch(await asked(bank, body, [wrong]))
    assert not covers_digest(await asked(bank, body, []))


async def test_a_digest_is_checked_where_no_body_is_read(gateway: GatewayFixture) -> None:
    """GET and DELETE: the digest of the empty or the sent body; the signature leaves it out."""
    bank = await gateway.client()
    for method, path in (
        ("GET", "/v1/questions"),
        ("GET", "/v1/consents"),
        ("DELETE", "/v1/consents/cst_none"),
    ):
        for digest in (sha256_digest(b"x"), "md5=:AAAA:", ""):
            answer = await bank.send(
                path, b"", method=method, scope="consents", headers={"Content-Digest": digest}
            )
            assert_mismatch(answer)
        right = {"Content-Digest": EMPTY}
        answer = await bank.send(path, b"", method=method, scope="consents", headers=right)
        assert answer.status_code in {200, 404}
        assert not covers_digest(answer)
    with_body = await bank.send("/v1/consents", b"{}", method="GET", scope="consents")
    assert (with_body.status_code, covers_digest(with_body)) == (200, True)
    head = await gateway.http.head("/v1/questions", headers={"Content-Digest": "junk"})
    assert gateway.checked(head).status_code == 400


async def test_uploads_check_digests_in_both_algorithms(gateway: GatewayFixture) -> None:
    """For the creation, which has no body, and for each part; a wrong part is discarded."""
    source = await make_department(gateway)
    content = lines(make_penalty(gateway, gateway.uscc("clean")))
    announcing = upload_headers(content) | {"Content-Digest": sha512_digest(b"x")}
    assert_mismatch(await source.send(UPLOADS, b"", scope=SCOPE, headers=announcing))
    path = await create(source, content)
    part = {"Tus-Resumable": "1.0.0", "Content-Type": PART, "Upload-Offset": "0"}
    for wrong in (sha512_digest(b"x"), "md5=:AAAA:", "", f"{sha256_digest(content)}, x"):
        headers = part | {"Content-Digest": wrong}
        assert_mismatch(
            await source.send(path, content, method="PATCH", scope=SCOPE, headers=headers)
        )
    headers = part | {"Content-Digest": f"{sha512_digest(content)},{sha256_digest(content)}"}
    taken = await source.send(path, content, method="PATCH", scope=SCOPE, headers=headers)
    assert (taken.status_code, taken.headers["Upload-Offset"]) == (204, str(len(content)))
    assert covers_digest(taken)


async def test_the_authorization_server_checks_them_too(gateway: GatewayFixture) -> None:
    """Refused as an OAuth error."""
    form = b"grant_type=client_credentials"
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    for wrong in (sha512_digest(b"x"), "md5=:AAAA:", ""):
        answer = await gateway.http.post(
            "/oauth/token", content=form, headers=media | {"Content-Digest": wrong}
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert "sha-512" in answer.json()["error_description"]
