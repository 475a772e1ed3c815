"""Java's HttpClient, which requests an HTTP/2 upgrade on cleartext connections."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import orjson
import pytest

from tests.gateway_fixture import GatewayFixture
from tests.http1_connection import connect, segmentations
from tests.oauth_builders import ASSERTION_TYPE

PROGRAM = Path(__file__).with_name("Post.java")
RECORDED = Path(__file__).parents[1] / "vectors" / "http" / "java-17-httpclient.http"


@pytest.mark.asyncio(loop_scope="session")
async def test_a_java_client_gets_its_token(served: GatewayFixture) -> None:
    """Served with a token; a replay with the same body is recognised."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("java is not installed")
    caller = await served.client()
    url = f"{served.issuer}/oauth/token"
    form = {
        "grant_type": "client_credentials",
        "scope": "verify",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": caller.assertion(),
    }
    async with httpx2.AsyncClient(trust_env=False) as http:
        proof = await caller.proof("POST", "/oauth/token", None)
        refused = await http.post(url, data=form, headers={"DPoP": proof})
    nonce = refused.headers["dpop-nonce"]
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "DPoP": await caller.proof("POST", "/oauth/token", None, nonce=nonce),
    }
    command = [
        java,
        str(PROGRAM),
        url,
        urlencode(form),
        *(each for pair in headers.items() for each in pair),
    ]
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    first, second = (line.split(" ", 2) for line in ran.stdout.splitlines())
    assert first[:2] == ["200", "HTTP_1_1"]
    assert orjson.loads(first[2])["token_type"] == "DPoP"
    assert second[0] == "400"
    assert "used before" in orjson.loads(second[2])["error_description"]


async def test_the_recorded_java_request_is_one_request() -> None:
    """Recorded bytes of the current JDK, since a later one may differ."""
    sent = RECORDED.read_bytes()
    body = b"grant_type=client_credentials"
    assert b"\r\nUpgrade: h2c\r\n" in sent
    assert sent.endswith(b"\r\n\r\n" + body)
    for segments in segmentations(sent + sent, len(sent) - len(body), len(sent), len(sent) + 100):
        async with connect() as line:
            await line.arrives(*segments)
            for _ in range(2):
                answer = await line.answer()
                assert (answer.status, answer.json["body"]) == (200, body.decode())
            assert line.app.paths == ["/oauth/token", "/oauth/token"]
