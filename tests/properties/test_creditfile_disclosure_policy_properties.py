"""Disclosure policy: for any record and time, public ⊆ authorised ⊆ record."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile import disclosure_terms
from gateway.creditfile.disclosed_fields import mask_persons
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_fields, is_disclosable
from gateway.creditfile.local_dates import day_of, end_of, midnight, months_after
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Enterprise, Record, registration_of
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE, make_record
from tests.sampling import sampled

OTHERS = tuple(each for each in Audience if each is not Audience.ENTERPRISE)
TODAY = date(2026, 11, 23)
PROVINCE = tuple(province(3, 120, today=TODAY, catalogue=CATALOGUE))
RECORDS = tuple(
    (each.enterprise.kind, record)
    for each in PROVINCE
    for record in (*each.records, registration_of(each.enterprise, each.personal))
)
OPERATORS = [each.enterprise for each in PROVINCE if each.enterprise.kind == INDIVIDUAL_BUSINESS]

moments = st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001  # set below
    lambda naive: naive.replace(tzinfo=UTC),
)
happenings = st.fixed_dictionaries(
    {},
    optional={
        "repaired_at": moments,
        "suspended_at": moments,
        "withdrawn_at": moments,
        "objection_since": moments,
        "publicity_ends_on": st.dates(date(2020, 1, 1), date(2035, 1, 1)),
        "removed_on": st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    },
)
records = st.builds(
    lambda chosen, happened: (chosen[0], replace(chosen[1], **happened)),
    st.sampled_from(RECORDS),
    happenings,
)


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati"])
def _machine_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@given(records, moments)
@settings(max_examples=sampled(150, full=500))
def test_public_is_a_subset_of_authorised_and_of_the_record(
    chosen: tuple[str, Record],
    now: datetime,
) -> None:
    """By field and by value."""
    kind, record = chosen
    public, authorised, verification, own = (
        disclosable_fields(record, audience, CATALOGUE, now, kind=kind) for audience in Audience
    )
    assert set(public) <= set(authorised) <= set(verification) <= set(record.fields)
    assert set(authorised) <= set(own) <= set(record.fields)
    for name, value in public.items():
        assert value in (authorised[name], mask_persons(authorised[name]))


@given(records, moments, moments)
@settings(max_examples=sampled(100, full=300))
def test_after_repair_suspension_or_withdrawal_only_the_enterprise_sees_the_record(
    chosen: tuple[str, Record],
    when: datetime,
    now: datetime,
) -> None:
    """From that moment; the enterprise sees it as before."""
    _, record = chosen
    for mark in ("repaired_at", "suspended_at", "withdrawn_at"):
        changed: dict[str, Any] = {mark: when}
        ended = replace(record, **changed)
        for audience in OTHERS:
            assert now < when or not is_disclosable(ended, audience, CATALOGUE, now)
        own = [
            is_disclosable(each, Audience.ENTERPRISE, CATALOGUE, now) for each in (record, ended)
        ]
        assert own[0] == own[1]


@given(records, moments, st.timedeltas(timedelta(0), timedelta(days=3000)))
@settings(max_examples=sampled(100, full=300))
def test_an_ended_record_stays_ended(
    chosen: tuple[str, Record],
    now: datetime,
    later: timedelta,
) -> None:
    """Time only ends disclosure."""
    _, record = chosen
    dataset, rules = CATALOGUE.dataset(record.dataset), CATALOGUE.rules_of(record.dataset)
    end = disclosure_terms.ends_at(record, dataset, rules)
    if end is not None and now >= end:
        for audience in OTHERS:
            assert not is_disclosable(record, audience, CATALOGUE, now + later)


@pytest.mark.usefixtures("_machine_in")
@pytest.mark.parametrize("offset", [-11, 0, 8, 14])
def test_a_record_is_disclosed_until_midnight_in_any_time_zone(
    offset: int,
) -> None:
    """For any time zone of the machine and any offset of the moment."""
    zone = timezone(timedelta(hours=offset))
    record = make_record(publicity_ends_on="2026-11-22")
    last_second = datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC).astimezone(zone)
    assert is_disclosable(record, Audience.PUBLIC, CATALOGUE, last_second)
    assert not is_disclosable(
        record, Audience.PUBLIC, CATALOGUE, last_second + timedelta(seconds=1)
    )


@given(st.dates(date(1992, 1, 1), date(2100, 1, 1)))
def test_a_day_is_its_own_from_its_first_moment_to_its_last(day: date) -> None:
    """And 24 hours long."""
    assert day_of(midnight(day)) == day == day_of(end_of(day) - timedelta(microseconds=1))
    assert end_of(day) - midnight(day) == timedelta(days=1)


@given(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.integers(0, 600),
    st.integers(0, 600),
)
def test_a_longer_term_never_ends_earlier(day: date, months: int, more: int) -> None:
    """And in the month that was counted."""
    end = months_after(day, months)
    assert end <= months_after(day, months + more)
    assert (end.year - day.year) * 12 + end.month - day.month == months
    assert end.day <= day.day


@given(st.sampled_from(OPERATORS), moments)
def test_an_operators_name_is_never_whole_in_public(enterprise: Enterprise, now: datetime) -> None:
    """On any day."""
    record = registration_of(enterprise)
    told = disclosable_fields(record, Audience.PUBLIC, CATALOGUE, now, kind=INDIVIDUAL_BUSINESS)
    name = str(told.get("legal_representative", "**"))
    assert name.endswith("**")
    assert len(name) <= 3
