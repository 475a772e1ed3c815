"""Arguments and reply of the script `admit_members.lua`: distinct members, admitted all or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.limits.decision import DAY_STARTS, seconds
from gateway.limits.model import Distinct, LineLimit
from gateway.limits.redis_keys import distinct_key, short_digest
from gateway.limits.script import Arguments, Script

ADMIT_MEMBERS: Final = Script.from_text(
    (Path(__file__).parent / "admit_members.lua").read_text("utf-8")
)


def arguments(tag: str, members: Sequence[Distinct]) -> Arguments:
    """The arguments of EVAL after the script, for one member at least."""
    first = members[0]
    key = f"xq:{{{tag}}}:{distinct_key(first)}"
    digests = dict.fromkeys(short_digest(each.member) for each in members)
    return (1, key, first.limit, first.window, DAY_STARTS, *digests)


def limit(members: Sequence[Distinct], reply: int) -> LineLimit | None:
    """The limit that the members meet, in the script's reply."""
    return LineLimit(name=members[0].name, retry_after=seconds(reply)) if reply else None
