"""Sets of concurrent calls: who shares one, who waits, and what a failure costs."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import asyncpg
import pytest

from gateway.db.batches import Batcher
from gateway.db.statements import SetStatement, Statement
from gateway.db.unavailable import UnavailableError

pytestmark = pytest.mark.asyncio

CALL = SetStatement(
    single=Statement("SELECT CAST(:number AS integer)"),
    many="",
    names=("number", "enterprise"),
    key=("enterprise",),
)


@dataclass(slots=True)
class Database:
    """Answers each call with its own number, and notes what was asked together."""

    sets: list[list[int]] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)
    refused: Exception | None = None
    poisoned: set[int] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    busy: set[str] = field(default_factory=set)
    locked: set[int] = field(default_factory=set)
    lock_timeout: float = 60.0
    broken: BaseException | None = None

    async def run_single(self, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """One call."""
        self.alone.append(values["number"])
        await self._work([values])
        if values["number"] in self.locked:
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
        if values["number"] in self.poisoned:
            raise asyncpg.DataError("a value that PostgreSQL refuses")
        return _row(values["number"])

    async def run_set(self, calls: Sequence[Mapping[str, Any]]) -> list[asyncpg.Record]:
        """A set of calls."""
        self.sets.append([each["number"] for each in calls])
        await self._work(calls)
        if self.refused is not None:
            raise self.refused
        if isinstance(self.broken, LookupError):
            return [_row(0, place=99)]
        if self.broken is not None:
            raise self.broken
        return [
            _row(each["number"], place)
            for place, each in enumerate(calls, 1)
            if each["number"] not in self.left_out | self.locked
        ]

    async def _work(self, calls: Sequence[Mapping[str, Any]]) -> None:
        enterprises = {str(each["enterprise"]) for each in calls}
        assert len(enterprises) == len(calls)
        assert not enterprises & self.busy
        self.busy |= enterprises
        await self.gate.wait()
        self.busy -= enterprises

    def batcher(self, statement: SetStatement = CALL) -> Batcher:
        """A batcher over this database."""
        return Batcher(
            statement=statement,
            run_single=self.run_single,
            run_set=self.run_set,
            most_waiting=40,
            lock_timeout=self.lock_timeout,
        )


def _row(number: int, place: int = 0) -> asyncpg.Record:
    return cast("asyncpg.Record", {"number": number, "place": place})


def _call(number: int, enterprise: object = None) -> dict[str, Any]:
    return {"number": number, "enterprise": str(number if enterprise is None else enterprise)}


async def _numbers(calls: Sequence[Awaitable[asyncpg.Record | None]]) -> list[object]:
    found = await asyncio.gather(*calls, return_exceptions=True)
    return [each if isinstance(each, BaseException | None) else each["number"] for each in found]


@pytest.fixture
def database() -> Database:
    """A database that answers at once."""
    made = Database()
    made.gate.set()
    return made


async def test_a_call_by_itself_is_a_statement_by_itself(database: Database) -> None:
    """It waits for nobody."""
    assert await _numbers([database.batcher().submit(_call(7))]) == [7]
    assert (database.alone, database.sets) == ([7], [])


async def test_calls_that_come_together_share_statements_of_sixteen(database: Database) -> None:
    """Each gets its own row."""
    batcher = database.batcher()
    assert await _numbers([batcher.submit(_call(n)) for n in range(40)]) == list(range(40))
    assert [len(each) for each in database.sets] == [16, 16, 8]
    assert database.alone == []


async def test_two_sets_are_under_way_and_the_next_gathers(database: Database) -> None:
    """What comes while two are under way goes together."""
    database.gate.clear()
    batcher = database.batcher()
    calls = [batcher.submit(_call(1))]
    await asyncio.sleep(0)
    calls.append(batcher.submit(_call(2)))
    await asyncio.sleep(0)
    for number in range(3, 9):
        calls.append(batcher.submit(_call(number)))
        await asyncio.sleep(0)
    assert (database.alone, database.sets) == ([1, 2], [])
    database.gate.set()
    assert await _numbers(calls) == list(range(1, 9))
    assert database.sets == [[3, 4, 5, 6, 7, 8]]


async def test_calls_about_one_enterprise_are_never_under_way_at_once(database: Database) -> None:
    """Nor in one set: uses, probes and stored answers are its own. The database asserts it."""
    batcher = database.batcher()
    calls = [batcher.submit(_call(n, enterprise=n % 3)) for n in range(30)]
    assert await _numbers(calls) == list(range(30))
    assert sum(map(len, database.sets)) + len(database.alone) == 30


async def test_what_a_set_of_reads_leaves_out_has_no_row(database: Database) -> None:
    """As the single statement would give none."""
    database.left_out = {2, 4}
    batcher = database.batcher(replace(CALL, reads=True))
    calls = [batcher.submit(_call(n)) for n in range(6)]
    assert await _numbers(calls) == [0, 1, None, 3, None, 5]
    assert database.alone == []


async def test_what_a_set_leaves_out_is_carried_out_by_itself(database: Database) -> None:
    """A row that has changed, or is locked, costs its own call alone."""
    database.left_out = {2, 4}
    batcher = database.batcher()
    assert await _numbers([batcher.submit(_call(n)) for n in range(6)]) == list(range(6))
    assert database.sets == [[0, 1, 2, 3, 4, 5]]
    assert sorted(database.alone) == [2, 4]


@pytest.mark.parametrize(
    "refused",
    [asyncpg.CharacterNotInRepertoireError("0x00"), ValueError("cannot be encoded")],
    ids=["server", "driver"],
)
async def test_a_poisoned_call_fails_by_itself(database: Database, refused: Exception) -> None:
    """PostgreSQL, or its driver, refuses the set; the others are carried out."""
    database.refused, database.poisoned = refused, {3}
    batcher = database.batcher()
    found = await _numbers([batcher.submit(_call(n)) for n in range(6)])
    assert [each for each in found if not isinstance(each, Exception)] == [0, 1, 2, 4, 5]
    assert isinstance(found[3], asyncpg.DataError)


@pytest.mark.parametrize(
    "lost",
    [asyncpg.ConnectionDoesNotExistError("closed"), ConnectionResetError(), TimeoutError()],
    ids=lambda error: type(error).__name__,
)
async def test_after_a_lost_connection_nothing_is_repeated(
    database: Database, lost: Exception
) -> None:
    """The set may have been written: each caller hears of it."""
    database.refused = lost
    batcher = database.batcher()
    assert await _numbers([batcher.submit(_call(n)) for n in range(4)]) == [lost] * 4
    assert database.alone == []
    database.refused = None
    assert await _numbers([batcher.submit(_call(n)) for n in range(4)]) == list(range(4))


async def test_a_caller_that_goes_takes_nothing_with_it(database: Database) -> None:
    """While it waits it is left out; once under way its set goes on."""
    database.gate.clear()
    batcher = database.batcher()
    first = [batcher.submit(_call(n)) for n in range(4)]
    await asyncio.sleep(0)
    second = [batcher.submit(_call(n)) for n in range(4, 8)]
    await asyncio.sleep(0)
    waiting = [batcher.submit(_call(n)) for n in range(8, 12)]
    first[1].cancel()
    waiting[2].cancel()
    database.gate.set()
    found = await _numbers(first + second + waiting)
    gone = [number for number, each in enumerate(found) if not isinstance(each, int)]
    assert gone == [1, 10]
    assert database.sets == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 11]]


async def test_a_call_left_out_whose_caller_has_gone_is_not_carried_out(
    database: Database,
) -> None:
    """Nobody would hear the answer."""
    database.left_out = {1}
    database.gate.clear()
    batcher = database.batcher()
    calls = [batcher.submit(_call(n)) for n in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()
    database.gate.set()
    await _numbers(calls)
    assert database.alone == []


async def test_who_finds_too_many_waiting_is_refused_at_once(database: Database) -> None:
    """Where the database does not answer the queue is bounded; later there is room again."""
    database.gate.clear()
    batcher = database.batcher()
    calls = [batcher.submit(_call(n)) for n in range(40)]
    with pytest.raises(UnavailableError):
        batcher.submit(_call(40))
    database.gate.set()
    assert await _numbers(calls) == list(range(40))
    assert await _numbers([batcher.submit(_call(41))]) == [41]


async def test_calls_that_find_a_lock_hold_nobody_up_and_try_again(database: Database) -> None:
    """As many as there are: they hold neither a place under way nor a connection."""
    database.locked = set(range(8))
    batcher = database.batcher()
    locked = [batcher.submit(_call(n)) for n in range(8)]
    free = [batcher.submit(_call(n)) for n in range(8, 16)]
    assert await _numbers(free) == list(range(8, 16))
    assert not any(each.done() for each in locked)
    assert await _numbers([batcher.submit(_call(20))]) == [20]
    database.locked = set()
    assert await _numbers(locked) == list(range(8))


async def test_a_lock_that_is_never_given_ends_in_its_error(database: Database) -> None:
    """After the time that a statement may take."""
    database.locked, database.lock_timeout = {1}, 0.02
    batcher = database.batcher()
    found = await _numbers([batcher.submit(_call(n)) for n in range(3)])
    assert isinstance(found[1], asyncpg.LockNotAvailableError)
    assert (found[0], found[2]) == (0, 2)


async def _fill(batcher: Batcher) -> None:
    """Submit calls that are answered at once; one fits only while a locked one is being tried again."""
    for number in itertools.count(40):
        await batcher.submit(_call(number))


async def test_calls_that_wait_for_a_lock_count_among_those_that_wait(database: Database) -> None:
    """So that the queue stays bounded."""
    database.locked = set(range(40))
    batcher = database.batcher()
    calls = [batcher.submit(_call(n)) for n in range(40)]
    with pytest.raises(UnavailableError):
        await _fill(batcher)
    database.locked = set()
    assert await _numbers(calls) == list(range(40))


async def test_whatever_happens_each_call_ends(database: Database) -> None:
    """A set that is cancelled, and an answer about a call that was never sent."""
    for error in (asyncio.CancelledError(), LookupError()):
        database.broken = error
        batcher = database.batcher()
        calls = [batcher.submit(_call(n)) for n in range(4)]
        async with asyncio.timeout(60):
            found = await _numbers(calls)
        assert all(isinstance(each, Exception) for each in found)
    database.broken = None
    assert await _numbers([batcher.submit(_call(n)) for n in range(4)]) == list(range(4))


async def test_calls_of_the_same_values_are_asked_once(database: Database) -> None:
    """Where a statement's calls may share their answer."""
    shared = SetStatement(single=CALL.single, many="", names=CALL.names, shared=True)
    batcher = database.batcher(shared)
    calls = [batcher.submit(_call(n % 2)) for n in range(8)]
    assert await _numbers(calls) == [0, 1] * 4
    assert database.sets == [[0, 1]]


async def test_closing_waits_for_what_is_under_way(database: Database) -> None:
    """Also for what has not begun."""
    database.gate.clear()
    batcher = database.batcher()
    calls = [batcher.submit(_call(n)) for n in range(40)]
    await asyncio.sleep(0)
    closing: Callable[[], Awaitable[None]] = batcher.close
    waiting = asyncio.ensure_future(closing())
    await asyncio.sleep(0)
    assert not waiting.done()
    database.gate.set()
    await waiting
    assert all(each.done() for each in calls)
