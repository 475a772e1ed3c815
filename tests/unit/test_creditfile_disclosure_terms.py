"""Disclosure terms: publicity, terms of lists and ratings, retention (R1, R2)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.creditfile import disclosure_terms
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, counts_as_bad, is_disclosable
from gateway.creditfile.disclosure_terms import NEVER_DISCLOSED, FileContext
from gateway.creditfile.local_dates import day_of, end_of, midnight, months_after
from gateway.creditfile.records import Record
from tests.creditfile_builders import CATALOGUE, NOON, make_record
from tests.generated import disclosure_term_examples
from tests.generated.disclosure_term_examples import NEVER, RULES, Example

PAGE = Path(__file__).parents[2] / "docs" / "understand" / "clocks.md"
EXAMPLES = tuple(each for rule in RULES for each in rule.examples)
SECOND = timedelta(seconds=1)


def _ends_at(record: Record, context: FileContext = disclosure_terms.ALONE) -> datetime | None:
    dataset, rules = CATALOGUE.dataset(record.dataset), CATALOGUE.rules_of(record.dataset)
    return disclosure_terms.ends_at(record, dataset, rules, context)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.en)
def test_the_last_day_of_a_worked_example(example: Example) -> None:
    """Each line of `docs/understand/clocks.md`."""
    end = _ends_at(example.record, example.context)
    if example.last_day == NEVER:
        assert end == NEVER_DISCLOSED
    elif example.last_day is None:
        assert end is None
    else:
        assert end == end_of(example.last_day)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.en)
def test_a_worked_example_is_disclosed_through_its_last_day(example: Example) -> None:
    """To a client under consent, at the last second in Shanghai and at midnight."""
    disclosable = partial(
        is_disclosable, example.record, Audience.AUTHORISED, CATALOGUE, context=example.context
    )
    if example.last_day == NEVER:
        assert not disclosable(NOON)
    elif example.last_day is not None:
        end = end_of(example.last_day)
        assert disclosable(end - SECOND)
        assert not disclosable(end)


def test_the_page_of_examples_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text(encoding="utf-8") == disclosure_term_examples.markdown(), (
        "run `make docs`"
    )


def test_repair_suspension_and_withdrawal_end_disclosure_at_that_moment() -> None:
    """Not at the following midnight."""
    assert _ends_at(make_record(repaired_at=NOON)) == NOON
    assert _ends_at(make_record(suspended_at=NOON)) == NOON
    assert _ends_at(make_record("commitment", withdrawn_at=NOON)) == NOON
    listed = make_record("serious_violation", added_on="2026-02-01", repaired_at=NOON)
    assert _ends_at(listed) == NOON


def test_a_huge_fine_is_serious_only_where_the_catalogue_has_a_figure() -> None:
    """Without such a figure only the authority's own grading makes a fine serious."""
    record = make_record(
        fine="900.000000", severity=None, decided_on="2026-05-01", determined_on="2026-05-01"
    )
    assert _ends_at(record) == end_of(date(2027, 5, 1))
    rules = CATALOGUE.rules_of("penalty")
    assert rules.publicity_by_severity is not None
    by_severity = rules.publicity_by_severity
    serious = by_severity.serious.model_copy(update={"fine_from": 100})
    figured = rules.model_copy(
        update={"publicity_by_severity": by_severity.model_copy(update={"serious": serious})}
    )
    dataset = CATALOGUE.dataset("penalty")
    assert disclosure_terms.ends_at(record, dataset, figured) == end_of(date(2029, 5, 1))


def test_an_unfulfilled_duty_prolongs_only_where_the_catalogue_names_the_authority() -> None:
    """The longest term ends publicity of all others, fulfilled or not."""
    authority = "11330000MB1234567X"
    record = make_record(authority_uscc=authority, fulfilled=False, decided_on="2026-05-01")
    assert _ends_at(record) == end_of(date(2027, 8, 1))
    rules = CATALOGUE.rules_of("penalty")
    assert rules.publicity_by_severity is not None
    named = rules.model_copy(
        update={
            "publicity_by_severity": rules.publicity_by_severity.model_copy(
                update={"unfulfilled_continue": (authority,)}
            )
        }
    )
    dataset = CATALOGUE.dataset("penalty")
    prolonged = disclosure_terms.ends_at(record, dataset, named)
    assert prolonged == end_of(date(2031, 8, 1)), "retention ends it"
    fulfilled = replace(record, fields={**record.fields, "fulfilled": True})
    assert disclosure_terms.ends_at(fulfilled, dataset, named) == end_of(date(2027, 8, 1))


def test_the_serious_list_prolongs_retention() -> None:
    """Only while the enterprise is on the list."""
    broken = make_record("commitment", fulfilment="broken", determined_on="2026-02-28")
    assert _ends_at(broken, FileContext(on_serious_list=True)) is None
    assert _ends_at(make_record("commitment")) is None


def test_only_the_latest_rating_of_a_series_is_disclosed() -> None:
    """A public rating is one series; an industry's rating is one for each domain."""
    old = make_record("public_rating", record_id="rec_1", date="2026-03-01")
    new = make_record("public_rating", record_id="rec_2", date="2026-10-01")
    food = make_record(
        "industry_rating", record_id="rec_3", number="1", domain="食品药品", date="2026-01-01"
    )
    safety = make_record(
        "industry_rating", record_id="rec_4", number="2", domain="安全生产", date="2026-02-01"
    )
    context = context_of((old, new, food, safety), CATALOGUE, NOON)
    assert context.superseded == {"rec_1"}
    assert _ends_at(old, context) == NEVER_DISCLOSED
    assert _ends_at(new, context) == end_of(date(2029, 10, 1))


def test_an_expired_rating_does_not_bring_back_an_older_one() -> None:
    """The latest counts even when its validity is over."""
    old = make_record("public_rating", record_id="rec_1", date="2026-03-01")
    new = make_record("public_rating", record_id="rec_2", date="2026-10-01", valid_to="2026-10-31")
    context = context_of((old, new), CATALOGUE, NOON)
    for each in (old, new):
        assert not is_disclosable(each, Audience.AUTHORISED, CATALOGUE, NOON, context=context)


@pytest.mark.parametrize(
    "changed",
    [
        {"kinds": ["警告"], "severity": None},
        {"procedure": "简易"},
        {"appeal_state": "under_appeal"},
        {"severity": "轻微"},
        {"repaired_at": NOON},
        {"suspended_at": NOON},
        {"withdrawn_at": NOON},
        {"publicity_ends_on": "2026-11-21"},
    ],
)
def test_a_record_that_is_exempt_or_has_ended_does_not_count_as_bad(
    changed: dict[str, Any],
) -> None:
    """R1."""
    assert not counts_as_bad(make_record(**changed), CATALOGUE, NOON)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"appeal_state": "upheld"},
        {"appeal_state": "in_period", "decided_on": "2026-11-01", "published_on": "2026-11-02"},
        {"appeal_state": None, "decided_on": "2026-11-01", "published_on": "2026-11-02"},
        {"kinds": ["警告", "罚款"]},
        {"objection_since": NOON},
    ],
)
def test_a_record_within_its_term_counts_as_bad(changed: dict[str, Any]) -> None:
    """No state of an appeal means that none is pending; an objection is a mark beside a record."""
    assert counts_as_bad(make_record(**changed), CATALOGUE, NOON)


def test_a_good_or_neutral_record_counts_as_bad_only_by_its_field() -> None:
    """A broken commitment is bad information, a kept one is not."""
    assert not counts_as_bad(make_record("commitment"), CATALOGUE, NOON)
    assert counts_as_bad(make_record("commitment", fulfilment="broken"), CATALOGUE, NOON)
    assert not counts_as_bad(make_record("public_rating", level="差"), CATALOGUE, NOON)


def test_a_term_of_months_ends_on_the_corresponding_day_or_the_months_last() -> None:
    """Civil Code, articles 201 and 202."""
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert months_after(date(9999, 1, 1), 12) == date.max


def test_a_moment_without_an_offset_is_refused() -> None:
    """It would be read in the machine's time zone."""
    with pytest.raises(ValueError, match="offset"):
        day_of(NOON.replace(tzinfo=None))
    assert day_of(midnight(date(2026, 1, 1)) - timedelta(microseconds=1)) == date(2025, 12, 31)
