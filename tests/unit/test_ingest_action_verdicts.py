"""Verdicts on a source's acts: every act in every state of a record."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from gateway.creditfile.field_problems import FieldProblem
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Record
from gateway.ingest.actions import verdicts
from gateway.ingest.actions.verdicts import TWO_PERSONS, ActionVerb, is_already_so, problem_with
from tests.creditfile_builders import CATALOGUE, NOON, make_record

TODAY = day_of(NOON)
STATES: dict[str, dict[str, Any]] = {
    "live": {},
    "repaired": {"repaired_at": NOON},
    "suspended": {"suspended_at": NOON},
    "both": {"repaired_at": NOON, "suspended_at": NOON},
    "withdrawn": {"withdrawn_at": NOON},
    "all three": {"repaired_at": NOON, "suspended_at": NOON, "withdrawn_at": NOON},
}
ORDER = tuple(STATES)
TABLE: dict[ActionVerb, tuple[Any, ...]] = {
    # live, repaired, suspended, both, withdrawn, all three
    "repair": (None, None, None, None, verdicts.WITHDRAWN, verdicts.WITHDRAWN),
    "suspend": (
        None, verdicts.REPAIRED, None, verdicts.REPAIRED, verdicts.WITHDRAWN, verdicts.WITHDRAWN,
    ),
    "withdraw": (None, None, None, None, None, None),
    "correct": (
        None, verdicts.HAS_ENDED, None, verdicts.HAS_ENDED, verdicts.HAS_ENDED, verdicts.HAS_ENDED,
    ),
    "reinstate": (
        verdicts.NOT_SUSPENDED, verdicts.REPAIRED, None, verdicts.REPAIRED, verdicts.WITHDRAWN,
        verdicts.WITHDRAWN,
    ),
    "revoke_repair": (
        verdicts.NOT_REPAIRED, None, verdicts.NOT_REPAIRED, None, verdicts.WITHDRAWN,
        verdicts.WITHDRAWN,
    ),
}  # fmt: skip
UNCHANGED = {
    "repair": {"repaired", "both"},
    "suspend": {"suspended"},
    "withdraw": {"withdrawn", "all three"},
}


def judged(verb: ActionVerb, record: Record | None, **changed: Any) -> FieldProblem | None:
    """The verdict on an act of today."""
    said = {"decided_on": TODAY, "today": TODAY, **changed}
    dataset = CATALOGUE.dataset(record.dataset if record else "penalty")
    return problem_with(verb, record, dataset, **said)


@pytest.mark.parametrize("state", ORDER)
@pytest.mark.parametrize("verb", get_args(ActionVerb))
def test_every_act_in_every_state(verb: ActionVerb, state: str) -> None:
    """The table of the module; what is so already is no change."""
    record = make_record(**STATES[state])
    expected = TABLE[verb][ORDER.index(state)]
    assert judged(verb, record) == expected
    if expected is None:
        assert is_already_so(verb, record) == (state in UNCHANGED.get(verb, set()))


@pytest.mark.parametrize("verb", get_args(ActionVerb))
def test_no_act_on_what_is_unknown_named_twice_or_decided_tomorrow(verb: ActionVerb) -> None:
    """Whatever the act."""
    suspended_and_repaired = make_record(
        **STATES["both" if verb == "revoke_repair" else "suspended"]
    )
    tomorrow = TODAY + timedelta(days=1)
    assert judged(verb, None) == verdicts.UNKNOWN_RECORD
    assert judged(verb, suspended_and_repaired, is_repeated=True) == verdicts.DUPLICATE
    assert judged(verb, suspended_and_repaired, decided_on=tomorrow) == verdicts.IN_THE_FUTURE


def test_only_bad_information_is_repaired_or_suspended() -> None:
    """A licence or rating is withdrawn or corrected."""
    rating = make_record("public_rating")
    assert judged("repair", rating) == verdicts.NOT_REPAIRABLE
    assert judged("suspend", rating) == verdicts.NOT_SUSPENDABLE
    assert judged("withdraw", rating) is judged("correct", rating) is None


def test_what_brings_a_record_back_takes_two_persons() -> None:
    """And nothing else does."""
    assert {"reinstate", "revoke_repair"} == TWO_PERSONS
