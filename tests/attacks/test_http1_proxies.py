"""Request smuggling and spelling attacks through HAProxy and nginx as `deploy/proxy` configures them."""

import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode, urlsplit

import pytest
from fastapi.routing import iter_route_contexts

from gateway.codes.network_limits import UNKNOWN_PER_TEN_MINUTES
from tests.mtls_builders import SUBJECT, Holder, make_certificate
from tests.servers.proxies import CA, Proxy, token_form

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHERE: Final = ("public", "mtls")
TIMEOUT: Final = 60.0
UPGRADES: Final = (
    {"Connection": "Upgrade", "Upgrade": "h2c"},
    {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAA"},
    {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
    {"Connection": "Upgrade", "Upgrade": "foo/1"},
)


def open_connection(front: Proxy, where: str) -> socket.socket:
    """A connection to the proxy, or directly to the gateway, which trusts this peer."""
    if where == "direct":
        host, port = front.gateway.split(":")
        return socket.create_connection((host, int(port)), TIMEOUT)
    parts = urlsplit(getattr(front, where))
    plain = socket.create_connection((parts.hostname or "", parts.port or 0), TIMEOUT)
    context = ssl.create_default_context(cafile=str(front.trust))
    return context.wrap_socket(plain, server_hostname=parts.hostname)


def read_all(line: socket.socket, *segments: bytes) -> bytes:
    """Bytes received until the connection closes."""
    line.settimeout(TIMEOUT)
    found = b""
    with line, suppress(ConnectionError, ssl.SSLError):
        for segment in segments:
            line.sendall(segment)
            time.sleep(0.05)  # so that they are segments for whoever reads
        while more := line.recv(65536):
            found += more
    return found


def request(front: Proxy, path: str, *, method: str = "GET", fields: str = "") -> bytes:
    """Header section of a request, without its end."""
    host = urlsplit(front.public).netloc
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}".encode("latin-1")


def token_post(front: Proxy, body: bytes, fields: dict[str, str]) -> tuple[bytes, bytes]:
    """A form POST to the token endpoint."""
    lines = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        **fields,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return request(front, "/oauth/token", method="POST", fields=head) + b"\r\n", body


def closing_request(front: Proxy) -> bytes:
    """A request with `Connection: close`."""
    return request(front, "/healthz") + b"Connection: close\r\n\r\n"


async def victim(front: Proxy) -> tuple[str, Holder]:
    """A client with certificate authentication, and its certificate."""
    client_id = await front.client(
        token_endpoint_auth_method="tls_client_auth", tls_client_auth_subject_dn=SUBJECT
    )
    return client_id, make_certificate(issuer=CA)


class SlowRequests(threading.Thread):
    """Requests sent byte by byte until they are answered or minutes pass."""

    def __init__(self, front: Proxy) -> None:
        super().__init__(daemon=True)
        self.open = {open_connection(front, where): b"" for where in (*WHERE, "direct")}
        self.answers: list[bytes] = []
        self._begun = request(front, "/healthz", fields="X: ")

    def run(self) -> None:
        """Send, and detect answers and closed connections."""
        for line in self.open:
            line.settimeout(0.3)
            line.sendall(self._begun)
        for _ in range(1000):
            for line in list(self.open):
                self._go_on(line)

    def _go_on(self, line: socket.socket) -> None:
        try:
            line.sendall(b"a")
            more = line.recv(4096)
        except TimeoutError:
            return
        except OSError:
            more = b""
        self.open[line] += more
        if not more:
            self.answers.append(self.open.pop(line))
            line.close()


@pytest.fixture(scope="module", autouse=True)
def trickling(front: Proxy) -> SlowRequests:
    """Started by the module's first test, so that the last need not wait."""
    begun = SlowRequests(front)
    begun.start()
    return begun


HIDDEN: Final = (
    "/metrics", "/readyz", "/%6detrics", "/metrics%0a", "/metrics%00", "/metrics%20", "/metrics/",
    "/metrics?", "/metrics?a", "/metrics;a", "/./metrics", "/%2e/metrics", "//metrics", "/%2fmetrics",
    "/v1/../metrics", "/v1/%2e%2e/metrics", "/v1/..%2fmetrics", "/v1/..;/metrics", "/v1//../metrics",
    "/v1/../../readyz", "/r%65adyz", "/%72%65%61%64%79%7a", "/readyz%0d%0a", "/\\metrics", "/METRICS",
    "http://localhost/metrics", "http://localhost/v1/../metrics", "/metrics#", "/healthz/../readyz",
    "/portal/..%5cmetrics", "/metrics%23", "/metrics%3f", "/metric%EF%BD%93",
)  # fmt: skip


@pytest.mark.parametrize("where", WHERE)
async def test_no_spelling_of_an_inner_address_gets_through(front: Proxy, where: str) -> None:
    """By the proxy's allow list, and by the gateway's refusal of non-canonical paths."""
    for path in HIDDEN:
        answer = read_all(
            open_connection(front, where), request(front, path) + b"Connection: close\r\n\r\n"
        )
        assert re.match(rb"HTTP/1\.[01] (400|404) ", answer), (path, answer)
        assert b"python_gc" not in answer
        assert b"\r\n\r\nready" not in answer


@pytest.mark.parametrize("where", WHERE)
async def test_every_address_of_the_gateway_gets_through(front: Proxy, where: str) -> None:
    """Each public route is on the proxies' lists, operator routes on none."""
    paths = {
        re.sub(r"\{[^}]*\}", "x", context.path or "")
        for context in iter_route_contexts(front.app.router.routes)
    }
    assert {"/metrics", "/readyz", "/", "/v1/verifications", "/E/x", "/docs"} <= paths
    begins = {re.sub(r"(?<=^/)([^/]+)/.*", r"\1/x", path) for path in paths}
    with front.http(None) as http:
        for path in sorted(begins - {"/demo-identity/x"}):
            answer = http.get(getattr(front, where) + path)
            reached = "x-request-id" in answer.headers
            assert reached == (path not in {"/metrics", "/readyz"}), path


@pytest.mark.parametrize("where", WHERE)
async def test_a_callers_own_forwarded_address_is_not_passed_on(front: Proxy, where: str) -> None:
    """Guesses of codes are limited by the address that the proxy sees, whatever the caller writes."""
    with front.http(None) as http:
        statuses = [
            http.get(
                f"{getattr(front, where)}/E/{'A' * 26}",
                headers={"X-Forwarded-For": f"198.51.{number}.7"},
            ).status_code
            for number in range(UNKNOWN_PER_TEN_MINUTES + 1)
        ]
    assert statuses[-1] == 429
    assert set(statuses) <= {404, 429}


@pytest.mark.parametrize("where", [*WHERE, "direct"])
@pytest.mark.parametrize("fields", UPGRADES)
async def test_an_upgrade_is_served_with_its_body(
    front: Proxy, where: str, fields: dict[str, str]
) -> None:
    """In one and in two segments, followed by another request."""
    head, body = token_post(front, b"twice=1&twice=2", fields)
    for segments in ([head + body + closing_request(front)], [head, body, closing_request(front)]):
        answers = read_all(open_connection(front, where), *segments)
        assert re.findall(rb"HTTP/1\.1 (\d+) ", answers) == [b"400", b"200"], answers
        assert b"The parameter twice is repeated." in answers
        assert answers.endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("where", [*WHERE, "direct"])
@pytest.mark.parametrize("fields", [*UPGRADES, {}])
async def test_a_certificate_is_not_smuggled_in_a_body(
    front: Proxy, where: str, fields: dict[str, str]
) -> None:
    """A request inside another's body is not served."""
    client_id, holder = await victim(front)
    form = urlencode(token_form(client_id)).encode()
    inner = b"".join(token_post(front, form, {"Client-Cert": holder.header}))
    if where == "direct":  # it would be believed, if it were a request
        assert b"access_token" in read_all(
            open_connection(front, where), inner + closing_request(front)
        )
    head, body = token_post(front, inner, fields)
    for segments in ([head + body + closing_request(front)], [head, body, closing_request(front)]):
        answers = read_all(open_connection(front, where), *segments)
        assert b"access_token" not in answers
        assert re.findall(rb"HTTP/1\.1 (\d+) ", answers) == [b"400", b"200"], answers


@pytest.mark.parametrize("where", [*WHERE, "direct"])
async def test_a_certificate_is_not_believed_in_a_trailer(front: Proxy, where: str) -> None:
    """RFC 9110 §6.5.1: proxies that strip headers may forward trailers."""
    client_id, holder = await victim(front)
    body = urlencode(token_form(client_id)).encode()
    fields = (
        "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\nTrailer: Client-Cert\r\n"
    )
    head = request(front, "/oauth/token", method="POST", fields=fields) + b"\r\n"
    trailer = b"Client-Cert: %b\r\n\r\n" % holder.header.encode()
    chunked = b"%x\r\n%b\r\n0\r\n%b" % (len(body), body, trailer)
    answer = read_all(open_connection(front, where), head + chunked)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"access_token" not in answer


@pytest.mark.parametrize("where", [*WHERE, "direct"])
async def test_heads_without_measure_do_not_get_through(front: Proxy, where: str) -> None:
    """No or two Hosts, a megabyte of headers, a thousand headers, a long target."""
    close = b"Connection: close\r\n\r\n"
    host = b"Host: localhost\r\n"
    for head in (
        b"GET /healthz HTTP/1.1\r\n" + close,
        b"GET /healthz HTTP/1.1\r\n" + host + b"Host: evil.example\r\n" + close,
        b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"a" * (1 << 20) + b"\r\n" + close,
        b"GET /healthz HTTP/1.1\r\n" + host + b"X: a\r\n" * 10_000 + close,
        b"GET /healthz?" + b"a" * 70_000 + b" HTTP/1.1\r\n" + host + close,
    ):
        answer = read_all(open_connection(front, where), head)
        assert not answer.startswith(b"HTTP/1.1 2"), (head[:60], answer)
        if where == "direct":
            assert re.match(rb"HTTP/1\.1 4(00|14|31) ", answer), (head[:60], answer)


async def test_a_slow_head_ends(trickling: SlowRequests) -> None:
    """At the proxies and at the gateway."""
    trickling.join()
    assert trickling.open == {}
    assert not any(answer.startswith(b"HTTP/1.1 2") for answer in trickling.answers)
