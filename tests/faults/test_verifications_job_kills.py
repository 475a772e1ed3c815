"""A verification job whose worker is killed at ten moments: each line answered and logged exactly once.

`FULL=1`: 100,000 lines; `JOB_LINES` says another number, a million at most.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson
import pytest
import pytest_asyncio

from gateway.clients import registry
from gateway.disclosure.ids import new_id
from gateway.open_runtime import close_runtime, open_runtime
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from gateway.transparency.merkle import leaf_hash
from gateway.verifications.jobs import client_store, stored_job
from gateway.verifications.jobs.frontier import Frontier
from gateway.verifications.jobs.lifecycle import ClientAct, JobState
from gateway.verifications.jobs.result import answered_sets
from gateway.verifications.jobs.sealing import ASKED, manifest_of, place_of, seal_digest, seal_lines
from gateway.verifications.jobs.stored_job import Job, SealedSet
from tests.batch_builders import batch_line
from tests.databases import new_database
from tests.gateway_fixture import ENTITIES, build_gateway
from tests.job_builders import GENEROUS
from tests.sampling import sampled
from tests.servers.gateway_process import environment
from tests.servers.ports import free_port
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

KILLS: Final = 10
LINES: Final = int(os.environ.get("JOB_LINES", sampled(3_000, full=100_000)))
SET: Final = 200
QUOTAS: Final = replace(GENEROUS, per_day=10 * LINES)
"""A kill between charging and committing charges the lines of a set again."""
ASKED_OF_ALL: Final = ("is_active.v1", "not_abnormal.v1", ("rating_at_least.v1", "良好"))
RUNNER: Final = """
import asyncio
from gateway.open_runtime import open_runtime
from gateway.background.job_runner import JobRunner
from gateway.settings import Settings

async def main():
    runtime = await open_runtime(Settings.from_env())
    await JobRunner(current=lambda: runtime).run()

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database with a province and a client, served by nobody."""

    runtime: Runtime
    settings: Settings
    client_id: str
    usccs: list[str]


@pytest_asyncio.fixture(loop_scope="session")
async def place(postgres_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    """The place of one job."""
    built = await build_gateway(await new_database(postgres_url), tmp_path / "state", free_port())
    runtime = await open_runtime(built.settings)
    cast = next(each for each in DEMO_CLIENTS if each.key == "platform")
    async with runtime.engine.begin() as connection:
        found = await connection.exec_driver_sql(
            "SELECT client_id FROM client WHERE name_zh = $1", (cast.name_zh,)
        )
        client_id = str(found.scalar_one())
        terms = replace(terms_of(cast, runtime.now()), quotas=QUOTAS)
        await registry.put_agreement(connection, client_id, terms)
        rows = await connection.exec_driver_sql("SELECT uscc FROM enterprise ORDER BY uscc")
        usccs = [row[0] for row in rows]
    try:
        yield Place(runtime=runtime, settings=built.settings, client_id=client_id, usccs=usccs)
    finally:
        await close_runtime(runtime)


async def started_job(place: Place) -> Job:
    """A running job of `LINES` lines over all enterprises."""
    runtime, now = place.runtime, place.runtime.now()
    later = now + timedelta(days=7)
    async with runtime.engine.begin() as connection:
        job = await client_store.create(
            connection, place.client_id, None, expires_at=later, now=now
        )
    assert isinstance(job, Job)
    upload = new_id("upl")
    for first in range(1, LINES + 1, SET):
        numbers = range(first, min(first + SET, LINES + 1))
        lines = [batch_line(n, place.usccs[n % len(place.usccs)], *ASKED_OF_ALL) for n in numbers]
        asked = seal_lines(runtime.vault, lines, column=ASKED, row=place_of(job.job_id, first))
        some = SealedSet(first_line=first, lines=len(lines), asked=asked)
        async with runtime.engine.begin() as connection:
            await client_store.add_sets(connection, job.job_id, upload, [some], now=now)
    async with runtime.engine.begin() as connection:
        assert await client_store.hold_for_upload(connection, job, holder="t", until=later, now=now)
        assert await client_store.finish_upload(
            connection,
            job,
            holder="t",
            upload_id=upload,
            sealed_digest=seal_digest(runtime.vault, job, bytes(32)),
            lines=LINES,
            broken=0,
            expires_at=later,
            now=now,
        )
        ready = await client_store.lock_own(connection, place.client_id, job.job_id)
        assert ready is not None
        begun = await client_store.act(connection, ready, ClientAct.START, until=later, now=now)
    assert isinstance(begun, Job)
    return begun


@contextlib.contextmanager
def runner(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers jobs, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER],
        env=environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


async def look(place: Place, job: Job) -> Job:
    """The job as it is now."""
    async with place.runtime.engine.connect() as connection:
        found = await stored_job.find(connection, place.client_id, job.job_id)
    assert found is not None
    return found


async def until(place: Place, job: Job, process: subprocess.Popen[bytes], answered: int) -> Job:
    """Wait until so many lines are answered, or the job has ended."""
    limit = time.monotonic() + PATIENCE
    while (found := await look(place, job)).answered < answered or (
        answered == LINES and found.state != JobState.DONE
    ):
        assert process.poll() is None, "the runner ended"
        assert time.monotonic() < limit or found.answered > job.answered, "the job does not get on"
        await asyncio.sleep(0.02)
    return found


async def test_a_job_killed_at_ten_moments_answers_and_logs_each_line_once(place: Place) -> None:
    """Nothing twice, nothing left out; answers, order, tree, disclosures, leaves."""
    job, chance = await started_job(place), random.Random()  # noqa: S311  # any moments
    moments = sorted(chance.randrange(LINES) for _ in range(KILLS))
    for moment in moments:
        with runner(place.settings) as process:
            await until(place, job, process, moment)
            await asyncio.sleep(chance.random() * 0.3)
        async with place.runtime.engine.begin() as connection:  # as if its lease had run out
            await connection.exec_driver_sql("UPDATE verification_job SET held_until = now()")
    with runner(place.settings) as process:
        done = await until(place, job, process, LINES)
    assert (done.answered, done.completed, done.problems) == (LINES, LINES, 0), moments
    number, tree = 0, Frontier()
    told: set[str] = set()
    async for texts in answered_sets(place.runtime, done):
        tree = tree.extended(map(leaf_hash, texts))
        for text in texts:
            number += 1
            line = orjson.loads(text)
            assert line["line"] == number
            assert line["enterprise"]["uscc"] == place.usccs[number % len(place.usccs)]
            told.add(line["disclosure_id"])
    assert (number, len(told)) == (LINES, LINES), moments
    assert (
        orjson.loads(manifest_of(place.runtime.vault, done))["manifest"]["root"]
        == tree.root().hex()
    )
    async with place.runtime.engine.connect() as connection:
        logged = await connection.exec_driver_sql(
            "SELECT disclosure_id FROM disclosure WHERE client_id = $1", (place.client_id,)
        )
        assert {row[0] for row in logged} == told, moments
        leaves = await connection.exec_driver_sql(
            "SELECT (SELECT count(*) FROM disclosure WHERE client_id = $1),"
            " (SELECT count(*) FROM disclosure_salt s JOIN disclosure d USING (uscc, disclosure_id)"
            "  WHERE d.client_id = $1)",
            (place.client_id,),
        )
        assert tuple(leaves.one()) == (LINES, LINES)
    assert len(place.usccs) == ENTITIES
