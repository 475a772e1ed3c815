"""Rules of data quality: they name fields that the catalogue has, and levels that descend."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.creditfile.record_mapping import sealed_fields
from gateway.creditfile.records import REGISTRATION
from gateway.creditfile.working_days import working_days_after
from gateway.data_quality.month import Month, earliest_in_time
from gateway.data_quality.rules import QualityRules, published_rules
from gateway.data_quality.rules_page import markdown
from tests.creditfile_builders import CATALOGUE

RULES = published_rules()
PAGE = Path(__file__).parents[2] / "docs" / "understand" / "data-quality-rules.md"


def test_every_recommended_field_is_in_the_catalogue_and_is_stored_in_plain_text() -> None:
    for code, rules in RULES.datasets.items():
        dataset = CATALOGUE.dataset(code)
        stored = set(dataset.field_by_name) - set(sealed_fields(dataset))
        assert set(rules.recommended) <= stored, code


def test_no_recommended_field_is_required_anyway() -> None:
    for code, rules in RULES.datasets.items():
        required = {each.name for each in CATALOGUE.dataset(code).fields if each.required}
        assert not required & set(rules.recommended), code


def test_a_dataset_with_a_term_has_the_day_from_which_it_runs() -> None:
    for code, rules in RULES.datasets.items():
        if rules.days is not None and code != REGISTRATION:
            assert "decided_on" in CATALOGUE.dataset(code).field_of, code
            assert rules.law, code


def test_weights_are_a_hundred_together() -> None:
    document = RULES.model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="the weights are not 100 together"):
        QualityRules.model_validate(
            document | {"weights": {"timely": 40, "complete": 30, "right": 29}}
        )


def test_a_month_begins_and_ends_at_midnight_in_shanghai() -> None:
    month = Month(year=2026, month=12)
    assert (month.start.isoformat(), month.end.isoformat()) == (
        "2026-11-30T16:00:00+00:00",
        "2026-12-31T16:00:00+00:00",
    )
    assert (str(month.next), str(month.previous)) == ("2027-01", "2026-11")
    assert len(list(month.days)) == 31


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-1", "1999-01", "2026-11-01", "２０２６-11", "2026-11\n"]
)
def test_what_is_no_month_is_none(text: str) -> None:
    assert Month.parse(text) is None


@pytest.mark.parametrize("days", [1, 7, 20])
def test_the_earliest_day_in_time_is_in_time_and_the_day_before_is_late(days: int) -> None:
    """Over the National Day holiday, with its make-up days."""
    for month in (Month(year=2025, month=9), Month(year=2025, month=10)):
        for received in month.days:
            earliest = earliest_in_time(received, days)
            assert received <= working_days_after(earliest, days).day
            before = date.fromordinal(earliest.toordinal() - 1)
            assert received > working_days_after(before, days).day


def test_the_page_of_the_rules_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text("utf-8") == markdown(RULES, CATALOGUE), "run `make docs`"
