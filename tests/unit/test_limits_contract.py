"""Contract of the limiter's stores: memory, one Redis, Redis Cluster."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

import pytest
import pytest_asyncio
from redis import Redis

from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import (
    Admission,
    Admitted,
    Counter,
    Distinct,
    Limited,
    LimitsQuery,
    LineAdmission,
    LinesAdmission,
    Pin,
    PinConflict,
    Replay,
    Replayed,
    StaleGeneration,
)
from gateway.limits.store_protocol import LimitStore
from tests.servers.redis_server import RedisServer, patient_store, redis_cluster

DAY = 86_400


class StoreFixture(Protocol):
    """A store with control over time and data."""

    store: LimitStore

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def lose_everything(self) -> None:
        """Empty the store."""
        ...


class MemoryStoreFixture:
    """Memory store with a movable clock; data loss is a new store."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.store: LimitStore = MemoryStore(lambda: self.now)

    async def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += timedelta(seconds=seconds)

    async def lose_everything(self) -> None:
        """Replace the store."""
        self.store = MemoryStore(lambda: self.now)


class RedisStoreFixture:
    """Redis store in real time; data loss is FLUSHALL."""

    def __init__(self, *nodes: RedisServer) -> None:
        self.nodes = nodes
        self.store: LimitStore = patient_store(nodes[0].url)

    async def wait(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)

    async def lose_everything(self) -> None:
        """FLUSHALL."""
        for node in self.nodes:
            with node.client() as client:
                client.flushall()


@pytest.fixture(scope="module")
def single() -> Iterator[RedisServer]:
    """One Redis server."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[RedisServer]]:
    """A cluster of three nodes, which refuses keys of several slots in a script."""
    with redis_cluster() as nodes:
        yield nodes


@pytest_asyncio.fixture(params=["memory", "single", "cluster"])
async def fixture(request: pytest.FixtureRequest) -> AsyncIterator[StoreFixture]:
    """Each kind of store."""
    kind: str = request.param
    if kind == "memory":
        made: StoreFixture = MemoryStoreFixture()
    elif kind == "single":
        made = RedisStoreFixture(request.getfixturevalue(kind))
    else:
        made = RedisStoreFixture(*request.getfixturevalue(kind))
    yield made
    await made.store.close()


def make_counter(
    quota: int = 3, *, name: str = "client", window: int = DAY, cost: int = 1
) -> Counter:
    """A counter that hardly refills during a test."""
    return Counter(name=name, key="k", quota=quota, window=window, cost=cost)


def make_tag() -> str:
    """A new client tag."""
    return uuid4().hex


def make_admission(tag: str, *counters: Counter, generation: str | None = None) -> Admission:
    """A call that is only counted."""
    return Admission(tag=tag, generation=generation, counters=counters)


def make_replay(tag: str, key: str = "jti", ttl: int = 60, *counters: Counter) -> Admission:
    """A call with a replay key."""
    return Admission(
        tag=tag,
        generation=None,
        replay=Replay(key=key, ttl=ttl),
        counters=counters,
    )


def make_pin(tag: str, value: str, key: str = "k", ttl: int = 60) -> Admission:
    """A call that pins a value to `key`."""
    return Admission(tag=tag, generation=None, pin=Pin(key=key, value=value, ttl=ttl))


def make_member(tag: str, member: str, *, limit: int = 2, window: int = DAY) -> Admission:
    """A call about one of many enterprises."""
    distinct = Distinct(name="distinct", key="k", member=member, limit=limit, window=window)
    return Admission(tag=tag, generation=None, counters=(make_counter(100),), distinct=distinct)


async def remaining(fixture: StoreFixture, tag: str, counter: Counter) -> int:
    """Remaining quota, at no cost."""
    free = Counter(
        name=counter.name,
        key=counter.key,
        quota=counter.quota,
        window=counter.window,
        cost=0,
    )
    verdict = await fixture.store.admit(make_admission(tag, free))
    assert isinstance(verdict, Admitted)
    return verdict.states[0].remaining


@pytest.mark.asyncio
async def test_a_call_that_asks_nothing_is_admitted(fixture: StoreFixture) -> None:
    """An empty admission."""
    verdict = await fixture.store.admit(Admission(tag=make_tag(), generation=None))
    assert verdict == Admitted(states=(), generation=await fixture.store.generation())


@pytest.mark.asyncio
async def test_calls_are_admitted_up_to_the_quota_with_the_remaining_number(
    fixture: StoreFixture,
) -> None:
    """Three are admitted, the fourth has a Retry-After."""
    tag = make_tag()
    for left in (2, 1, 0):
        verdict = await fixture.store.admit(make_admission(tag, make_counter()))
        assert isinstance(verdict, Admitted)
        state = verdict.states[0]
        assert (state.name, state.quota, state.window) == ("client", 3, DAY)
        assert state.remaining == left
        assert DAY * (3 - left) // 3 - 60 < state.reset <= DAY * (3 - left) // 3
        assert DAY // 3 - 60 < state.refill <= DAY // 3
    refused = await fixture.store.admit(make_admission(tag, make_counter()))
    assert isinstance(refused, Limited)
    assert refused.name == "client"
    assert DAY // 3 - 60 < refused.retry_after <= DAY // 3
    assert refused.states[0].remaining == 0
    assert refused.states[0].refill == refused.retry_after


@pytest.mark.asyncio
async def test_a_refused_call_fits_after_as_long_as_it_was_told(fixture: StoreFixture) -> None:
    """Retry-After is at least one second and sufficient."""
    tag, counter = make_tag(), make_counter(2, window=2)
    for _ in range(2):
        assert isinstance(await fixture.store.admit(make_admission(tag, counter)), Admitted)
    refused = await fixture.store.admit(make_admission(tag, counter))
    assert isinstance(refused, Limited)
    assert refused.retry_after == 1
    await fixture.wait(1.01)
    assert isinstance(await fixture.store.admit(make_admission(tag, counter)), Admitted)


@pytest.mark.asyncio
async def test_two_clients_do_not_share_a_counter(fixture: StoreFixture) -> None:
    """Counters are separate."""
    one, two = make_tag(), make_tag()
    for _ in range(3):
        await fixture.store.admit(make_admission(one, make_counter()))
    assert isinstance(await fixture.store.admit(make_admission(two, make_counter())), Admitted)


@pytest.mark.asyncio
async def test_when_one_counter_refuses_none_is_charged(fixture: StoreFixture) -> None:
    """Atomic, in any position."""
    tag, wide, narrow = make_tag(), make_counter(10, name="wide"), make_counter(1, name="narrow")
    assert isinstance(await fixture.store.admit(make_admission(tag, wide, narrow)), Admitted)
    for order in ((wide, narrow), (narrow, wide)):
        refused = await fixture.store.admit(make_admission(tag, *order))
        assert isinstance(refused, Limited)
        assert refused.name == "narrow"
        assert {state.name: state.remaining for state in refused.states} == {"wide": 9, "narrow": 0}
    assert await remaining(fixture, tag, wide) == 9


@pytest.mark.asyncio
async def test_the_refusing_counter_with_the_longest_wait_is_named(
    fixture: StoreFixture,
) -> None:
    """Waiting that long is enough for both."""
    tag = make_tag()
    minute, day = make_counter(1, name="minute", window=60), make_counter(1, name="day")
    await fixture.store.admit(make_admission(tag, minute, day))
    refused = await fixture.store.admit(make_admission(tag, minute, day))
    assert isinstance(refused, Limited)
    assert refused.name == "day"
    assert refused.retry_after > 60


@pytest.mark.asyncio
async def test_a_cost_larger_than_the_quota_is_always_limited(fixture: StoreFixture) -> None:
    """Nothing is charged."""
    tag = make_tag()
    refused = await fixture.store.admit(make_admission(tag, make_counter(3, cost=4)))
    assert isinstance(refused, Limited)
    assert refused.retry_after >= 1
    assert await remaining(fixture, tag, make_counter(3)) == 3
    assert isinstance(
        await fixture.store.admit(make_admission(tag, make_counter(3, cost=10**15))),
        Limited,
    )


@pytest.mark.asyncio
async def test_a_lowered_quota_holds_at_once_and_a_raised_one_too(fixture: StoreFixture) -> None:
    """Spent calls are kept in proportion."""
    tag = make_tag()
    for _ in range(10):
        await fixture.store.admit(make_admission(tag, make_counter(10)))
    assert isinstance(await fixture.store.admit(make_admission(tag, make_counter(5))), Limited)
    assert isinstance(await fixture.store.admit(make_admission(tag, make_counter(20))), Limited)


@pytest.mark.asyncio
async def test_a_key_comes_once(fixture: StoreFixture) -> None:
    """The second time is a replay; other clients' keys are separate."""
    tag = make_tag()
    assert isinstance(await fixture.store.admit(make_replay(tag)), Admitted)
    assert isinstance(await fixture.store.admit(make_replay(tag)), Replayed)
    assert isinstance(await fixture.store.admit(make_replay(make_tag())), Admitted)


@pytest.mark.asyncio
async def test_a_replay_key_is_forgotten_after_its_time(fixture: StoreFixture) -> None:
    """The proof itself has expired by then."""
    tag = make_tag()
    assert isinstance(await fixture.store.admit(make_replay(tag, ttl=1)), Admitted)
    await fixture.wait(1.05)
    assert isinstance(await fixture.store.admit(make_replay(tag, ttl=1)), Admitted)


@pytest.mark.asyncio
async def test_a_replay_charges_nothing(fixture: StoreFixture) -> None:
    """Replays cannot exhaust a client's quota."""
    tag = make_tag()
    for _ in range(3):
        await fixture.store.admit(make_replay(tag, "jti", 60, make_counter()))
    assert await remaining(fixture, tag, make_counter()) == 2


@pytest.mark.asyncio
async def test_a_limited_call_has_used_its_proof(fixture: StoreFixture) -> None:
    """The replay key is stored although nothing is charged."""
    tag, counter = make_tag(), make_counter(1)
    assert isinstance(await fixture.store.admit(make_replay(tag, "1", 60, counter)), Admitted)
    assert isinstance(await fixture.store.admit(make_replay(tag, "2", 60, counter)), Limited)
    assert isinstance(await fixture.store.admit(make_replay(tag, "2", 60, counter)), Replayed)


@pytest.mark.parametrize("key", ["", "\ud800", "}{", "x" * 100_000, "a b\r\nc", "信桥\x00"])
@pytest.mark.asyncio
async def test_any_text_can_be_a_key(fixture: StoreFixture, key: str) -> None:
    """Hostile `jti` values too."""
    tag = make_tag()
    assert isinstance(await fixture.store.admit(make_replay(tag, key)), Admitted)
    assert isinstance(await fixture.store.admit(make_replay(tag, key)), Replayed)
    assert isinstance(await fixture.store.admit(make_replay(tag, key + "'")), Admitted)


@pytest.mark.asyncio
async def test_one_concurrent_use_of_a_key_is_admitted(fixture: StoreFixture) -> None:
    """The other 199 are replays."""
    tag = make_tag()
    verdicts = await asyncio.gather(*(fixture.store.admit(make_replay(tag)) for _ in range(100)))
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 1
    assert sum(isinstance(verdict, Replayed) for verdict in verdicts) == 99


@pytest.mark.asyncio
async def test_concurrency_never_admits_more_than_the_quota(fixture: StoreFixture) -> None:
    """Of 80 concurrent calls."""
    tag, counter = make_tag(), make_counter(37)
    calls = (fixture.store.admit(make_admission(tag, counter)) for _ in range(80))
    verdicts = await asyncio.gather(*calls)
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 37


@pytest.mark.asyncio
async def test_a_pin_holds_its_first_value_for_its_time(fixture: StoreFixture) -> None:
    """The same value again is accepted, another is a conflict, until it expires."""
    tag = make_tag()
    assert isinstance(await fixture.store.admit(make_pin(tag, "a", ttl=1)), Admitted)
    assert isinstance(await fixture.store.admit(make_pin(tag, "a", ttl=1)), Admitted)
    assert isinstance(await fixture.store.admit(make_pin(tag, "b", ttl=1)), PinConflict)
    assert isinstance(await fixture.store.admit(make_pin(tag, "b", key="other", ttl=1)), Admitted)
    await fixture.wait(1.05)
    assert isinstance(await fixture.store.admit(make_pin(tag, "b", ttl=1)), Admitted)


@pytest.mark.asyncio
async def test_one_of_concurrent_values_is_pinned(fixture: StoreFixture) -> None:
    """The others conflict."""
    tag = make_tag()
    calls = (fixture.store.admit(make_pin(tag, str(n))) for n in range(50))
    verdicts = await asyncio.gather(*calls)
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 1
    assert sum(isinstance(verdict, PinConflict) for verdict in verdicts) == 49


@pytest.mark.asyncio
async def test_a_replay_is_told_before_a_conflict_and_a_conflict_before_a_limit(
    fixture: StoreFixture,
) -> None:
    """Order of checks."""
    tag = make_tag()

    async def everything(jti: str, value: str) -> object:
        return await fixture.store.admit(
            Admission(
                tag=tag,
                generation=None,
                replay=Replay(key=jti, ttl=60),
                pin=Pin(key="k", value=value, ttl=60),
                counters=(make_counter(1),),
            ),
        )

    assert isinstance(await everything("1", "a"), Admitted)
    assert isinstance(await everything("1", "b"), Replayed)
    assert isinstance(await everything("2", "b"), PinConflict)
    assert isinstance(await everything("2", "a"), Replayed)
    assert isinstance(await everything("3", "a"), Limited)


@pytest.mark.asyncio
async def test_distinct_members_are_limited_and_those_seen_are_free(fixture: StoreFixture) -> None:
    """The third enterprise is refused; the first two stay free for the day."""
    tag = make_tag()
    for member, left in (("a", 1), ("a", 1), ("b", 0), ("a", 0)):
        verdict = await fixture.store.admit(make_member(tag, member))
        assert isinstance(verdict, Admitted)
        assert (verdict.states[-1].name, verdict.states[-1].remaining) == ("distinct", left)
    refused = await fixture.store.admit(make_member(tag, "c"))
    assert isinstance(refused, Limited)
    assert refused.name == "distinct"
    assert 1 <= refused.retry_after <= DAY
    assert refused.states[-1].reset == refused.retry_after
    assert isinstance(await fixture.store.admit(make_member(tag, "b")), Admitted)


@pytest.mark.asyncio
async def test_one_member_too_many_charges_no_counter(fixture: StoreFixture) -> None:
    """Atomic in both directions."""
    tag = make_tag()
    await fixture.store.admit(make_member(tag, "a", limit=1))
    await fixture.store.admit(make_member(tag, "b", limit=1))
    assert await remaining(fixture, tag, make_counter(100)) == 99
    full = Distinct(name="distinct", key="k", member="b", limit=2, window=DAY)
    never = make_counter(1, name="never", cost=2)
    refused = Admission(tag=tag, generation=None, counters=(never,), distinct=full)
    assert isinstance(await fixture.store.admit(refused), Limited)
    assert isinstance(await fixture.store.admit(make_member(tag, "c")), Admitted)


@pytest.mark.asyncio
async def test_a_new_window_begins_with_no_members(fixture: StoreFixture) -> None:
    """Windows are fixed."""
    tag = make_tag()
    await fixture.store.admit(make_member(tag, "a", limit=1, window=1))
    await fixture.wait(1.1)
    assert isinstance(await fixture.store.admit(make_member(tag, "b", limit=1, window=1)), Admitted)


@pytest.mark.asyncio
async def test_concurrency_never_admits_more_distinct_members(fixture: StoreFixture) -> None:
    """Of 50 concurrent enterprises."""
    tag = make_tag()
    calls = (fixture.store.admit(make_member(tag, str(n), limit=7)) for n in range(50))
    verdicts = await asyncio.gather(*calls)
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 7


@pytest.mark.asyncio
async def test_the_present_generation_is_admitted_and_another_is_stale(
    fixture: StoreFixture,
) -> None:
    """The answer has the present generation, and nothing is charged."""
    tag, present = make_tag(), await fixture.store.generation()
    ours = make_admission(tag, make_counter(), generation=present)
    assert isinstance(await fixture.store.admit(ours), Admitted)
    stale = await fixture.store.admit(make_admission(tag, make_counter(), generation="another"))
    assert stale == StaleGeneration(generation=present)
    assert await remaining(fixture, tag, make_counter()) == 2


@pytest.mark.asyncio
async def test_a_store_that_lost_everything_reopens_nothing(fixture: StoreFixture) -> None:
    """Earlier proofs have nonces of the old generation."""
    tag, before = make_tag(), await fixture.store.generation()
    used = Admission(tag=tag, generation=before, replay=Replay(key="jti", ttl=60))
    assert isinstance(await fixture.store.admit(used), Admitted)
    await fixture.lose_everything()
    first = await fixture.store.admit(used)
    assert isinstance(first, StaleGeneration)
    assert first.generation != before
    assert await fixture.store.admit(used) == first
    assert await fixture.store.generation() == first.generation
    fresh = Admission(
        tag=tag,
        generation=first.generation,
        replay=Replay(key="new", ttl=60),
    )
    assert isinstance(await fixture.store.admit(fresh), Admitted)


@pytest.mark.asyncio
async def test_a_shared_random_text_is_one_until_it_is_forgotten(fixture: StoreFixture) -> None:
    """One name has one text for its term; another name, a later time and a loss have another."""
    name = make_tag()
    seen = await asyncio.gather(*(fixture.store.shared_random(name, 60) for _ in range(20)))
    other = await fixture.store.shared_random(f"{name} other", 1)
    assert len({*seen, other}) == 2
    await fixture.wait(1.1)
    assert await fixture.store.shared_random(f"{name} other", 60) != other
    assert await fixture.store.shared_random(name, 60) == seen[0]
    await fixture.lose_everything()
    assert await fixture.store.shared_random(name, 60) != seen[0]


@pytest.mark.asyncio
async def test_all_workers_see_one_generation(single: RedisServer) -> None:
    """Twenty concurrent workers create one."""
    with single.client() as client:
        client.flushall()
    workers = [patient_store(single.url) for _ in range(20)]
    seen = await asyncio.gather(*(worker.generation() for worker in workers))
    verdicts = await asyncio.gather(*(w.admit(make_admission(make_tag())) for w in workers))
    assert len({*seen, *(verdict.generation for verdict in verdicts)}) == 1
    await asyncio.gather(*(worker.close() for worker in workers))


@pytest.mark.asyncio
async def test_redis_holds_digests_that_expire_in_one_slot(single: RedisServer) -> None:
    """No caller's key or value; everything but the generation expires."""
    store = patient_store(single.url)
    with single.client() as client:
        client.flushall()
        await store.admit(
            Admission(
                tag="bank",
                generation=None,
                replay=Replay(key="secret", ttl=60),
                pin=Pin(key="secret", value="secret", ttl=60),
                counters=(Counter(name="client", key="secret", quota=1, window=60),),
                distinct=Distinct(name="d", key="secret", member="secret", limit=1, window=DAY),
            ),
        )
        keys = client.keys()
        rooms = [key for key in keys if key.startswith("xq:{bank}:")]
        assert len(rooms) == 4
        assert {*keys} - {*rooms} == {"xq:generation"}
        assert all(client.pttl(key) > 0 for key in rooms)
        assert "secret" not in " ".join(keys + [_value(client, key) for key in keys])
    await store.close()


def _value(client: Redis, key: str) -> str:
    return str(client.smembers(key) if client.type(key) == "set" else client.get(key))


def make_lines(tag: str, members: str, *, limit: int, client: int, own: int) -> LinesAdmission:
    """Lines about these enterprises, one letter each, by quotas of the client and of each enterprise."""
    return LinesAdmission(
        tag=tag,
        shared=(make_counter(client), make_counter(100, name="day")),
        lines=tuple(
            LineAdmission(
                counter=Counter(name="enterprise", key=each, quota=own, window=DAY),
                distinct=Distinct(name="distinct", key="k", member=each, limit=limit, window=DAY),
            )
            for each in members
        ),
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("limit", "client", "own", "expected"),
    [
        (9, 9, 9, [None] * 6),
        (2, 9, 9, [None, None, None, "distinct", None, "distinct"]),
        (9, 4, 9, [None, None, None, None, "client", "client"]),
        (9, 9, 2, [None, None, None, None, "enterprise", None]),
        (1, 9, 2, [None, None, "distinct", "distinct", "enterprise", "distinct"]),
    ],
)
async def test_lines_are_admitted_as_the_same_calls_one_by_one(
    fixture: StoreFixture, limit: int, client: int, own: int, expected: list[str | None]
) -> None:
    """Each by itself and in order: what does not fit leaves room for those behind it."""
    together, apart = make_tag(), make_tag()
    lines = make_lines(together, "aabcad", limit=limit, client=client, own=own)
    found = await fixture.store.admit_lines(lines)
    assert [each and each.name for each in found] == expected
    for line, limited in zip(lines.lines, found, strict=True):
        verdict = await fixture.store.admit(
            Admission(
                tag=apart,
                generation=None,
                counters=(*lines.shared, line.counter),
                distinct=line.distinct,
            )
        )
        if limited is None:
            assert isinstance(verdict, Admitted)
        else:
            assert isinstance(verdict, Limited)
            assert verdict.name == limited.name
            assert abs(verdict.retry_after - limited.retry_after) <= 10
    for counter in lines.shared:
        assert await remaining(fixture, together, counter) == await remaining(
            fixture, apart, counter
        )


@pytest.mark.asyncio
async def test_a_line_that_costs_nothing_is_still_judged(fixture: StoreFixture) -> None:
    """Its client was charged before; its enterprise's quota and the distinct ones are not."""
    tag = make_tag()
    lines = make_lines(tag, "ab", limit=1, client=1, own=1)
    free = replace(lines, lines=tuple(replace(each, cost=0) for each in lines.lines))
    assert [each and each.name for each in await fixture.store.admit_lines(free)] == [
        None,
        "distinct",
    ]
    assert await remaining(fixture, tag, lines.shared[0]) == 1


@pytest.mark.asyncio
async def test_no_lines_are_no_round_trip(fixture: StoreFixture) -> None:
    """An empty admission is answered by nothing."""
    lines = make_lines(make_tag(), "", limit=1, client=1, own=1)
    assert list(await fixture.store.admit_lines(lines)) == []


@pytest.mark.asyncio
async def test_members_are_admitted_together_or_not_at_all(fixture: StoreFixture) -> None:
    """What does not fit is not charged in part; a member that was seen is free, named twice or not."""
    tag, limit = make_tag(), 2_500

    def members(first: int, count: int) -> list[Distinct]:
        made = make_member(tag, "", limit=limit).distinct
        assert made is not None
        return [replace(made, member=str(n)) for n in range(first, first + count)]

    assert await fixture.store.admit_members(tag, []) is None
    assert await fixture.store.admit_members(tag, members(0, 2_000) + members(0, 1)) is None
    refused = await fixture.store.admit_members(tag, members(1_000, 1_501))
    assert refused is not None
    assert refused.name == "distinct"
    assert 0 < refused.retry_after <= DAY
    assert await fixture.store.admit_members(tag, members(1_000, 1_500)) is None
    assert await fixture.store.admit_members(tag, members(0, limit)) is None
    assert await fixture.store.admit_members(tag, members(limit, 1)) is not None


@pytest.mark.asyncio
async def test_reading_tells_what_is_left_and_charges_nothing(fixture: StoreFixture) -> None:
    """Twice the same; of counters, distinct members, and the last refusal."""
    tag, counter = make_tag(), make_counter(3)
    member = make_member(tag, "a", limit=5)
    await fixture.store.admit(replace(member, counters=(counter,)))
    query = LimitsQuery(
        tag=tag, counters=(counter, make_counter(7, name="other")), distinct=member.distinct
    )
    for _ in range(2):
        reading = await fixture.store.read(query)
        assert [state.remaining for state in reading.states] == [2, 7, 4]
        assert reading.states[1].refill == reading.states[1].reset == 0
        assert 0 < reading.states[2].reset <= DAY
        assert reading.last_refusal is None
    assert await remaining(fixture, tag, counter) == 2


@pytest.mark.asyncio
async def test_the_last_refusal_is_remembered_for_its_tag(fixture: StoreFixture) -> None:
    """The newer one counts; another tag has none."""
    tag, query = make_tag(), LimitsQuery(tag=make_tag(), counters=())
    await fixture.store.note_refusal(tag, "client", 5)
    await fixture.store.note_refusal(tag, "client_day", 90_000)
    reading = await fixture.store.read(replace(query, tag=tag))
    last = reading.last_refusal
    assert last is not None
    assert (last.name, last.fits_at - last.refused_at) == ("client_day", 90_000_000_000)
    assert reading.now - 60_000_000 < last.refused_at <= reading.now
    assert (await fixture.store.read(query)).last_refusal is None


def make_shared(quota: int) -> Counter:
    """A counter of all tags, that no other test has."""
    return Counter(name="gateway", key=uuid4().hex, quota=quota, window=DAY, shared=True)


@pytest.mark.asyncio
async def test_a_shared_counter_is_one_for_all_tags(fixture: StoreFixture) -> None:
    """And is charged only for calls that their own counters admit."""
    shared = make_shared(3)
    greedy, other = make_tag(), make_tag()
    own = make_counter(1)
    seen = [
        await fixture.store.admit(make_admission(tag, own, shared))
        for tag in (greedy, greedy, greedy, other, make_tag(), make_tag())
    ]
    kinds = [each.name if isinstance(each, Limited) else "admitted" for each in seen]
    assert kinds == ["admitted", "client", "client", "admitted", "admitted", shared.name]


@pytest.mark.asyncio
async def test_a_proof_is_used_once_beside_a_shared_counter(fixture: StoreFixture) -> None:
    """The replay check comes first, in a cluster too."""
    tag, shared = make_tag(), make_shared(10)
    call = make_replay(tag, "jti", 60, make_counter(), shared)
    verdicts = await asyncio.gather(*(fixture.store.admit(call) for _ in range(20)))
    assert sum(isinstance(each, Admitted) for each in verdicts) == 1
    assert sum(isinstance(each, Replayed) for each in verdicts) == 19
    left = await fixture.store.admit(make_admission(make_tag(), replace(shared, cost=9)))
    assert isinstance(left, Admitted)
