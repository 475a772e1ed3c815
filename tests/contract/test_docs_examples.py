"""Examples of `docs/integrate/examples`: each prints a verified answer, and refuses one that was changed."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import close_runtime, create_app, open_runtime
from gateway.settings import Settings
from tests.doc_pages import DOCS
from tests.gateway_fixture import GatewayFixture, Server
from tests.node.programs import MODULES, NodeMissingError, install
from tests.sampling import FULL

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES: Final = DOCS / "integrate" / "examples"
SECONDS: Final = 600 if FULL else 180
"""A busy machine compiles slowly."""


def _curl(_: Path) -> list[str]:
    for program in ("bash", "curl", "jq", "openssl"):
        _found(program)
    return ["bash", str(EXAMPLES / "verify.sh")]


def _node(folder: Path) -> list[str]:
    try:
        node = install().node
    except NodeMissingError as missing:
        pytest.skip(str(missing))
    (folder / "node_modules").symlink_to(MODULES)
    return [node, str(shutil.copy(EXAMPLES / "verify.mjs", str(folder)))]


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
    command: Callable[[Path], list[str]], folder: Path, kit: object
) -> subprocess.CompletedProcess[str]:
    """Run an example with this kit as the platform."""
    path = folder / "kit.json"
    path.write_text(json.dumps(kit))
    return await asyncio.to_thread(
        subprocess.run,
        [*command(folder), str(path), "platform"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "TMPDIR": str(folder),
            "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build")),
        },
    )


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
    """Middleware that turns the answer `yes` into `no` after it was signed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
    """It prints no answer."""
    ran = await _run(command, tmp_path, falsified_kit)
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert "signature does not hold" in ran.stderr or "body is another" in ran.stderr
