"""Ends of verification jobs that cannot go on: tried again, and stopped after the stated time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.background.job_runner import JobRunner
from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import LineLimit, LinesAdmission
from gateway.limits.slots import Slots
from gateway.verifications.jobs.lifecycle import LONGEST_RETRY_SECONDS, retry_seconds
from tests.batch_builders import batch_body, batch_line
from tests.gateway_fixture import GatewayFixture, open_gateway
from tests.job_builders import act, every_turn, finished, look, platform, started

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAYS = 7


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(postgres_url: str) -> AsyncIterator[GatewayFixture]:
    """A gateway by itself: the session's may have a second worker, which takes jobs too."""
    async with open_gateway(postgres_url) as made:
        yield made


class FaultyLimits(MemoryStore):
    """Limits with a fault of the gateway's own."""

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Fail."""
        del admission
        raise RuntimeError


class FullLimits(MemoryStore):
    """Limits that admit two lines, and none for a day."""

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Admit the first two of five."""
        full = LineLimit(name="client_day", retry_after=86_400)
        return [
            None if 5 - len(admission.lines) + n < 2 else full for n in range(len(admission.lines))
        ]


def runner_with(gateway: GatewayFixture, limits: MemoryStore) -> JobRunner:
    """A runner that asks these limits."""
    slots = Slots(most=1, most_of_one=1, turns=1)
    runtime = replace(gateway.runtime, limiter=limits, batch_slots=slots)
    return JobRunner(current=lambda: runtime)


async def test_a_job_whose_sets_fail_waits_longer_each_time_and_goes_on(
    gateway: GatewayFixture,
) -> None:
    """However often they fail; nothing of it is lost or charged twice."""
    caller = await platform(gateway)
    runner = runner_with(gateway, FaultyLimits(gateway.clock))
    slots, waits = gateway.runtime.batch_slots, list[int]()
    async with every_turn(slots):  # the gateway's own runner waits
        job = await started(caller, batch_line(1, gateway.uscc(), "is_active.v1"))
        for attempt in range(12):
            with gateway.clock.later(hours=attempt):
                assert await runner.round()
                caller.forget_tokens()
                found = await look(caller, job)
            assert (found["state"], found["reason"]) == ("paused", "temporarily_unavailable")
            (row,) = await gateway.rows(
                "SELECT resumes_at - served_at AS wait FROM verification_job WHERE job_id = :job",
                job=job,
            )
            waits.append(round(row["wait"].total_seconds()))
    assert waits == [retry_seconds(attempt) for attempt in range(12)]
    assert waits[:3] == [5, 10, 20]
    assert waits[-1] == LONGEST_RETRY_SECONDS
    with gateway.clock.later(hours=12):
        caller.forget_tokens()
        assert len((await finished(caller, job)).lines) == 1
    caller.forget_tokens()
    assert len(await gateway.log_of(caller)) == 1


async def test_a_job_that_fails_for_a_week_is_stopped(gateway: GatewayFixture) -> None:
    """Not at the first attempt after a week in which nobody tried: then it was not its fault."""
    caller = await platform(gateway)
    runner = runner_with(gateway, FaultyLimits(gateway.clock))
    slots = gateway.runtime.batch_slots
    async with every_turn(slots):
        job = await started(caller, batch_line(1, gateway.uscc(), "is_active.v1"))
        with gateway.clock.later(days=DAYS, minutes=1):
            assert await runner.round()
            caller.forget_tokens()
            assert (await look(caller, job))["state"] == "paused"
        with gateway.clock.later(days=DAYS, minutes=2):
            assert await runner.round()
            stopped = await look(caller, job)
    caller.forget_tokens()
    assert (stopped["state"], stopped["reason"]) == ("stopped", "no_progress")
    assert "ends_at" not in stopped
    assert not await gateway.log_of(caller)


async def test_a_job_that_no_quota_lets_go_on_is_stopped_and_keeps_its_answers(
    gateway: GatewayFixture,
) -> None:
    """At the time that it shows, which each answered line has moved."""
    caller, runner = await platform(gateway), runner_with(gateway, FullLimits(gateway.clock))
    usccs = [each.enterprise.uscc for each in gateway.entities[:5]]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    slots = gateway.runtime.batch_slots
    async with every_turn(slots):
        job = await started(caller, batch_body(lines))
        begun = await look(caller, job)
        with gateway.clock.later(hours=1):
            assert await runner.round()
            paused = await look(caller, job)
        assert (paused["reason"], paused["answered"]) == ("quota_exhausted", 2)
        assert begun["ends_at"] < paused["ends_at"]
        assert "expires_at" not in paused
        with gateway.clock.later(days=DAYS, hours=2):
            assert await runner.round()
            caller.forget_tokens()
            stopped = await look(caller, job)
    caller.forget_tokens()
    assert (stopped["state"], stopped["reason"]) == ("stopped", "no_progress")
    assert len((await finished(caller, job)).lines) == 2
    assert (await act(caller, job, "resume")).status_code == 409
