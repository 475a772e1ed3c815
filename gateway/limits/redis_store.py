"""Redis limit store, shared by all workers: one round trip a call, no retry, fails closed."""

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import structlog

from gateway.limits import lines_script, members_script, read_script, script
from gateway.limits.lines_script import ADMIT_LINES
from gateway.limits.members_script import ADMIT_MEMBERS
from gateway.limits.model import (
    SHARED_TAG,
    Admission,
    Admitted,
    Distinct,
    Limited,
    LimitsQuery,
    LimitsReading,
    LineLimit,
    LinesAdmission,
    StaleGeneration,
    Verdict,
)
from gateway.limits.redis_connection import connect_to
from gateway.limits.redis_keys import short_digest
from gateway.limits.store_protocol import RANDOM_BYTES, LimiterUnavailableError

GENERATION: Final = "xq:generation"
SHARED: Final = "xq:shared"
DEADLINE = 4.0  # seconds: more than the timeout of a silent Redis

T = TypeVar("T")

log = structlog.get_logger("gateway.limits")


class RedisStore:
    """A `LimitStore` on Redis ≥ 7: redis, rediss, unix, redis+cluster or rediss+cluster URLs."""

    def __init__(self, url: str, *, deadline: float = DEADLINE) -> None:
        """`deadline` is in seconds, for one admission."""
        self._connection = connect_to(url)
        self._deadline = deadline
        self._last_seen: str | None = None

    async def admit(self, admission: Admission) -> Verdict:
        """Judge and charge in one script; see `LimitStore`.

        In a cluster shared counters are on a node of their own: they are charged after the others, and
        only if those admit the call; what was charged stays so where a shared one then refuses.
        """
        shared = tuple(each for each in admission.counters if each.shared)
        if not shared or self._connection.spans_slots:
            return await self._admit(admission)
        own = tuple(each for each in admission.counters if not each.shared)
        verdict = await self._admit(replace(admission, counters=own))
        if not isinstance(verdict, Admitted):
            return verdict
        of_all = await self._admit(Admission(tag=SHARED_TAG, generation=None, counters=shared))
        return replace(of_all, states=verdict.states) if isinstance(of_all, Limited) else verdict

    async def _admit(self, admission: Admission) -> Verdict:
        if await self._is_surely_stale(admission.generation):
            return StaleGeneration(generation=str(self._last_seen))
        present, reply = await self._in_time(self._run(script.arguments(admission)))
        self._last_seen = present
        if admission.generation not in {None, present}:
            return StaleGeneration(generation=present)
        return script.verdict(admission, reply, present)

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Judge and charge the lines in one script; see `LimitStore`."""
        if not admission.lines:
            return []
        command = lines_script.arguments(admission)
        reply = await self._in_time(self._connection.run(ADMIT_LINES, command))
        return lines_script.limits(admission, reply)

    async def admit_members(self, tag: str, members: Sequence[Distinct]) -> LineLimit | None:
        """Judge and charge the members in one script; see `LimitStore`."""
        if not members:
            return None
        command = members_script.arguments(tag, members)
        reply = await self._in_time(self._connection.run(ADMIT_MEMBERS, command))
        return members_script.limit(members, reply)

    async def read(self, query: LimitsQuery) -> LimitsReading:
        """Read in one script; see `LimitStore`."""
        reply = await self._in_time(
            self._connection.run(read_script.READ, read_script.read_arguments(query))
        )
        return read_script.reading(query, reply)

    async def note_refusal(self, tag: str, name: str, seconds: int) -> None:
        """Remember by Redis's clock; see `LimitStore`."""
        arguments = read_script.note_arguments(tag, name, seconds)
        await self._in_time(self._connection.run(read_script.NOTE_REFUSAL, arguments))

    async def generation(self) -> str:
        """The present generation, created where there is none; see `LimitStore`."""
        fresh = _fresh()
        found = await self._in_time(self._connection.set_or_get(GENERATION, fresh))
        self._last_seen = found or fresh
        return self._last_seen

    async def shared_random(self, name: str, seconds: int) -> str:
        """The present text, or a fresh one; see `LimitStore`."""
        fresh = secrets.token_urlsafe(RANDOM_BYTES)
        key = f"{SHARED}:{short_digest(name)}"
        return await self._in_time(self._connection.set_or_get(key, fresh, seconds)) or fresh

    async def close(self) -> None:
        """Finish the calls in flight, then close the connections."""
        await self._connection.close()

    async def _is_surely_stale(self, given: str | None) -> bool:
        """Ask for the generation first where it is not the last one seen: a stale call charges nothing."""
        return given not in {None, self._last_seen} and given != await self.generation()

    async def _run(self, arguments: script.Arguments) -> tuple[str, list[Any]]:
        fresh = _fresh()
        present, reply = await self._connection.admit_beside(GENERATION, fresh, arguments)
        return present or fresh, reply

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._deadline):
                return await work
        except Exception as error:  # noqa: BLE001  # redis-py lets AttributeError out when a node goes down
            log.warning("limiter_unavailable", kind=type(error).__name__)
            raise LimiterUnavailableError from None  # closed: no count, no answer


def _fresh() -> str:
    return secrets.token_urlsafe(12)
