"""Self-assessment of any file at any moment: within bounds, of records in force, of the enterprise alone."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_records, end_in_effect
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.rating_indicators import INDICATORS, SCORE
from gateway.creditfile.records import Record, registration_of
from gateway.creditfile.self_assessment import Basis, RatingStanding, Step, self_assessment
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE, NOON
from tests.sampling import sampled

TODAY = day_of(NOON)
PROVINCE = tuple(province(5, 160, today=TODAY, catalogue=CATALOGUE))

entities = st.sampled_from(PROVINCE)
moments = st.integers(-400, 1200).map(lambda days: NOON + timedelta(days=days))


def held(entity: SyntheticEnterprise) -> tuple[Record, ...]:
    return (registration_of(entity.enterprise), *entity.records)


@settings(max_examples=sampled(150, full=2000))
@given(entity=entities, now=moments)
def test_points_stay_within_their_indicator_and_add_up(
    entity: SyntheticEnterprise, now: datetime
) -> None:
    """Those of a rating with a score add up to it, whatever has happened since."""
    for each in assess(entity, now):
        for standing in each.standings:
            assert (standing.points is None) == (standing.basis is Basis.NOT_KNOWN)
            assert 0 <= (standing.points or 0) <= standing.indicator.points
        points = [e.points for e in each.standings if e.basis is Basis.DELIVERED]
        score = each.rating.fields.get(SCORE) if each.rating else None
        if score is not None and len(points) == len(each.scheme.indicators):
            assert sum(filter(None, points)) == score


@settings(max_examples=sampled(150, full=2000))
@given(entity=entities, now=moments)
def test_what_weighs_is_in_force_and_its_days_are_to_come(
    entity: SyntheticEnterprise, now: datetime
) -> None:
    """Nothing that has ended, been repaired or never counted; a day is never past."""
    context = context_of(held(entity), CATALOGUE, now)
    for each in assess(entity, now):
        for standing in each.standings:
            for weight in standing.weights:
                assert end_in_effect(weight.record, CATALOGUE, now, context=context) is None
                assert bool(weight.to_do) == (weight.reason is not None)
                days = {e.step: e.day for e in weight.to_do if e.day is not None}
                assert all(day >= day_of(now) for day in days.values()), days
                if Step.REPAIR_FROM in days and Step.WAIT_UNTIL in days:
                    assert days[Step.REPAIR_FROM] <= days[Step.WAIT_UNTIL]


@settings(max_examples=sampled(100, full=1000))
@given(entity=entities, now=moments)
def test_no_client_is_told_an_indicator(entity: SyntheticEnterprise, now: datetime) -> None:
    """Not in public, not under consent, not in a question."""
    for audience in (Audience.PUBLIC, Audience.AUTHORISED, Audience.VERIFICATION):
        told = disclosable_records(
            held(entity), audience, CATALOGUE, now, kind=entity.enterprise.kind
        )
        assert all(INDICATORS not in each.fields for each in told)


def assess(entity: SyntheticEnterprise, now: datetime) -> tuple[RatingStanding, ...]:
    return self_assessment(held(entity), CATALOGUE, now, kind=entity.enterprise.kind)


def test_the_province_has_ratings_to_assess() -> None:
    """Control: of several schemes, with points delivered and computed, and records on both sides."""
    found = [each for entity in PROVINCE for each in assess(entity, NOON)]
    assert len({each.scheme.code for each in found}) > 5
    standings = [each for rating in found for each in rating.standings]
    assert {each.basis for each in standings} == set(Basis)
    steps = {todo.step for each in standings for w in each.weights for todo in w.to_do}
    assert {Step.OBJECT, Step.REPAIR, Step.REPAIR_FROM, Step.WAIT_UNTIL} <= steps
    assert any(each.in_favour for each in standings)
