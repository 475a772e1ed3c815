"""HTTP server: the same options in `serve`, demo, tests and benchmark, and the end of a worker."""

from pathlib import Path
from typing import Final

import pytest

import gateway
from gateway.http1.protocol import Http1Protocol
from gateway.http1.server import SERVER_OPTIONS
from tests.http1_connection import connect

CALL: Final = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
SOURCES = Path(gateway.__file__).parent


def test_every_server_takes_the_same_options() -> None:
    """Our protocol class, and no WebSockets."""
    serving = [path for path in SOURCES.rglob("*.py") if "uvicorn.Config(" in path.read_text()]
    assert {str(path.relative_to(SOURCES)) for path in serving} == {
        "cli/serve.py",
        "synthetic/demo/command.py",
    }
    assert all("**SERVER_OPTIONS" in path.read_text() for path in serving)
    assert not any("uvicorn.run(" in path.read_text() for path in SOURCES.rglob("*.py"))
    assert (SERVER_OPTIONS["http"], SERVER_OPTIONS["ws"]) == (Http1Protocol, "none")


@pytest.mark.parametrize("pieces", [(CALL,), (CALL[:9], CALL[9:])])
async def test_a_connection_that_was_accepted_is_answered_while_the_worker_ends(
    pieces: tuple[bytes, ...],
) -> None:
    """Its request may be under way already; the answer is its last one."""
    async with connect() as line:
        line.protocol.shutdown()
        await line.arrives(*pieces)
        answer = await line.answer()
        assert (answer.status, answer.closes) == (200, True)
        assert await line.ends() == b""


async def test_a_connection_without_a_request_is_closed_when_the_worker_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a moment; one that has been used at once."""
    monkeypatch.setattr("gateway.http1.protocol.DRAIN_SECONDS", 0.01)
    async with connect() as line:
        line.protocol.shutdown()
        assert not line.protocol.transport.is_closing()
        assert await line.ends() == b""
    async with connect() as line:
        await line.arrives(CALL)
        assert (await line.answer()).status == 200
        line.protocol.shutdown()
        assert line.protocol.transport.is_closing()
