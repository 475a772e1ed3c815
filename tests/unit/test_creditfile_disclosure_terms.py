"""Publicity, retention and bad information: terms by R1 and R2."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.creditfile import disclosure_terms
from gateway.creditfile.catalogue_schema import Publicity
from gateway.creditfile.local_dates import day_of, midnight, months_after
from gateway.creditfile.records import Record
from tests.creditfile_builders import CATALOGUE, NOON, make_record

PUBLISHED = date(2026, 1, 15)


def _publicity() -> Publicity:
    rules = CATALOGUE.rules_of("penalty").publicity
    assert rules is not None
    return rules


def _end(
    *kinds: str,
    fine: str | None = None,
    severity: str | None = None,
    ban: date | None = None,
) -> date | None:
    return disclosure_terms.penalty_publicity_end(
        published_on=PUBLISHED,
        kinds=kinds,
        fine=None if fine is None else Decimal(fine),
        severity=severity,
        ban_until=ban,
        rules=_publicity(),
    )


def _ends_at(record: Record, *, on_serious_list: bool = False) -> object:
    dataset, rules = CATALOGUE.dataset(record.dataset), CATALOGUE.rules_of(record.dataset)
    return disclosure_terms.ends_at(record, dataset, rules, on_serious_list=on_serious_list)


def _counts(record: Record) -> bool:
    dataset, rules = CATALOGUE.dataset(record.dataset), CATALOGUE.rules_of(record.dataset)
    return (
        disclosure_terms.is_bad(record, dataset)
        and not disclosure_terms.is_exempt(record, rules, now=NOON)
        and not disclosure_terms.has_ended(record, dataset, rules, now=NOON)
    )


@pytest.mark.parametrize(
    ("kinds", "fine", "severity", "ban", "last_day"),
    [
        (("警告",), None, None, None, None),
        (("警告",), None, "严重", None, None),
        (("通报批评",), None, None, None, date(2026, 4, 15)),
        (("警告", "通报批评"), None, None, None, date(2026, 4, 15)),
        (("罚款",), "1.000000", None, None, date(2026, 4, 15)),
        (("罚款",), "1.000001", None, None, date(2029, 1, 15)),
        (("罚款",), None, None, None, date(2029, 1, 15)),
        (("罚款", "没收"), "0.1", None, None, date(2029, 1, 15)),
        (("吊销许可",), None, None, None, date(2029, 1, 15)),
        (("限制从业",), None, None, date(2031, 6, 30), date(2031, 6, 30)),
        (("限制从业",), None, None, date(2027, 6, 30), date(2029, 1, 15)),
        (("罚款",), "9", None, date(2099, 12, 31), date(2029, 1, 15)),
        (("罚款",), "9", "轻微", None, date(2026, 4, 15)),
        (("罚款",), "9", "一般", None, date(2027, 1, 15)),
        (("罚款",), "9", "严重", None, date(2029, 1, 15)),
        (("罚款",), "0.5", "严重", None, date(2026, 4, 15)),
        (("限制从业",), None, "严重", date(2031, 6, 30), date(2029, 1, 15)),
    ],
)
def test_publicity_goes_by_kind_and_by_severity_and_the_earlier_end_wins(
    kinds: tuple[str, ...],
    fine: str | None,
    severity: str | None,
    ban: date | None,
    last_day: date | None,
) -> None:
    """R2, each branch."""
    assert _end(*kinds, fine=fine, severity=severity, ban=ban) == last_day


def test_the_sources_own_end_wins_where_it_is_earlier() -> None:
    """A shorter publicity than the rules allow is kept."""
    record = make_record(publicity_ends_on="2026-12-01")
    assert _ends_at(record) == midnight(date(2026, 12, 2))


def test_the_sources_own_end_does_not_prolong_publicity() -> None:
    """A longer publicity than the rules allow is not."""
    record = make_record(publicity_ends_on="2090-12-01")
    assert _ends_at(record) == midnight(date(2027, 8, 4))


def test_repair_and_withdrawal_end_everything_at_once() -> None:
    """At that moment, not at midnight."""
    assert _ends_at(make_record(repaired_at=NOON)) == NOON
    assert _ends_at(make_record("commitment", withdrawn_at=NOON)) == NOON
    assert _ends_at(make_record("serious_violation", repaired_at=NOON)) == NOON


def test_a_listing_lasts_until_it_is_removed_however_old() -> None:
    """Only removal ends it."""
    assert _ends_at(make_record("serious_violation")) is None
    removed = make_record("serious_violation", removed_on="2026-11-22")
    assert _ends_at(removed) == midnight(date(2026, 11, 22))


def test_bad_information_ends_five_years_after_its_determination() -> None:
    """A broken commitment, not a kept one."""
    broken = make_record("commitment", fulfilment="broken", determined_on="2026-02-28")
    assert _ends_at(broken) == midnight(date(2031, 3, 1))
    assert _ends_at(broken, on_serious_list=True) is None
    assert _ends_at(make_record("commitment")) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"kinds": ["警告"]},
        {"procedure": "简易"},
        {"appeal_state": "under_appeal"},
        {"appeal_state": "in_period", "decided_on": "2026-11-01"},
        {"appeal_state": None, "decided_on": "2026-09-23"},
        {"repaired_at": NOON},
        {"withdrawn_at": NOON},
        {"publicity_ends_on": "2026-11-21"},
    ],
)
def test_excluded_records_never_count_as_bad(
    changed: dict[str, Any],
) -> None:
    """R1, and ended records."""
    assert not _counts(make_record(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"appeal_state": "upheld"},
        {"appeal_state": "in_period", "decided_on": "2026-09-22"},
        {"appeal_state": None, "decided_on": "2026-09-22"},
        {"kinds": ["警告", "罚款"]},
        {"objection_since": NOON},
    ],
)
def test_final_records_in_their_term_count_as_bad(changed: dict[str, Any]) -> None:
    """An objection does not change it."""
    assert _counts(make_record(**changed))


def test_good_and_neutral_records_count_as_bad_only_for_what_they_say() -> None:
    """A broken commitment counts, a kept one does not."""
    assert not _counts(make_record("commitment"))
    assert _counts(make_record("commitment", fulfilment="broken"))
    assert not _counts(make_record("public_rating", level="差"))


def test_a_term_of_months_ends_on_the_corresponding_day_or_the_months_last() -> None:
    """Civil Code, articles 201 and 202."""
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert months_after(date(9999, 1, 1), 12) == date.max


def test_a_moment_without_an_offset_belongs_to_no_day() -> None:
    """Refused, instead of using the machine's time zone."""
    with pytest.raises(ValueError, match="offset"):
        day_of(NOON.replace(tzinfo=None))
    assert day_of(midnight(date(2026, 1, 1)) - timedelta(microseconds=1)) == date(2025, 12, 31)
