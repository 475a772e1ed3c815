"""Properties of repair terms: monotonic in time, never before the shortest publicity."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile.local_dates import midnight, months_after
from gateway.creditfile.repair_terms import NoRepair, RepairState, repair_terms
from tests.creditfile_builders import CATALOGUE, make_record
from tests.sampling import sampled

SEVERITIES = {"轻微": 0, "一般": 3, "严重": 12, None: 3}
DAYS = st.dates(date(2026, 4, 1), date(2030, 12, 31))


@settings(max_examples=sampled(200, full=3_000), deadline=None)
@given(
    decided=DAYS,
    severity=st.sampled_from(list(SEVERITIES)),
    days=st.integers(0, 1500),
    seconds=st.integers(0, 86_399),
)
def test_a_repair_begins_after_the_shortest_publicity_and_stays_possible(
    decided: date, severity: str | None, days: int, seconds: int
) -> None:
    """Before that day never, from it on until the record ends."""
    record = make_record(
        decided_on=decided.isoformat(),
        determined_on=decided.isoformat(),
        published_on=decided.isoformat(),
        severity=severity,
        fine="5.000000",
        publish_decided=True,
    )
    now = midnight(decided) + timedelta(days=days, seconds=seconds)
    terms = repair_terms(record, CATALOGUE, now)
    if isinstance(terms, NoRepair):
        end = months_after(decided, {"轻微": 3, "严重": 36}.get(severity or "", 12))
        assert now >= midnight(end + timedelta(days=1))
        return
    months = SEVERITIES[severity]
    assert terms.repairable_from == months_after(decided, months) + timedelta(days=bool(months))
    due = now >= midnight(terms.repairable_from)
    assert terms.state is (RepairState.REPAIRABLE if due else RepairState.NOT_YET)
    assert terms.can_apply is due
    assert terms.ends_at is not None
    assert now < terms.ends_at


@settings(max_examples=sampled(100, full=1_000), deadline=None)
@given(
    dataset=st.sampled_from(["penalty", "serious_violation", "abnormal_listing", "inspection"]),
    days=st.integers(-1000, 3000),
    applied=st.booleans(),
)
def test_nothing_is_repaired_that_does_not_count(dataset: str, days: int, applied: bool) -> None:
    """Only with an open application is a record that has ended still in a state."""
    record = make_record(dataset)
    now = midnight(date(2026, 8, 1)) + timedelta(days=days)
    terms = repair_terms(record, CATALOGUE, now, applied=applied)
    if not isinstance(terms, NoRepair) and not applied:
        assert terms.ends_at is None or now < terms.ends_at
