"""Self-assessment: points, the records that weigh on them, and what can be done."""

from datetime import date, timedelta
from typing import Any

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import Record, registration_of
from gateway.creditfile.repair_terms import RepairChange, RepairChangeKind
from gateway.creditfile.self_assessment import (
    Basis,
    Procedures,
    RatingStanding,
    Standing,
    Step,
    ToDo,
    self_assessment,
)
from tests.creditfile_builders import CATALOGUE, NOON, make_enterprise, make_record

TODAY = day_of(NOON)
LISTED = {"decision_number": "浙市监严〔2025〕1号", "added_on": "2025-02-01"}


def assessed(*records: Record, **procedures: Any) -> tuple[RatingStanding, ...]:
    held = (registration_of(make_enterprise()), *records)
    return self_assessment(held, CATALOGUE, NOON, procedures=Procedures(**procedures))


def standing(indicator: str, *records: Record, **procedures: Any) -> Standing:
    """Where it stands against an indicator of the public credit scheme."""
    of_all = next(e for e in assessed(*records, **procedures) if e.scheme.for_all)
    return next(each for each in of_all.standings if each.indicator.code == indicator)


def rating(*indicators: dict[str, Any], **changed: Any) -> Record:
    return make_record(
        "public_rating",
        **{
            "record_id": "rec_r",
            "model_version": "2026",
            "indicators": list(indicators),
            **changed,
        },
    )


def penalty(days_ago: int, **changed: Any) -> Record:
    """A penalty decided so many days ago."""
    day = f"{TODAY - timedelta(days=days_ago)}"
    return make_record(**{"decided_on": day, "determined_on": day, "published_on": day, **changed})


def test_points_are_those_of_the_latest_rating() -> None:
    """With the reasons that it gives, whatever the records of today would make."""
    of_rating = rating({"indicator": "penalties", "points": 30, "reason_codes": ["L11"]})
    found = standing("penalties", of_rating)
    assert (found.basis, found.points) == (Basis.DELIVERED, 30)
    assert [each.code for each in found.reasons] == ["L11"]
    assert found.against == ()


def test_an_older_rating_counts_for_nothing() -> None:
    """The latest only, as everywhere."""
    old = rating({"indicator": "penalties", "points": 30, "reason_codes": ["L11"]})
    new = rating(
        {"indicator": "penalties", "points": 150, "reason_codes": []},
        record_id="rec_new",
        date="2026-11-01",
    )
    assert standing("penalties", old, new).points == 150


def test_without_delivered_points_the_published_rule_computes_them() -> None:
    """And where there is no rule they are not known."""
    found = standing("penalties", penalty(30))
    assert (found.basis, found.points) == (Basis.COMPUTED, 100)
    assert [each.code for each in found.reasons] == ["L12"]
    unknown = standing("consumers")
    assert (unknown.basis, unknown.points) == (Basis.NOT_KNOWN, None)


def test_computed_points_stay_between_none_and_the_most() -> None:
    """Four penalties take no more than there is."""
    many = [penalty(n, record_id=f"rec_{n}", document_number=f"罚{n}") for n in (10, 20, 30, 40)]
    assert standing("penalties", *many).points == 0
    assert standing("penalties").points == 150


def test_a_record_that_has_ended_takes_no_points() -> None:
    """Repaired, over, simplified or under appeal: as for everybody else."""
    for changed in (
        {"repaired_at": NOON},
        {"publicity_ends_on": "2026-11-01"},
        {"procedure": "简易"},
        {"appeal_state": "under_appeal"},
    ):
        found = standing("penalties", penalty(60, **changed))
        assert (found.points, found.weights) == (150, ()), changed


def test_a_record_can_be_objected_to_and_repaired_from_a_day_and_ends_by_itself() -> None:
    """The days are those of the clocks and of repair."""
    weight = standing("penalties", penalty(30)).against[0]
    assert weight.to_do == (
        ToDo(step=Step.OBJECT),
        ToDo(step=Step.REPAIR_FROM, day=date(2027, 1, 24)),
        ToDo(step=Step.WAIT_UNTIL, day=date(2027, 10, 23)),
    )


def test_a_repair_can_be_applied_for_once_the_shortest_publicity_is_over() -> None:
    """And while an application or objection is under way that is said instead."""
    old = penalty(120)
    steps = [each.step for each in standing("penalties", old).against[0].to_do]
    assert steps == [Step.OBJECT, Step.REPAIR, Step.WAIT_UNTIL]
    running = standing("penalties", old, applied={"rec_1"}, objected={"rec_1"})
    steps = [each.step for each in running.against[0].to_do]
    assert steps == [Step.OBJECTED, Step.APPLIED, Step.WAIT_UNTIL]


def test_a_revoked_repair_waits_anew() -> None:
    """For the months of the catalogue."""
    change = RepairChange(kind=RepairChangeKind.REPAIR_REVOKED, day=TODAY)
    listed = make_record("serious_violation", **LISTED)
    found = standing("lists", listed, repair_changes={"rec_1": change})
    assert ToDo(step=Step.REPAIR_FROM, day=date(2027, 11, 23)) in found.against[0].to_do


def test_what_cannot_be_repaired_is_waited_for() -> None:
    """A late payment counts until its term is over."""
    late = make_record("tax_and_social", period="2026-01", on_time=False)
    assert [each.code for each in standing("tax", late).reasons] == ["F12"]
    assert standing("tax", late).against[0].to_do == (
        ToDo(step=Step.OBJECT),
        ToDo(step=Step.WAIT_UNTIL, day=date(2029, 1, 31)),
    )
    paid = make_record("tax_and_social", period="2026-01", on_time=True)
    assert standing("tax", paid).weights == ()


def test_a_record_may_be_in_its_favour() -> None:
    """Nothing needs doing about it."""
    kept = make_record("commitment", fulfilment="fulfilled")
    found = standing("commitments", kept)
    assert [each.record for each in found.in_favour] == [kept]
    assert found.in_favour[0].to_do == ()


def test_only_ratings_that_apply_are_assessed() -> None:
    """Each that it has, and the scheme that rates everybody."""
    assert [each.scheme.code for each in assessed()] == ["zj_public_credit"]
    both = assessed(
        make_record("comprehensive_rating", scheme="全国公共信用综合评价", level="B"),
        make_record("industry_rating", scheme="企业环境信用评价", level="B", date="2026-10-01"),
        make_record("third_party_rating", standard="企业信用等级划分通则", date="2026-10-01"),
    )
    assert [each.scheme.code for each in both] == [
        "zj_public_credit", "national_comprehensive", "environment_grade",
    ], "the third-party rating is unfiled"  # fmt: skip


def test_a_rating_of_another_version_is_not_assessed_by_this_one() -> None:
    """Its scheme is not published."""
    assert assessed(rating(model_version="2019")) == ()
