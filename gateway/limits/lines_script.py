"""Arguments and replies of the script `admit_lines.lua`, which admits the lines of one call."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gateway.limits.decision import DAY_STARTS, seconds
from gateway.limits.gcra import SECOND, emission_interval
from gateway.limits.model import Counter, LineLimit, LinesAdmission
from gateway.limits.redis_keys import counter_key, distinct_key, short_digest
from gateway.limits.script import Arguments, Script

ADMIT_LINES: Final = Script.from_text(
    (Path(__file__).parent / "admit_lines.lua").read_text("utf-8")
)


def arguments(admission: LinesAdmission) -> Arguments:
    """The arguments of EVAL after the script, for one line at least."""
    keys = tuple(_keys(admission))
    return (len(keys), *keys, *_values(admission))


def limits(admission: LinesAdmission, reply: Sequence[int]) -> list[LineLimit | None]:
    """The limit that each line meets, in the script's reply."""
    first = admission.lines[0]
    shared = (each.name for each in admission.shared)
    names = (first.distinct.name, *shared, first.counter.name)
    return [
        LineLimit(name=names[place], retry_after=seconds(wait)) if wait else None
        for wait, place in zip(reply[::2], reply[1::2], strict=True)
    ]


def _keys(admission: LinesAdmission) -> Iterator[str]:
    prefix = f"xq:{{{admission.tag}}}:"
    yield prefix + distinct_key(admission.lines[0].distinct)
    yield from (prefix + counter_key(each) for each in admission.shared)
    yield from (prefix + counter_key(line.counter) for line in admission.lines)


def _values(admission: LinesAdmission) -> Iterator[str | int]:
    first = admission.lines[0]
    yield len(admission.shared)
    for counter in (*admission.shared, first.counter):
        yield from _interval_and_capacity(counter)
    yield from (first.distinct.limit, first.distinct.window, DAY_STARTS)
    for line in admission.lines:
        yield from (short_digest(line.distinct.member), line.cost)


def _interval_and_capacity(counter: Counter) -> tuple[int, int]:
    interval = emission_interval(counter.quota, counter.window * SECOND)
    return interval, counter.quota * interval
