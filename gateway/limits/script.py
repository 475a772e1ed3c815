"""Arguments and replies of the admission script `admit.lua`; its text, and so its digest, is fixed."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from redis.exceptions import NoScriptError

from gateway.limits import gcra
from gateway.limits.decision import DAY_STARTS, StoreState, judge
from gateway.limits.gcra import SECOND
from gateway.limits.model import Admission, Counter, PinConflict, Replayed, Verdict
from gateway.limits.redis_keys import distinct_key, full_counter_key, short_digest

TEXT = (Path(__file__).parent / "admit.lua").read_text("utf-8")
# The admission script, and SET NX GET of the last key to the last argument.
WITH_GENERATION_TEXT = f"""
local present = redis.call('SET', KEYS[#KEYS], ARGV[#ARGV], 'NX', 'GET')
local function admit(KEYS, ARGV)
{TEXT}
end
return {{present, admit({{unpack(KEYS, 1, #KEYS - 1)}}, {{unpack(ARGV, 1, #ARGV - 1)}})}}
"""

NEVER = -1

Arguments = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and its digest for EVALSHA."""

    text: str
    digest: str

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The script of this text."""
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


async def run_script(
    call: Callable[..., Awaitable[Any]], script: Script, arguments: Arguments
) -> Any:
    """Run `script` by its digest, or by its text where the server does not have it."""
    try:
        return await call("EVALSHA", script.digest, *arguments)
    except NoScriptError:
        return await call("EVAL", script.text, *arguments)


ADMIT = Script.from_text(TEXT)
ADMIT_WITH_GENERATION = Script.from_text(WITH_GENERATION_TEXT)


def with_generation(arguments: Arguments, key: str, fresh: str) -> Arguments:
    """The arguments of `ADMIT_WITH_GENERATION`, from those of `ADMIT`."""
    number, *rest = arguments
    keys, values = rest[: int(number)], rest[int(number) :]
    return (len(keys) + 1, *keys, key, *values, fresh)


def arguments(admission: Admission) -> Arguments:
    """The arguments of EVAL after the script: the number of keys, the keys, the values."""
    keys = tuple(_keys(admission))
    return (len(keys), *keys, *_values(admission))


def verdict(admission: Admission, reply: list[Any], generation: str) -> Verdict:
    """The verdict in the script's reply."""
    match reply:
        case ["replayed"]:
            return Replayed(generation=generation)
        case ["conflict"]:
            return PinConflict(generation=generation)
        case _:
            _, now, members, seen, *tats = reply
            state = StoreState(
                now=now, tats=tuple(map(int, tats)), members=members, seen=bool(seen)
            )
            return judge(admission, state, generation)


def _keys(admission: Admission) -> Iterator[str]:
    replay, pin, distinct = admission.replay, admission.pin, admission.distinct
    prefix = f"xq:{{{admission.tag}}}:"
    yield f"{prefix}replay:{short_digest(replay.key) if replay else ''}"
    yield f"{prefix}pin:{short_digest(pin.key) if pin else ''}"
    yield prefix + (distinct_key(distinct) if distinct else "distinct:")
    yield from (full_counter_key(admission.tag, counter) for counter in admission.counters)


def _values(admission: Admission) -> Iterator[str | int]:
    replay, pin, distinct = admission.replay, admission.pin, admission.distinct
    yield replay.ttl if replay else 0
    yield from (short_digest(pin.value), pin.ttl) if pin else ("", 0)
    yield from (
        (short_digest(distinct.member), distinct.limit, distinct.window) if distinct else ("", 0, 1)
    )
    yield DAY_STARTS
    for counter in admission.counters:
        yield from _charge_and_capacity(counter)


def _charge_and_capacity(counter: Counter) -> tuple[int, int]:
    interval = gcra.emission_interval(counter.quota, counter.window * SECOND)
    charge = counter.cost * interval if counter.cost <= counter.quota else NEVER
    return charge, counter.quota * interval
