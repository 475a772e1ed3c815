"""Errors that name the cause: DNS, refusal, certificate, time, a wrong issuer, a wrong clock."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from xinqiao import AsyncClient, Client, ClientSettings, RetryPolicy, errors, generate_client_key
from xinqiao._core.transport.retry import may_repeat
from xinqiao.testing import FakeGateway

AT_ONCE = RetryPolicy(retries=0)
SECRET = "a-secret-of-the-query"


def outcome(issuer: str, *, asynchronous: bool, **options: Any) -> errors.XinqiaoError:
    """The error of a first call at this issuer, with nothing but its own settings."""
    made = {"issuer": issuer, "client_id": "bank", "private_jwks": generate_client_key()}
    options = {"retry": AT_ONCE, **made, **options}

    async def awaited() -> None:
        async with AsyncClient(**options) as client:
            await client.questions()

    def called() -> None:
        with Client(**options) as client:
            client.questions()

    with pytest.raises(errors.XinqiaoError) as caught:
        asyncio.run(awaited()) if asynchronous else called()
    assert SECRET not in str(caught.value)
    return caught.value


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["blocking", "async"])


@both
def test_a_host_that_dns_does_not_know_is_named(*, asynchronous: bool) -> None:
    """`.invalid` never resolves (RFC 6761)."""
    error = outcome("https://credit.invalid", asynchronous=asynchronous)
    assert type(error) is errors.HostUnknown
    assert "credit.invalid" in str(error)
    assert not error.may_have_arrived


@both
def test_a_port_on_which_nothing_listens_is_named(*, asynchronous: bool) -> None:
    """Refused by the system itself."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        error = outcome(f"http://127.0.0.1:{port}", asynchronous=asynchronous)
    assert type(error) is errors.ConnectionRefused
    assert f"127.0.0.1:{port}" in str(error)


@both
def test_a_server_that_never_answers_is_a_timeout(*, asynchronous: bool) -> None:
    """The request may have arrived."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = outcome(issuer, asynchronous=asynchronous, timeout=0.2)
    assert type(error) is errors.TimedOut
    assert error.may_have_arrived
    assert "timeout" in str(error)


@contextlib.contextmanager
def answering(
    answer: Callable[[BaseHTTPRequestHandler], None], trust: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A server on loopback that gives every GET this answer; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base's name
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if trust is not None:
        server.socket = trust.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # handshakes that fail
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def not_found(handler: BaseHTTPRequestHandler) -> None:
    """What another web server says."""
    handler.send_error(404)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    request = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    files = "-keyout key.pem -out cert.pem -addext subjectAltName=DNS:localhost"
    command = ["openssl", *request.split(), *files.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@both
def test_a_certificate_of_an_unknown_authority_says_how_to_trust_it(
    certificate: Path, *, asynchronous: bool
) -> None:
    """With `ca` the same server is reached, and is no gateway; by another name it is another host."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with answering(not_found, trust) as port:
        at_localhost = f"https://localhost:{port}"
        untrusted = outcome(at_localhost, asynchronous=asynchronous)
        ca = certificate / "cert.pem"
        reached = outcome(at_localhost, asynchronous=asynchronous, ca=ca)
        misnamed = outcome(f"https://127.0.0.1:{port}", asynchronous=asynchronous, ca=ca)
    assert type(untrusted) is errors.CertificateUntrusted
    assert "`ca`" in str(untrusted)
    assert not may_repeat(untrusted, idempotent=True)
    assert type(reached) is errors.ConfigurationError
    assert type(misnamed) is errors.CertificateUntrusted
    assert "another host" in str(misnamed)


def as_html(handler: BaseHTTPRequestHandler) -> None:
    """A portal page with status 200."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<html>welcome</html>")


def elsewhere(handler: BaseHTTPRequestHandler) -> None:
    """A redirect, with a query that nobody should read in a log."""
    handler.send_response(301)
    handler.send_header("location", f"https://credit.example.gov.cn/x?t={SECRET}")
    handler.end_headers()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (not_found, "no Xinqiao gateway"),
        (as_html, "no Xinqiao gateway"),
        (elsewhere, "redirects to https://credit.example.gov.cn:"),
    ],
    ids=["404", "page", "redirect"],
)
def test_a_wrong_issuer_is_an_error_of_the_settings(
    answer: Callable[[BaseHTTPRequestHandler], None], said: str
) -> None:
    """Neither an OAuth error nor an outage."""
    with answering(answer) as port:
        error = outcome(f"http://127.0.0.1:{port}", asynchronous=False)
    assert type(error) is errors.ConfigurationError
    assert said in str(error)


@pytest.mark.parametrize(("minutes", "side"), [(20, "ahead of"), (-20, "behind")])
def test_a_wrong_clock_is_told_by_the_date_of_the_answer(minutes: int, side: str) -> None:
    """Where the authorization server refuses a proof or an assertion by its time."""
    fake = FakeGateway()
    with (
        fake.client(clock=lambda: fake.now + 60 * minutes, retry=AT_ONCE) as client,
        pytest.raises(
            errors.XinqiaoError, match=rf"clock is 1[12]\d\d seconds {side} the gateway's"
        ),
    ):
        client.questions()


def test_a_signature_too_old_for_this_clock_tells_of_it() -> None:
    """The token was fetched before the clock went wrong; without a `Date` nothing is said."""
    fake, ahead = FakeGateway(), [0.0]
    with fake.client(clock=lambda: fake.now + ahead[0], max_clock_skew=5, retry=AT_ONCE) as client:
        client.questions()
        ahead[0] = 9
        with pytest.raises(errors.SignatureInvalid, match="seconds ahead of") as caught:
            client.questions()
    assert caught.value.reason == "created"


def test_settings_are_read_from_the_environment_and_never_print_a_key(tmp_path: Path) -> None:
    """The three needed ones, and the others where they are set."""
    key = tmp_path / "key.json"
    environ = {
        "XINQIAO_ISSUER": "https://credit.example.gov.cn",
        "XINQIAO_CLIENT_ID": "bank",
        "XINQIAO_PRIVATE_JWKS": str(key),
    }
    settings = ClientSettings.from_env(environ)
    assert (settings.timeout, settings.ca, settings.private_jwks) == (10.0, None, str(key))
    more = {"XINQIAO_TIMEOUT": "2.5", "XINQIAO_PROXY": "http://user:word@proxy.example:3128"}
    whole = ClientSettings.from_env(environ | more | {"XINQIAO_SIGN_REQUESTS": "True"})
    assert (whole.timeout, whole.sign_requests, settings.sign_requests) == (2.5, True, False)
    assert "word" not in repr(whole)
    assert str(key) not in repr(whole)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"XINQIAO_ISSUER": ""}, "Set XINQIAO_ISSUER"),
        ({"XINQIAO_KEYS": ""}, "XINQIAO_KEYS is empty"),
        ({"XINQIAO_TIMEOUT": "soon"}, "XINQIAO_TIMEOUT"),
        ({"XINQIAO_TIMEOUT": "nan"}, "XINQIAO_TIMEOUT"),
        ({"XINQIAO_MAX_CLOCK_SKEW": "-1"}, "XINQIAO_MAX_CLOCK_SKEW"),
        ({"XINQIAO_SIGN_REQUESTS": "required"}, "XINQIAO_SIGN_REQUESTS"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(changed: dict[str, str], said: str) -> None:
    """Missing, no number, no end."""
    environ = {
        "XINQIAO_ISSUER": "https://credit.example.gov.cn",
        "XINQIAO_CLIENT_ID": "bank",
        "XINQIAO_PRIVATE_JWKS": "key.json",
    }
    with pytest.raises(errors.ConfigurationError, match=said):
        ClientSettings.from_env(environ | changed)


def test_trust_and_proxy_that_cannot_be_used_are_errors_of_the_settings(tmp_path: Path) -> None:
    """A missing file, a file without certificates, a proxy that is no address, both and a transport."""
    (tmp_path / "empty.pem").write_text("", encoding="ascii")
    made: dict[str, Any] = {"issuer": "https://credit.example.gov.cn", "client_id": "bank"}
    key = generate_client_key()
    wrong: tuple[dict[str, Any], ...] = (
        {"ca": tmp_path / "missing.pem"},
        {"ca": tmp_path / "empty.pem"},
        {"proxy": "proxy.example"},
        {"ca": os.devnull, "transport": httpx2.HTTPTransport()},
    )
    for options in wrong:
        with pytest.raises(errors.ConfigurationError):
            Client(**made, private_jwks=key, **options)
