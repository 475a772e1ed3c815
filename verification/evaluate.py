"""The same work is done for an enterprise that is known, unknown or closed to the caller.

Every question is worked out first; only then is what may not be told replaced by
`not_determined`, which rests on nothing and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verification.asked import Asked, question
from verification.facts import NOBODY, Facts
from verification.matching import DIGESTS, TEXTS, digest_verdict, text_verdict
from verification.rules import RULES, UNDETERMINED, Answer, Match, RestsOn, RuleVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer to one question. `match` stands only beside a `yes` on a name.

    `rests_on` holds the id and version of each record that the answer rests on, so that whoever
    was told can be told when one of them changes; a `yes` by absence rests on none.
    """

    tag: str
    answer: Answer
    match: Match | None = None
    rests_on: RestsOn = ()


def evaluate(
    asked: Sequence[Asked],
    facts: Facts | None,
    *,
    allowed: AbstractSet[Asked],
    digest: Callable[[str], bytes],
    today: date,
) -> tuple[Answered, ...]:
    """Answer what was asked, in its order.

    `facts` is `None` for an unknown enterprise. `allowed` are the asks that consent and the probe
    budget let be determined. `digest` is the keyed digest under which `facts.digests` were made.
    `today` is the day in Asia/Shanghai.
    """
    return tuple(
        _told(each, _verdict(each, facts or NOBODY, digest=digest, today=today), facts, allowed)
        for each in asked
    )


def _verdict(
    asked: Asked, facts: Facts, *, digest: Callable[[str], bytes], today: date
) -> RuleVerdict:
    found = question(asked.tag)
    if found is None or not found.offers(asked.value):
        return UNDETERMINED
    if asked.tag in TEXTS:
        worked_out = text_verdict(found, asked.value or "", facts)
    elif asked.tag in DIGESTS:
        worked_out = digest_verdict(found, asked.value or "", facts, digest=digest)
    else:
        worked_out = RULES[asked.tag](facts, asked.value, today)
    return worked_out if facts.available.issuperset(found.datasets) else UNDETERMINED


def _told(
    asked: Asked, verdict: RuleVerdict, facts: Facts | None, allowed: AbstractSet[Asked]
) -> Answered:
    may_be_told = facts is not None and asked in allowed
    told = verdict if may_be_told else UNDETERMINED
    return Answered(tag=asked.tag, answer=told.answer, match=told.match, rests_on=told.rests_on)
