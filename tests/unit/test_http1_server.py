"""Uvicorn's options: the same in `serve`, demo, tests and benchmark."""

from pathlib import Path

import gateway
from gateway.http1.protocol import Http1Protocol
from gateway.http1.server import SERVER_OPTIONS

SOURCES = Path(gateway.__file__).parent


def test_every_server_takes_the_same_options() -> None:
    """Our protocol class, and no WebSockets."""
    serving = [path for path in SOURCES.rglob("*.py") if "uvicorn.Config(" in path.read_text()]
    assert {path.name for path in serving} == {"serve.py", "demo.py"}
    assert all("**SERVER_OPTIONS" in path.read_text() for path in serving)
    assert not any("uvicorn.run(" in path.read_text() for path in SOURCES.rglob("*.py"))
    assert (SERVER_OPTIONS["http"], SERVER_OPTIONS["ws"]) == (Http1Protocol, "none")
