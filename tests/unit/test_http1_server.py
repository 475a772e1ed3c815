"""Uvicorn is started with the same options everywhere."""

from pathlib import Path

import gateway
from gateway.http1.protocol import Http1Protocol
from gateway.http1.server import SERVER_OPTIONS

SOURCES = Path(gateway.__file__).parent


def test_whoever_serves_takes_the_same_options() -> None:
    """Another parser, or a WebSocket, would be another place where a message ends."""
    serving = [path for path in SOURCES.rglob("*.py") if "uvicorn.Config(" in path.read_text()]
    assert {path.name for path in serving} == {"serve.py", "demo.py"}
    assert all("**SERVER_OPTIONS" in path.read_text() for path in serving)
    assert not any("uvicorn.run(" in path.read_text() for path in SOURCES.rglob("*.py"))
    assert (SERVER_OPTIONS["http"], SERVER_OPTIONS["ws"]) == (Http1Protocol, "none")
