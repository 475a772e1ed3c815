"""A gateway killed while it answers a batch, and clients that hang up: each line once, under its key.

`FULL=1`: ten kills.
"""

import asyncio
import http.client
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from gateway.settings import Settings
from tests.batch_builders import NDJSON, PATH, answered, batch_body, batch_line
from tests.databases import new_database
from tests.gateway_fixture import GatewayFixture, build_gateway
from tests.sampling import sampled
from tests.servers.gateway_process import COMMAND, environment
from tests.servers.ports import free_port
from tests.waiting import PATIENCE
from xinqiao import Client, RetryPolicy, RowResult

pytestmark = pytest.mark.asyncio(loop_scope="session")

KILLS: Final = sampled(3, full=10)
ROWS: Final = 3_000


class KilledGateway:
    """A gateway process at one address, killed and started again."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.issuer = settings.issuer
        self._port = settings.issuer.rpartition(":")[2]
        self._environment = environment(settings)
        self._output = (folder / "gateway.log").open("wb")
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", self._port],
            env=self._environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                httpx2.get(f"{self.issuer}/healthz", trust_env=False)
            except httpx2.TransportError:
                assert process.poll() is None, "the gateway ended at once"
                time.sleep(0.05)
            else:
                return process
        raise AssertionError("the gateway did not start")

    def kill(self) -> None:
        """Kill -9, and start another."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = self._started()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._output.close()


async def test_lines_are_answered_and_logged_once_over_kills(
    postgres_url: str, tmp_path: Path
) -> None:
    """The SDK takes the batch up each time; what was committed comes back."""
    database = await new_database(postgres_url)
    built = await build_gateway(database, tmp_path / "state", free_port())
    server = await asyncio.to_thread(KilledGateway, built.settings, tmp_path)
    rows = await rows_of(built.settings, "SELECT uscc FROM enterprise ORDER BY uscc")
    usccs = [rows[n % len(rows)]["uscc"] for n in range(ROWS)]
    moments = [ROWS * (n + 1) // (KILLS + 2) for n in range(KILLS)]

    def kill_in_time(rows: int) -> None:
        if moments and rows >= moments[0]:
            moments.pop(0)
            server.kill()

    def asked() -> list[RowResult]:
        platform = Client.from_kit(
            built.kit,
            "platform",
            retry=RetryPolicy(retries=20, base=0.2, longest=1),
            timeout=PATIENCE,
        )
        return list(
            platform.verify_many(
                usccs,
                purpose="merchant_review",
                questions=["is_active.v1"],
                progress=kill_in_time,
                longest_wait=PATIENCE,
            )
        )

    try:
        found = await asyncio.to_thread(asked)
    finally:
        await asyncio.to_thread(server.stop)
    assert moments == []
    assert all(each.answered for each in found)
    told = [each.disclosure_id for each in found]
    assert len(set(told)) == ROWS
    log = await rows_of(built.settings, "SELECT disclosure_id FROM disclosure")
    assert {row["disclosure_id"] for row in log} == set(told)
    assert len(log) == ROWS


async def rows_of(settings: Settings, sql: str) -> list[asyncpg.Record]:
    """Rows of a statement on the gateway's database."""
    address = make_url(settings.database_url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    connection = await asyncpg.connect(**arguments)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_call_cut_off_in_its_middle_costs_what_was_answered(
    served: GatewayFixture, parts: int
) -> None:
    """The rest is answered under the same key, and nothing twice."""
    caller = await served.client("platform")
    usccs = [each.enterprise.uscc for each in served.entities]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    headers = await caller.headers("POST", PATH)
    headers |= {"Content-Type": NDJSON, "Idempotency-Key": "cut", "Transfer-Encoding": "chunked"}

    def cut_off() -> None:
        connection = http.client.HTTPConnection(served.issuer.removeprefix("http://"))
        connection.putrequest("POST", PATH)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        for part in range(parts):
            sent = batch_body(lines[part * 50 : (part + 1) * 50])
            connection.send(b"%x\r\n%b\r\n" % (len(sent), sent))
        connection.close()

    await asyncio.to_thread(cut_off)
    assert len(await served.log_of(caller)) <= parts * 50
    found = await answered(caller, lines, key="cut")
    assert all(isinstance(each, list) for each in found.answers)
    log = await served.log_of(caller)
    assert len(log) == len(lines)
    assert {row["disclosure_id"] for row in log} == {
        each["disclosure_id"] for each in found.documents
    }
