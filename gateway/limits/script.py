"""What `admit.lua` is handed and what it hands back; its text is fixed, so its digest is too."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.limits import gcra
from gateway.limits.gcra import SECOND
from gateway.limits.judging import DAY_STARTS, Reading, judge
from gateway.limits.keys import counter_key, distinct_key, short
from gateway.limits.names import Admission, Counter, PinConflict, Replayed, Verdict

TEXT = (Path(__file__).parent / "admit.lua").read_text("utf-8")
DIGEST = hashlib.sha1(TEXT.encode(), usedforsecurity=False).hexdigest()  # as EVALSHA has it

NEVER = -1


def arguments(admission: Admission) -> tuple[str | int, ...]:
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
            reading = Reading(now=now, tats=tuple(map(int, tats)), members=members, seen=bool(seen))
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
