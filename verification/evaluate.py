"""Evaluate questions against an enterprise's facts.

The same work is done for a known, an unknown and a closed enterprise: every question is evaluated, then
an answer that may not be disclosed is replaced by `not_determined`, which rests on no record.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import NamedTuple

from verification.asked_question import Asked, asked_elements, find_question
from verification.facts import STAND_IN, Facts
from verification.matching import DIGESTS, TEXTS, digest_verdict, text_verdict
from verification.rule_verdict import UNDETERMINED, Answer, Match, RestsOn, RuleVerdict
from verification.rules import RULES


class Answered(NamedTuple):
    """The answer to one question. `match` stands only beside a `yes` on a name.

    `rests_on` has the id and version of each record behind the answer, so that recipients can be
    notified when one changes; a `yes` by absence rests on none.
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
    """The answers to what was asked, in its order.

    `facts` is `None` for an unknown enterprise. `allowed` are the questions permitted by consent and
    probe budget. `digest` is the keyed digest that made `facts.digests`. `today` is the day in
    Asia/Shanghai.
    """
    return tuple(
        _answered(
            each, _verdict(each, facts or STAND_IN, digest=digest, today=today), facts, allowed
        )
        for each in asked
    )


def _verdict(
    asked: Asked, facts: Facts, *, digest: Callable[[str], bytes], today: date
) -> RuleVerdict:
    found = find_question(asked.tag)
    if found is None or not found.offers(asked.value):
        return UNDETERMINED
    value = asked.value if isinstance(asked.value, str) else None
    if found.elements:
        verdict = _group_verdict(
            [_verdict(each, facts, digest=digest, today=today) for each in asked_elements(asked)]
        )  # each of them: an answer after the first difference would say by its time which it was
    elif asked.tag in TEXTS:
        verdict = text_verdict(found, value or "", facts)
    elif asked.tag in DIGESTS:
        verdict = digest_verdict(found, value or "", facts, digest=digest)
    else:
        verdict = RULES[asked.tag](facts, value, today)
    return verdict if facts.available.issuperset(found.datasets) else UNDETERMINED


def _group_verdict(parts: Sequence[RuleVerdict]) -> RuleVerdict:
    """One verdict for all elements, which never says which one differed or could not be compared."""
    answers = {each.answer for each in parts}
    if "not_determined" in answers:
        return UNDETERMINED
    rests_on = tuple(sorted({rest for each in parts for rest in each.rests_on}))
    return RuleVerdict(answer="no" if "no" in answers else "yes", rests_on=rests_on)


def _answered(
    asked: Asked, verdict: RuleVerdict, facts: Facts | None, allowed: AbstractSet[Asked]
) -> Answered:
    disclosed = verdict if facts is not None and asked in allowed else UNDETERMINED
    return Answered(
        tag=asked.tag, answer=disclosed.answer, match=disclosed.match, rests_on=disclosed.rests_on
    )
