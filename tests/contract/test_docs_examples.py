"""Examples of `docs/integrate/examples`: each prints a verified answer, and refuses one that was changed."""

import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self
from urllib.parse import parse_qs

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import create_app
from gateway.clients import registry
from gateway.open_runtime import close_runtime, open_runtime
from gateway.settings import Settings
from gateway.synthetic.demo.clients import DEMO_CLIENTS, new_keys, registration_of, terms_of
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from tests.docs.pages import DOCS
from tests.gateway_fixture import GatewayFixture, Server
from tests.node.programs import MODULES, NodeMissingError, install
from tests.sampling import FULL
from tests.servers.ports import free_port
from xinqiao import verify_evidence

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES: Final = DOCS / "integrate" / "examples"
SECONDS: Final = 600 if FULL else 180
"""A busy machine compiles slowly."""


def _curl(_: Path) -> list[str]:
    for program in ("bash", "curl", "jq", "openssl"):
        _found(program)
    return ["bash", str(EXAMPLES / "verify.sh")]


def _node(folder: Path, example: str = "verify.mjs") -> list[str]:
    try:
        node = install().node
    except NodeMissingError as missing:
        pytest.skip(str(missing))
    (folder / "node_modules").symlink_to(MODULES)
    return [node, str(shutil.copy(EXAMPLES / example, str(folder)))]


def _java(_: Path) -> list[str]:
    return [_found("java"), str(EXAMPLES / "Verify.java")]


def _go(_: Path) -> list[str]:
    return [_found("go"), "run", str(EXAMPLES / "verify.go")]


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


# Go compiles for minutes.
in_each_language = pytest.mark.parametrize(
    "command", [_curl, _node, _java, *((_go,) if FULL else ())]
)


async def _run(
    command: Callable[[Path], list[str]], folder: Path, kit: object, part: str = "platform"
) -> subprocess.CompletedProcess[str]:
    """Run an example with this kit, or without one (None), as this client."""
    path = folder / "kit.json"
    if kit is not None:
        path.write_text(json.dumps(kit))
    return await asyncio.to_thread(
        subprocess.run,
        [*command(folder), str(path), part],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=_environment(folder),
    )


def _environment(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build")),
    }


@in_each_language
async def test_an_example_prints_the_verified_answer(
    served: GatewayFixture, tmp_path: Path, command: Callable[[Path], list[str]]
) -> None:
    """With the first enterprise of a demo's kit, and leaves nothing behind."""
    ran = await _run(command, tmp_path, served.kit)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [{"question": "is_active.v1", "answer": "yes"}]
    if command is _curl:
        assert _names(tmp_path) == ["kit.json"]


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


class _Falsifying:
    """Middleware: a proxy's 503 to the first call with each token, then `no` for a signed `yes`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._seen = set[bytes]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = dict(scope.get("headers", ())).get(b"authorization")
        if token and token not in self._seen:
            self._seen.add(token)
            await Response(status_code=503, headers={"Retry-After": "0"})(scope, receive, send)
            return

        async def falsified(message: MutableMapping[str, Any]) -> None:
            if scope["type"] == "http" and scope["path"].startswith("/v1/"):
                body = message.get("body", b"").replace(b'"yes"', b'"no" ')
                message = {**message, "body": body} if "body" in message else message
            await send(message)

        await self._app(scope, receive, falsified)


@asynccontextmanager
async def _without_background(settings: Settings, app: FastAPI) -> AsyncIterator[None]:
    """Lifespan of a gateway that keeps no log: the one at the real address does."""
    app.state.runtime = await open_runtime(settings)
    yield
    await close_runtime(app.state.runtime)


@pytest.fixture(scope="module")
def falsified_kit(gateway: GatewayFixture) -> Iterator[dict[str, Any]]:
    """Kit of the same gateway at an address where answers are changed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = gateway.settings.model_copy(update={"issuer": issuer})
        app = create_app(settings)
        app.router.lifespan_context = partial(_without_background, settings)
        app.add_middleware(_Falsifying)
        with Server(app).listening_on(listening):
            yield {**gateway.kit, "issuer": issuer}


@in_each_language
async def test_an_example_refuses_an_answer_that_was_changed(
    falsified_kit: dict[str, Any], tmp_path: Path, command: Callable[[Path], list[str]]
) -> None:
    """It prints no answer, and has come back after a 503 to get it."""
    ran = await _run(command, tmp_path, falsified_kit)
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert "signature does not hold" in ran.stderr or "body is another" in ran.stderr


@in_each_language
async def test_an_example_without_a_kit_says_so_in_one_sentence(
    tmp_path: Path, command: Callable[[Path], list[str]]
) -> None:
    """No stack: the reader is told what to do."""
    ran = await _run(command, tmp_path, None)
    assert ran.returncode == 1
    assert ran.stdout == ""
    [sentence] = ran.stderr.splitlines()
    assert "run make demo" in sentence
    assert str(tmp_path / "kit.json") in sentence


@in_each_language
async def test_an_example_asks_for_a_purpose_of_its_client(
    served: GatewayFixture, tmp_path: Path, command: Callable[[Path], list[str]]
) -> None:
    """As the bank too, whose agreement has other purposes than the platform's."""
    ran = await _run(command, tmp_path, served.kit, "bank")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [{"question": "is_active.v1", "answer": "yes"}]


@pytest_asyncio.fixture(loop_scope="session")
async def bank_kit(served: GatewayFixture) -> dict[str, Any]:
    """Kit with a bank of its own: its feed is empty, its redirect address on a free port."""
    own = replace(DEMO_CLIENTS[0], client_id=f"bank-{secrets.token_hex(6)}")
    private, public = new_keys(own)
    uris = [f"http://127.0.0.1:{free_port()}/callback"]
    async with served.runtime.engine.begin() as connection:
        now = served.clock()
        await registry.register_client(connection, registration_of(own, public, uris), now=now)
        await registry.put_agreement(connection, own.client_id, terms_of(own, now))
    bank = {"client_id": own.client_id, "private_jwks": private, "redirect_uris": uris}
    return {**served.kit, "clients": {"bank": bank}}


@asynccontextmanager
async def _bank(folder: Path, kit: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bank's example; it has ended after the block."""
    (folder / "kit.json").write_text(json.dumps(kit))
    process = await asyncio.create_subprocess_exec(
        *_node(folder, "bank.mjs"),
        str(folder / "kit.json"),
        cwd=folder,
        env=_environment(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _asked(process: asyncio.subprocess.Process) -> str:
    """The address that the bank's example prints."""
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), SECONDS)).decode()
    assert line.startswith("Within 90 seconds open "), line or (await process.communicate())[1]
    return line.split()[-1]


async def test_the_banks_example_goes_the_whole_way(
    served: GatewayFixture, bank_kit: dict[str, Any], tmp_path: Path
) -> None:
    """Consent, query, evidence that the SDK verifies, feed with its cursor kept and acknowledged."""
    subject = next(
        each
        for each in served.kit["subjects"]
        if each["uscc"] != served.kit["consents"]["active"]["uscc"]
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "loan-file.json.new").symlink_to(elsewhere)  # left by somebody
    async with _bank(tmp_path, bank_kit) as process:
        url = await _asked(process)
        async with HeadlessVisitor(served.issuer, subject["login"]) as person:
            callback = await person.decide(url, datasets=["registration", "licence"], questions=[])
        async with httpx2.AsyncClient(trust_env=False) as browser:
            stranger = callback.replace("/callback?", "/favicon.ico?")
            assert (await browser.get(stranger)).status_code == 200
            another = callback.split("?")[0] + "?error=access_denied&state=another"
            assert (await browser.get(another)).text == "Not expected here.\n"
            assert (await browser.get(callback)).status_code == 200
        printed, problem = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, problem.decode()
    lines = printed.decode().splitlines()
    assert elsewhere.read_text() == "mine"
    assert (tmp_path / "loan-file.json").stat().st_mode & 0o777 == 0o600
    assert any(line.startswith("registration of ") for line in lines)
    assert "not given: penalty (not_in_consent)" in lines
    evidence = verify_evidence(
        tmp_path / "loan-file.json", keys=served.runtime.keys.published()
    ).to_dict()
    assert json.loads(evidence["response"]["body"])["enterprise"] == {"uscc": subject["uscc"]}
    cursor = (tmp_path / "feed.cursor").read_text().strip()
    notices = await served.rows(
        "SELECT cursor, acknowledged_at FROM tombstone WHERE client_id = :client",
        client=bank_kit["clients"]["bank"]["client_id"],
    )
    assert max(each["cursor"] for each in notices) == int(cursor)
    assert all(each["acknowledged_at"] for each in notices)
    assert lines[-1].startswith("consent_granted cst_")


async def test_the_banks_example_takes_a_refusal_for_an_answer(
    bank_kit: dict[str, Any], tmp_path: Path
) -> None:
    """One sentence, and nothing is kept."""
    with _Refusing() as server:
        async with _bank(tmp_path, {**bank_kit, "issuer": server.issuer}) as process:
            await _come_back(process, server, bank_kit, "error=access_denied")
            _, problem = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 1
    assert "access_denied" in problem.decode()
    assert len(problem.decode().splitlines()) == 1
    assert "loan-file.json" not in _names(tmp_path)


async def test_the_banks_example_sends_a_code_once(
    bank_kit: dict[str, Any], tmp_path: Path
) -> None:
    """A token endpoint that is unavailable may have used it."""
    with _Refusing() as server:
        async with _bank(tmp_path, {**bank_kit, "issuer": server.issuer}) as process:
            await _come_back(process, server, bank_kit, "code=once")
            await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 1
    assert [form["code"] for form in server.forms if "code" in form] == [["once"]]


async def _come_back(
    process: asyncio.subprocess.Process, server: "_Refusing", kit: dict[str, Any], told: str
) -> None:
    """The browser's way back, with what the enterprise decided."""
    await _asked(process)
    [state] = server.forms[0]["state"]
    async with httpx2.AsyncClient(trust_env=False) as browser:
        await browser.get(f"{kit['clients']['bank']['redirect_uris'][0]}?{told}&state={state}")


class _Refusing(ThreadingHTTPServer):
    """An authorization server that takes a pushed request, and is unavailable for a token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RefusingHandler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.forms: list[dict[str, list[str]]] = []
        self._thread = Thread(target=self.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _RefusingHandler(BaseHTTPRequestHandler):
    server: _Refusing

    def do_GET(self) -> None:
        issuer = self.server.issuer
        paths = {
            "authorization_endpoint": "/oauth/authorize",
            "pushed_authorization_request_endpoint": "/oauth/par",
            "token_endpoint": "/oauth/token",
        }
        self._answer(200, {"issuer": issuer} | {name: issuer + at for name, at in paths.items()})

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.forms.append(parse_qs(self.rfile.read(length).decode()))
        if self.path == "/oauth/par":
            self._answer(201, {"request_uri": "urn:example:1", "expires_in": 90})
        else:
            self._answer(503, {"error": "temporarily_unavailable"})

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _answer(self, status: int, told: dict[str, Any]) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)
