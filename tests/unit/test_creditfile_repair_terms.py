"""Terms of repair: earliest day, state, office, deadline; the catalogue's checks."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE as PUBLISHED
from gateway.creditfile.catalogue import Catalogue, CatalogueError, load_catalogue
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.repair_terms import (
    NoRepair,
    RepairChange,
    RepairChangeKind,
    RepairState,
    RepairTerms,
    repair_terms,
)
from tests.creditfile_builders import CATALOGUE, NOON, make_record
from tests.generated import repair_term_examples
from tests.generated.repair_term_examples import EXAMPLES, Example

PAGE = Path(__file__).parents[2] / "docs" / "understand" / "repair.md"
SECOND = timedelta(seconds=1)


def _terms(**changed: Any) -> RepairTerms:
    terms = repair_terms(make_record(**changed), CATALOGUE, NOON)
    assert isinstance(terms, RepairTerms), terms
    return terms


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.en)
def test_the_first_day_of_a_worked_example(example: Example) -> None:
    """Each line of `docs/understand/repair.md`."""
    terms = example.terms
    got = terms if isinstance(terms, NoRepair) else terms.repairable_from
    assert got == example.begins


def test_the_page_of_examples_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text(encoding="utf-8") == repair_term_examples.markdown(), "run `make docs`"


def test_a_repair_can_be_applied_for_from_midnight_in_shanghai() -> None:
    """Not a second before, whatever the machine's time zone."""
    record = make_record(
        decided_on="2026-05-01", determined_on="2026-05-01", published_on="2026-05-08"
    )
    begins = midnight(date(2026, 8, 2))
    before, after = (
        repair_terms(record, CATALOGUE, begins - each) for each in (SECOND, 0 * SECOND)
    )
    assert isinstance(before, RepairTerms)
    assert isinstance(after, RepairTerms)
    assert (before.state, before.can_apply) == (RepairState.NOT_YET, False)
    assert (after.state, after.can_apply) == (RepairState.REPAIRABLE, True)


def test_an_application_and_a_repair_are_states() -> None:
    """Also when the publicity is over."""
    record = make_record()
    for now in (NOON, NOON + timedelta(days=4000)):
        applied = repair_terms(record, CATALOGUE, now, applied=True)
        repaired = repair_terms(replace(record, repaired_at=NOON), CATALOGUE, now, applied=True)
        assert isinstance(applied, RepairTerms)
        assert isinstance(repaired, RepairTerms)
        assert (applied.state, applied.can_apply) == (RepairState.APPLIED, False)
        assert (repaired.state, repaired.can_apply) == (RepairState.REPAIRED, False)


def test_a_suspended_record_is_told_again_and_can_be_repaired() -> None:
    """The suspension gives no waiting time of its own."""
    record, day = make_record(), date(2026, 11, 20)
    suspended = repair_terms(replace(record, suspended_at=NOON), CATALOGUE, NOON)
    assert isinstance(suspended, RepairTerms)
    assert (suspended.state, suspended.can_apply) == (RepairState.SUSPENDED, False)
    lifted = RepairChange(kind=RepairChangeKind.REINSTATED, day=day)
    again = repair_terms(record, CATALOGUE, NOON, last_change=lifted)
    assert isinstance(again, RepairTerms)
    assert (again.state, again.can_apply) == (RepairState.REINSTATED, True)


def test_after_a_revoked_repair_another_waits_twelve_months() -> None:
    """The record stands as told again meanwhile."""
    record = make_record(severity="严重", decided_on="2025-06-01", determined_on="2025-06-01")
    revoked = RepairChange(kind=RepairChangeKind.REPAIR_REVOKED, day=date(2026, 11, 20))
    begins = midnight(date(2027, 11, 21))
    for moment, may in ((NOON, False), (begins - SECOND, False), (begins, True)):
        terms = repair_terms(record, CATALOGUE, moment, last_change=revoked)
        assert isinstance(terms, RepairTerms)
        assert (terms.state, terms.can_apply) == (RepairState.REINSTATED, may)


def test_a_withdrawn_record_is_not_repaired() -> None:
    """Nor is one that was repaired before."""
    for repaired_at in (None, NOON):
        record = replace(make_record(), withdrawn_at=NOON, repaired_at=repaired_at)
        assert repair_terms(record, CATALOGUE, NOON) is NoRepair.NOT_TOLD


def test_what_follows_from_another_decision_is_not_repaired_by_itself() -> None:
    """A measure ends with its listing; a catalogue without the part says nothing of any record."""
    alert = make_record("supervision")
    assert repair_terms(alert, CATALOGUE, NOON) is NoRepair.NOT_BY_ITSELF
    earlier = CATALOGUE.model_copy(update={"repair": None})
    for record in (alert, make_record()):
        assert repair_terms(record, earlier, NOON) is NoRepair.NO_RULES


def test_office_and_platform_are_named() -> None:
    """The office as in the record, else by the catalogue's words."""
    named = _terms(authority="杭州市市场监督管理局")
    assert named.office == "杭州市市场监督管理局"
    assert named.platform is not None
    assert (named.platform.code, named.rule.decide) == ("credit_china", 10)
    assert _terms().office is None
    assert _terms().rule.office.zh == "作出处罚决定的机关"


def test_a_record_that_ends_before_it_can_be_repaired_says_so() -> None:
    """The old rule's three months, of a decision before 2026-04-01."""
    days = {"decided_on": "2026-03-30", "determined_on": "2026-03-30", "published_on": "2026-03-30"}
    record = make_record(**days, fine="0.900000")
    terms = repair_terms(record, CATALOGUE, midnight(date(2026, 5, 1)))
    assert isinstance(terms, RepairTerms)
    assert (terms.ends_first, terms.last_day) == (True, date(2026, 6, 30))
    assert not _terms().ends_first


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("platform: gsxt", "platform: nowhere", "there is no platform nowhere"),
        ("    serious_violation:\n      law", "    licence:\n      law", "no dataset of bad"),
        ("{轻微: 0, 一般: 3, 严重: 12}", "{轻微: 0, 一般: 3}", "different severities"),
        ("{field: court,", "{field: judge,", "no field of it"),
        ("conditions: [corrected, commitment]", "conditions: [period]", "goes with months"),
        ("{code: zjzwfw,", "{code: gsxt,", "stands twice"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(old: str, new: str, sentence: str) -> None:
    """At the loading of the catalogue."""
    published = PUBLISHED.read_text(encoding="utf-8")
    assert old in published
    with pytest.raises(CatalogueError, match=sentence):
        load_catalogue(published.replace(old, new))


def test_every_dataset_of_bad_information_is_repaired_or_known_not_to_be() -> None:
    """A new dataset needs a decision."""
    assert CATALOGUE.repair is not None
    bad = {each.code for each in CATALOGUE.datasets if each.is_ever_bad}
    assert bad - set(CATALOGUE.repair.rules) == {"supervision", "measure"}
    assert isinstance(CATALOGUE, Catalogue)
