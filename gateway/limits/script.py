"""What `admit.lua` is handed and what it hands back; its text is fixed, so its digest is too."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gateway.limits import gcra
from gateway.limits.decision import DAY_STARTS, StoreState, judge
from gateway.limits.gcra import SECOND
from gateway.limits.model import Admission, Counter, PinConflict, Replayed, Verdict
from gateway.limits.redis_keys import counter_key, distinct_key, short

TEXT = (Path(__file__).parent / "admit.lua").read_text("utf-8")
# The last key's value besides, or nil where it had none and was given the last argument.
BESIDE_TEXT = f"""
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
    """A script's text, and its digest as EVALSHA has it."""

    text: str
    digest: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The script of this text."""
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


ADMIT = Script.of(TEXT)
ADMIT_BESIDE = Script.of(BESIDE_TEXT)


def beside(arguments: Arguments, key: str, fresh: str) -> Arguments:
    """What follows `ADMIT_BESIDE` where `arguments` follow `ADMIT`."""
    number, *rest = arguments
    keys, values = rest[: int(number)], rest[int(number) :]
    return (len(keys) + 1, *keys, key, *values, fresh)


def arguments(admission: Admission) -> Arguments:
    """What follows the script in EVAL: the number of keys, the keys, the arguments."""
    keys = tuple(_keys(admission))
    return (len(keys), *keys, *_values(admission))


def verdict(admission: Admission, reply: list[Any], generation: str) -> Verdict:
    """What the script's reply says."""
    match reply:
        case ["replayed"]:
            return Replayed(generation=generation)
        case ["conflict"]:
            return PinConflict(generation=generation)
        case _:
            _, now, members, seen, *tats = reply
            reading = StoreState(
                now=now, tats=tuple(map(int, tats)), members=members, seen=bool(seen)
            )
            return judge(admission, reading, generation)


def _keys(admission: Admission) -> Iterator[str]:
    replay, pin, distinct = admission.replay, admission.pin, admission.distinct
    room = f"xq:{{{admission.tag}}}:"
    yield f"{room}replay:{short(replay.key) if replay else ''}"
    yield f"{room}pin:{short(pin.key) if pin else ''}"
    yield room + (distinct_key(distinct) if distinct else "distinct:")
    yield from (room + counter_key(counter) for counter in admission.counters)


def _values(admission: Admission) -> Iterator[str | int]:
    replay, pin, distinct = admission.replay, admission.pin, admission.distinct
    yield replay.ttl if replay else 0
    yield from (short(pin.value), pin.ttl) if pin else ("", 0)
    yield from (short(distinct.member), distinct.limit, distinct.window) if distinct else ("", 0, 1)
    yield DAY_STARTS
    for counter in admission.counters:
        yield from _charge_and_capacity(counter)


def _charge_and_capacity(counter: Counter) -> tuple[int, int]:
    interval = gcra.emission(counter.quota, counter.window * SECOND)
    charge = counter.cost * interval if counter.cost <= counter.quota else NEVER
    return charge, counter.quota * interval
