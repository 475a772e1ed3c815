"""Arguments and replies of the scripts that read quotas without a charge and remember a refusal."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from gateway.limits.decision import StoreState, read_states
from gateway.limits.gcra import SECOND
from gateway.limits.model import LastRefusal, LimitsQuery, LimitsReading
from gateway.limits.redis_keys import counter_key, distinct_key
from gateway.limits.script import Arguments, Script

READ: Final = Script.from_text((Path(__file__).parent / "read.lua").read_text("utf-8"))
NOTE_REFUSAL: Final = Script.from_text(
    (Path(__file__).parent / "note_refusal.lua").read_text("utf-8")
)
REMEMBERED: Final = 86_400
"""Seconds for which a refusal is remembered, at least until its quota fits again."""


def read_arguments(query: LimitsQuery) -> Arguments:
    """The arguments of EVAL after `READ`."""
    keys = tuple(_keys(query))
    return (len(keys), *keys)


def note_arguments(tag: str, name: str, seconds: int) -> Arguments:
    """The arguments of EVAL after `NOTE_REFUSAL`."""
    return (1, _refusal_key(tag), name, seconds * SECOND, max(REMEMBERED, seconds))


def reading(query: LimitsQuery, reply: Sequence[Any]) -> LimitsReading:
    """The reading in the reply of `READ`."""
    now, refusal, members, *tats = reply
    state = StoreState(now=now, tats=tuple(map(int, tats)), members=members)
    return LimitsReading(
        now=now, states=read_states(query, state), last_refusal=_last_refusal(refusal)
    )


def _last_refusal(text: str) -> LastRefusal | None:
    if not text:
        return None
    name, refused_at, fits_at = text.split(" ")
    return LastRefusal(name=name, refused_at=int(refused_at), fits_at=int(fits_at))


def _keys(query: LimitsQuery) -> Iterator[str]:
    prefix = f"xq:{{{query.tag}}}:"
    yield _refusal_key(query.tag)
    yield prefix + (distinct_key(query.distinct) if query.distinct else "distinct:")
    yield from (prefix + counter_key(counter) for counter in query.counters)


def _refusal_key(tag: str) -> str:
    return f"xq:{{{tag}}}:refusal"
