"""Turns of verification jobs: round robin by client, one set of a client at a time, taken up after a kill."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import make_engine
from gateway.db.statements import Statement
from gateway.verifications.jobs import client_store, stored_job, worker_store
from gateway.verifications.jobs.stored_job import Job
from gateway.verifications.jobs.worker_store import Claimed
from tests.databases import new_database

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOLD: Final = 30.0
LATER: Final = NOON + timedelta(days=7)


@pytest_asyncio.fixture(loop_scope="session")
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """A database of its own, in which no worker takes jobs."""
    made = make_engine(await new_database(postgres_url), pool_size=2)
    yield made
    await made.dispose()


async def running(engine: AsyncEngine, client_id: str, minutes: int) -> str:
    """A running job, made so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    async with engine.begin() as connection:
        made = await client_store.create(connection, client_id, None, expires_at=at, now=at)
        assert isinstance(made, Job)
        await connection.execute(
            Statement("UPDATE verification_job SET state = 'running' WHERE job_id = :job"),
            {"job": made.job_id},
        )
    return made.job_id


async def claim(engine: AsyncEngine, minutes: float, holder: str = "w") -> Claimed | None:
    """Claim a job so many minutes after noon."""
    async with engine.begin() as connection:
        return await worker_store.claim_next(
            connection,
            holder=holder,
            seconds=HOLD,
            ends_at=LATER,
            now=NOON + timedelta(minutes=minutes),
        )


async def claimed(engine: AsyncEngine, minutes: float) -> Job:
    """Claim a job and give it back."""
    found = await claim(engine, minutes)
    assert found is not None
    assert not found.again
    async with engine.begin() as connection:
        await stored_job.release(connection, found.job.job_id, holder="w")
    return found.job


async def test_clients_take_turns_whatever_the_number_of_their_jobs(engine: AsyncEngine) -> None:
    """And the jobs of one client among themselves."""
    many = [await running(engine, "many", minute) for minute in range(3)]
    one = await running(engine, "one", 3)
    order = [(await claimed(engine, 10 + minute)).job_id for minute in range(8)]
    assert [each == one for each in order] == [False, True] * 4
    assert order[::2] == [*many, many[0]]


async def test_one_set_of_a_client_is_answered_at_a_time(engine: AsyncEngine) -> None:
    """However many workers there are; another client's is not held up by it."""
    for minute in range(2):
        await running(engine, "many", minute)
    other = await running(engine, "one", 2)
    assert await claim(engine, 10, "first") is not None
    second = await claim(engine, 10, "second")
    assert second is not None
    assert second.job.job_id == other
    assert await claim(engine, 10, "third") is None


async def test_a_job_whose_worker_died_is_taken_up_as_one_begun_before(
    engine: AsyncEngine,
) -> None:
    """After its hold; what the dead worker writes then is not stored."""
    job = await running(engine, "one", 0)
    first = await claim(engine, 10, "dead")
    assert first is not None
    assert not first.again
    assert await claim(engine, 10.4, "next") is None
    second = await claim(engine, 10.6, "next")
    assert second is not None
    assert (second.job.job_id, second.again) == (job, True)
    async with engine.begin() as connection:
        assert await worker_store.lock_held(connection, first.job, holder="dead") is None
        assert await worker_store.lock_held(connection, second.job, holder="next") is not None


async def test_a_paused_job_is_taken_when_its_quota_fits_again(engine: AsyncEngine) -> None:
    """Not before; and one that its client paused never."""
    job, by_client = await running(engine, "one", 0), await running(engine, "other", 0)
    pause = Statement("""
        UPDATE verification_job SET state = 'paused', reason = :reason, resumes_at = :at
        WHERE job_id = :job""")
    async with engine.begin() as connection:
        at = NOON + timedelta(minutes=20)
        values = {"reason": "quota_exhausted", "at": at, "job": job}
        await connection.execute(pause, values)
        await connection.execute(pause, {"reason": "by_client", "at": None, "job": by_client})
    assert await claim(engine, 19) is None
    found = await claim(engine, 21)
    assert found is not None
    assert (found.job.job_id, found.job.state, found.job.reason) == (job, "running", None)
