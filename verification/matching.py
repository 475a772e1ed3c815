"""Match questions: asserted against recorded texts, in constant time and without shortcuts."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Final

from verification.appointed import names_within
from verification.asked_question import normal_form
from verification.facts import LEGAL_REPRESENTATIVE_ID, STAND_IN, Facts
from verification.names_v2 import NAMES_V2, is_illegible_v2, loose_readings
from verification.normalise import NAMES_VERSION, is_illegible, loose_name
from verification.question import Question
from verification.rule_verdict import UNDETERMINED, Match, RuleVerdict, of_dataset, resting_on

_Text = Callable[[Facts], str | None]

TEXTS: Final[dict[str, _Text]] = {
    "enterprise_name.v1": lambda facts: facts.name,
    "enterprise_name.v2": lambda facts: facts.name,
    "legal_representative_name.v1": lambda facts: facts.legal_representative,
    "legal_representative_name.v2": lambda facts: facts.legal_representative,
    "registered_address.v1": lambda facts: facts.address,
}
_APPOINTING: Final = frozenset({"legal_representative_name.v2"})
"""Questions that either of partner and appointed representative answers, and both together."""
DIGESTS: Final[dict[str, str]] = {"legal_representative_id.v1": LEGAL_REPRESENTATIVE_ID}
_READINGS: Final[dict[str, Callable[[str], tuple[str, ...]]]] = {
    NAMES_VERSION: lambda form: (loose_name(form),),
    NAMES_V2: loose_readings,
}


def text_verdict(asked: Question, value: str, facts: Facts) -> RuleVerdict:
    """The verdict on an asserted text: a strict match, or a loose one where allowed."""
    recorded = TEXTS[asked.tag](facts)
    theirs = normal_form(asked, recorded or TEXTS[asked.tag](STAND_IN) or "")
    asserted = normal_form(asked, value)
    names = names_within(theirs) if asked.tag in _APPOINTING else (theirs,)
    strict = _any([_same(name, asserted) for name in names])
    loose = asked.loose and _any([_loosely_same(asked, name, asserted) for name in names])
    illegible = is_illegible_v2 if asked.normalisation == NAMES_V2 else is_illegible
    proves_nothing = illegible(theirs) | illegible(asserted)
    if not recorded or not asserted:
        return UNDETERMINED
    rests_on = resting_on(of_dataset(facts, "registration"))
    if strict or loose:
        match: Match = "strict" if strict else "loose"
        return RuleVerdict(answer="yes", match=match if asked.loose else None, rests_on=rests_on)
    return UNDETERMINED if proves_nothing else RuleVerdict(answer="no", rests_on=rests_on)


def digest_verdict(
    asked: Question, value: str, facts: Facts, *, digest: Callable[[str], bytes]
) -> RuleVerdict:
    """The verdict on an asserted value by its keyed digest."""
    name = DIGESTS[asked.tag]
    recorded = facts.digests.get(name)
    same = compare_digest(recorded or STAND_IN.digests[name], digest(normal_form(asked, value)))
    if not recorded or not value:
        return UNDETERMINED
    rests_on = resting_on(of_dataset(facts, "registration"))
    return RuleVerdict(answer="yes" if same else "no", rests_on=rests_on)


def _loosely_same(asked: Question, recorded: str, asserted: str) -> bool:
    """True where two forms share a loose reading; every pair is compared."""
    readings = _READINGS[asked.normalisation or ""]
    theirs, ours = readings(recorded), readings(asserted)
    return _any([_same(one, other) for one in theirs for other in ours])


def _any(compared: list[bool]) -> bool:
    """True where one holds; of a list, so that none was left out."""
    return any(compared)


def _same(recorded: str, asserted: str) -> bool:
    """Constant-time comparison; its time depends on the length of the second, asserted text only."""
    return compare_digest(
        recorded.encode("utf-8", "surrogatepass"), asserted.encode("utf-8", "surrogatepass")
    )
