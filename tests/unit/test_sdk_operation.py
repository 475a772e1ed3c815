"""The SDK in operation: version, log lines, forked workers."""

from __future__ import annotations

import logging
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

import xinqiao
from xinqiao.cli._app import app
from xinqiao.testing import FakeGateway

USCC: Final = "91330106MAHD08319M"
SDK: Final = Path(__file__).parents[2] / "sdk"

FORKED: Final = """
import os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xinqiao import Client, RetryPolicy, generate_client_key
from xinqiao.errors import XinqiaoError

callers = []

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        callers.append(self.client_address)
        self.send_response(500)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_): pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Client(issuer=f"http://127.0.0.1:{server.server_port}", client_id="bank",
                private_jwks=generate_client_key(), retry=RetryPolicy(retries=0))

def call():
    try:
        client.questions()
    except XinqiaoError:
        pass

call(); call()
client._lock.acquire()  # by a thread that is in the parent alone
child = os.fork()
if child == 0:
    call()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
client._lock.release()
call()
parent, forked = set(callers[:2] + callers[3:]), set(callers[2:3])
assert len(callers) == 4 and len(parent) == 1 and not parent & forked, callers
"""


def test_the_version_is_one() -> None:
    """Of the package, the command, the requests and the distribution."""
    said = CliRunner().invoke(app, ["--version"]).output.strip()
    assert said == f"xinqiao {xinqiao.__version__}"
    assert xinqiao.__version__ == version("xinqiao")
    project = tomllib.loads((SDK / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dynamic"] == ["version"]
    fake = FakeGateway()
    with fake.client() as client:
        client.questions()
    assert fake.requests[0].headers["user-agent"] == f"xinqiao-python/{xinqiao.__version__}"


def test_the_log_names_calls_and_request_ids_and_no_enterprise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At DEBUG each request, at INFO each retry; neither query, body nor key."""
    caplog.set_level(logging.DEBUG, logger="xinqiao")
    fake = FakeGateway()
    fake.add_enterprise(USCC, answers={("enterprise_name.v1", "云栖"): "yes"})
    fake.refuse(429, "rate_limited", retry_after=0)
    with fake.client() as client:
        client.verify(
            USCC,
            purpose="tender",
            questions={"enterprise_name.v1": "云栖"},
            idempotency_key="job-7",
        )
        client.consents(status="active")
    lines = [record.getMessage() for record in caplog.records if record.name == "xinqiao"]
    assert any(line.startswith("POST /v1/verifications: 200 (request ") for line in lines)
    assert any("RateLimited; try 2 in" in line for line in lines)
    for private in (USCC, "云栖", "job-7", "status=active"):
        assert not [line for line in lines if private in line]


def test_a_forked_worker_has_connections_of_its_own() -> None:
    """`gunicorn --preload`: two processes on one TLS connection would garble both."""
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
