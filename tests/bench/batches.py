"""Batches of 10,000 lines with three questions, beside single calls and a bare join of the same facts."""

import asyncio
import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Final

import asyncpg
import orjson
from sqlalchemy.engine import make_url

from tests.bench.call_requests import credentials_source
from tests.bench.contenders import compare_verifications
from tests.bench.environment import Environment
from tests.bench.measure import load_generator, requests_for
from tests.bench.options import BATCH_LINES, HOST, PURPOSE, VERIFYING_GATEWAY, Options
from tests.bench.servers import CpuTimes, Server, servers

PATH: Final = "/v1/verifications/batch"
DATASETS: Final = ("serious_violation",)
JOIN: Final = """
    SELECT u.uscc, to_jsonb(e)::text,
           (SELECT json_agg(to_json(r))::text FROM record AS r
             WHERE r.uscc = u.uscc AND r.dataset = ANY($2))
      FROM unnest($1::text[]) AS u(uscc) LEFT JOIN enterprise AS e ON e.uscc = u.uscc"""
"""The facts that the questions need, by one statement."""


@dataclass(slots=True, kw_only=True)
class Batches:
    """Rates a second and CPU seconds a line, round by round."""

    lines: int
    batch: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    join: list[float] = field(default_factory=list)
    batch_cpu: list[CpuTimes] = field(default_factory=list)
    single_cpu: list[float] = field(default_factory=list)
    growth: int = 0
    """The worker's memory after the batches, less that before, in bytes."""

    @property
    def of_single(self) -> float:
        """Lines a second, of single calls a second; one worker each."""
        return median(b / s for b, s in zip(self.batch, self.single, strict=True))

    @property
    def of_join(self) -> float:
        """Lines a second, of enterprises a second by the join."""
        return median(b / j for b, j in zip(self.batch, self.join, strict=True))

    @property
    def cpu_of_single(self) -> float:
        """CPU seconds of a single call, of those of a line: worker, PostgreSQL and Redis together."""
        return median(
            s / (b.worker + b.postgres + b.redis)
            for b, s in zip(self.batch_cpu, self.single_cpu, strict=True)
        )


def measure_batches(
    options: Options, environment: Environment, say: Callable[[str], None]
) -> Batches:
    """Single calls, a batch and the join in turn."""
    bodies = tuple(map(_three_questions, environment.bodies))
    asked = replace(environment, bodies=bodies)
    usccs = [str(orjson.loads(body)["enterprise"]["uscc"]) for body in bodies[:BATCH_LINES]]
    lines = [
        orjson.dumps({"line": number, **orjson.loads(body)})
        for number, body in enumerate(bodies[:BATCH_LINES], 1)
    ]
    found = Batches(lines=len(lines))
    (contender,) = VERIFYING_GATEWAY
    with servers(environment, VERIFYING_GATEWAY) as running, load_generator() as shoot:
        server = running[contender.server]
        comparison = compare_verifications(options, asked, running, VERIFYING_GATEWAY)
        rate = shoot(comparison.ready(contender, comparison.warm_up)).per_second
        _send(environment, server, lines[:500])
        resident = server.resident()
        for turn in range(options.rounds):
            before = server.spent()
            window = shoot(
                comparison.ready(contender, requests_for(contender, rate, options.seconds))
            )
            spent = server.spent().since(before)
            rate = window.per_second
            found.single.append(rate)
            calls = len(window.latencies)
            found.single_cpu.append((spent.worker + spent.postgres + spent.redis) / calls)
            asyncio.run(environment.forget_probes())
            before = server.spent()
            found.batch.append(len(lines) / _send(environment, server, lines))
            spent = server.spent().since(before)
            found.batch_cpu.append(_each(spent, len(lines)))
            found.join.append(len(usccs) / asyncio.run(_join(environment, usccs)))
            say(
                f"round {turn + 1}: single {rate:,.0f}/s, batch {found.batch[-1]:,.0f}/s, "
                f"join {found.join[-1]:,.0f}/s"
            )
        found.growth = server.resident() - resident
    return found


def _three_questions(body: bytes) -> bytes:
    """The body about an enterprise with its name and two questions of its state."""
    document = orjson.loads(body)
    name = document["questions"][0]
    more = [{"question": "is_active.v1"}, {"question": "not_on_serious_violation_list.v1"}]
    return orjson.dumps({**document, "purpose": PURPOSE, "questions": [name, *more]})


def _send(environment: Environment, server: Server, lines: list[bytes]) -> float:
    """Send a batch; the seconds until its manifest has come."""
    credentials = credentials_source(environment.kit, environment.jwk)()
    headers = {**credentials.headers(PATH), "Content-Type": "application/x-ndjson"}
    body = b"\n".join(lines)
    connection = http.client.HTTPConnection(HOST, server.port, timeout=300)
    began = time.perf_counter()
    connection.request("POST", PATH, body, headers)
    answer = connection.getresponse()
    told = answer.read().splitlines()
    seconds = time.perf_counter() - began
    connection.close()
    if answer.status != http.client.OK or not told[-1].startswith(b'{"manifest"'):
        raise RuntimeError(f"A batch was answered {answer.status}: {told[-1][:500]!r}")
    if len(told) != len(lines) + 1 or any(b'"answers"' not in line for line in told[:-1]):
        raise RuntimeError("A line of a batch was not answered.")
    return seconds


async def _join(environment: Environment, usccs: list[str]) -> float:
    """The seconds that the join takes, on one connection that has run it before."""
    address = make_url(environment.settings.database_url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    connection = await asyncpg.connect(**arguments)
    await connection.fetch(JOIN, usccs[:10], list(DATASETS))
    began = time.perf_counter()
    rows = await connection.fetch(JOIN, usccs, list(DATASETS))
    seconds = time.perf_counter() - began
    await connection.close()
    if len(rows) != len(usccs):
        raise RuntimeError("The join left enterprises out.")
    return seconds


def _each(spent: CpuTimes, lines: int) -> CpuTimes:
    return CpuTimes(
        worker=spent.worker / lines, postgres=spent.postgres / lines, redis=spent.redis / lines
    )
