"""Evaluation of questions: `yes`, `no` or `not_determined`, with the records it rests on."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, datetime

import pytest

from verification import (
    QUESTIONS,
    STAND_IN,
    Answered,
    Asked,
    Facts,
    LiveRecord,
    Question,
    Value,
    elements_of,
    evaluate,
)

TODAY = date(2026, 11, 22)
ID_NUMBER = "33010619900101123X"
ALL_DATASETS = frozenset(dataset for each in QUESTIONS for dataset in each.datasets)


def digest(text: str) -> bytes:
    """A keyed digest as the gateway stores it."""
    return hmac.digest(b"a key of this test", text.encode(), hashlib.sha256)


REGISTRATION = LiveRecord(dataset="registration", record_id="reg", version=4)
ENTERPRISE = Facts(
    name="杭州云栖数据科技有限公司",
    former_names=("杭州旧名科技有限公司",),
    legal_representative="张伟国",
    address="浙江省杭州市西湖区文三路1号",
    status="active",
    established_on=date(2016, 2, 29),
    digests={"legal_representative_id": digest(ID_NUMBER)},
    records=(REGISTRATION,),
    available=ALL_DATASETS,
)


def make_record(dataset: str, record_id: str = "r1", /, **fields: object) -> LiveRecord:
    """A live record of one dataset."""
    return LiveRecord(
        dataset=dataset,
        record_id=record_id,
        version=2,
        fields=fields,
        counts_as_bad=dataset == "penalty",
    )


def having(*records: LiveRecord) -> Facts:
    """Facts with these records."""
    return ENTERPRISE._replace(records=(REGISTRATION, *records))


def ask(
    tag: str, value: Value | None = None, *, facts: Facts | None = ENTERPRISE, today: date = TODAY
) -> Answered:
    """Ask one question with consent and budget."""
    asked = Asked(tag=tag, value=value)
    (answered,) = evaluate([asked], facts, allowed={asked}, digest=digest, today=today)
    assert answered.tag == tag
    return answered


def asserted_values(each: Question) -> tuple[Value | None, ...]:
    """Values of a question: every band, or a text for each member."""
    if each.elements:
        return (elements_of(dict.fromkeys((e.name for e in each.elements), ENTERPRISE.name)),)
    return each.values or ((ENTERPRISE.name,) if each.value == "text" else (None,))


EVERYTHING = [
    Asked(tag=each.tag, value=value) for each in QUESTIONS for value in asserted_values(each)
]


def test_an_unknown_enterprise_determines_nothing() -> None:
    """Each question, in the order asked."""
    answers = evaluate(EVERYTHING, None, allowed={*EVERYTHING}, digest=digest, today=TODAY)
    assert answers == tuple(Answered(tag=each.tag, answer="not_determined") for each in EVERYTHING)


def test_a_closed_question_looks_like_an_unknown_enterprise() -> None:
    """Without consent or budget, the answer equals that for an unknown code."""
    facts = having(
        make_record("public_rating", level="优秀"), make_record("penalty", severity="严重")
    )
    closed = evaluate(EVERYTHING, facts, allowed=frozenset(), digest=digest, today=TODAY)
    assert closed == evaluate(EVERYTHING, None, allowed={*EVERYTHING}, digest=digest, today=TODAY)


def test_allowing_one_question_allows_no_other_value_of_it() -> None:
    """Permission is for a question with its value."""
    low, high = (Asked(tag="rating_at_least.v1", value=level) for level in ("差", "优秀"))
    facts = having(make_record("public_rating", level="良好"))
    answers = evaluate([low, high], facts, allowed={high}, digest=digest, today=TODAY)
    assert [each.answer for each in answers] == ["not_determined", "no"]


def test_the_work_is_the_same_for_an_unknown_enterprise() -> None:
    """A dummy of equal size is compared, with a keyed digest."""
    made: list[str] = []

    def counting(text: str) -> bytes:
        made.append(text)
        return digest(text)

    group = {"name": "甲公司", "legal_representative": "乙", "id_number": ID_NUMBER}
    for asked in (
        Asked(tag="legal_representative_id.v1", value=ID_NUMBER),
        Asked(tag="four_elements.v1", value=elements_of(group)),
    ):
        made.clear()
        for facts in (None, ENTERPRISE, ENTERPRISE._replace(digests={})):
            for allowed in (frozenset[Asked](), frozenset({asked})):
                evaluate([asked], facts, allowed=allowed, digest=counting, today=TODAY)
        assert made == [ID_NUMBER] * 6
    assert STAND_IN.available == ALL_DATASETS


def test_a_dataset_whose_source_is_away_determines_nothing() -> None:
    """No source and no record are different."""
    for each in EVERYTHING:
        facts = ENTERPRISE._replace(available=frozenset())
        assert ask(each.tag, each.value, facts=facts).answer == "not_determined"


@pytest.mark.parametrize(
    ("name", "answer", "match"),
    [
        ("杭州云栖数据科技有限公司", "yes", "strict"),
        (" 杭州云栖\u200b数据科技有限公司", "yes", "strict"),
        ("杭州雲棲數據科技有限公司", "yes", "loose"),
        ("杭州云栖数据科技有限责任公司", "no", None),
        ("杭州旧名科技有限公司", "no", None),
        ("杭州云栖数据科技有限公\ue000", "not_determined", None),
        ("杭州云?数据科技有限公司", "not_determined", None),
    ],
)
def test_a_name_matches_strictly_loosely_or_not(name: str, answer: str, match: str | None) -> None:
    """The answer has the level of the match."""
    answered = ask("enterprise_name.v1", name)
    assert (answered.answer, answered.match) == (answer, match)
    assert answered.rests_on == (() if answer == "not_determined" else (("reg", 4),))


@pytest.mark.parametrize("recorded", ["王\ue81e", "王\u9fb4"])
@pytest.mark.parametrize("asserted", ["王\ue81e", "王\u9fb4", "王\u9fb4\ufe00"])
def test_a_rare_character_does_not_make_a_true_name_false(recorded: str, asserted: str) -> None:
    """Private use and assigned code points are equal."""
    facts = ENTERPRISE._replace(legal_representative=recorded)
    assert ask("legal_representative_name.v1", asserted, facts=facts).match == "strict"


def test_a_name_that_could_not_be_written_down_is_not_denied() -> None:
    """A recorded placeholder gives `not_determined`, not `no`."""
    facts = ENTERPRISE._replace(legal_representative="王〓")
    assert ask("legal_representative_name.v1", "王䶮", facts=facts).answer == "not_determined"
    assert ask("legal_representative_name.v1", "王〓", facts=facts).answer == "yes"


@pytest.mark.parametrize(
    ("tag", "facts"),
    [
        ("enterprise_name.v1", ENTERPRISE._replace(name="")),
        ("legal_representative_name.v1", ENTERPRISE._replace(legal_representative=None)),
        ("registered_address.v1", ENTERPRISE._replace(address=None)),
        ("legal_representative_id.v1", ENTERPRISE._replace(digests={})),
    ],
)
def test_an_empty_field_is_not_denied(tag: str, facts: Facts) -> None:
    """An empty field gives `not_determined`, also against the dummy's value."""
    for value in ("杭州", STAND_IN.name, STAND_IN.legal_representative, STAND_IN.address):
        assert ask(tag, value, facts=facts).answer == "not_determined"


def test_an_address_matches_without_saying_how() -> None:
    """Addresses have one form, and no level of match."""
    answered = ask("registered_address.v1", "浙江省 杭州市 西湖区 文三路１号")
    assert (answered.answer, answered.match) == ("yes", None)
    assert ask("registered_address.v1", "浙江省杭州市西湖區文三路1號").answer == "no"


@pytest.mark.parametrize(("value", "answer"), [("33010619900101123x", "yes"), ("3301", "no")])
def test_an_id_number_is_compared_by_its_keyed_digest(value: str, answer: str) -> None:
    """The facts do not have the number."""
    assert ask("legal_representative_id.v1", value).answer == answer


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("active", "yes"),
        ("suspended", "no"),
        ("revoked_not_deregistered", "no"),
        ("deregistered", "no"),
        ("moved_out", "no"),
        (None, "not_determined"),
    ],
)
def test_only_an_active_registration_is_active(status: str | None, answer: str) -> None:
    """Suspended, revoked and deregistered give `no`."""
    assert ask("is_active.v1", facts=ENTERPRISE._replace(status=status)).answer == answer


@pytest.mark.parametrize(
    ("tag", "dataset"),
    [
        ("not_on_serious_violation_list.v1", "serious_violation"),
        ("not_abnormal.v1", "abnormal_listing"),
        ("not_judgment_defaulter.v1", "judgment_defaulter"),
    ],
)
def test_a_live_listing_is_a_no_that_rests_on_it(tag: str, dataset: str) -> None:
    """Listed: `no` with its record; not listed: `yes` without records."""
    assert ask(tag) == Answered(tag=tag, answer="yes")
    listed = ask(tag, facts=having(make_record(dataset)))
    assert listed == Answered(tag=tag, answer="no", rests_on=(("r1", 2),))


@pytest.mark.parametrize(
    ("asked", "recorded", "answer"),
    [
        (None, [], "yes"),
        (None, ["轻微"], "no"),
        (None, [None], "no"),
        ("严重", [], "yes"),
        ("严重", ["轻微", "一般"], "yes"),
        ("严重", ["轻微", "严重"], "no"),
        ("严重", ["轻微", None], "not_determined"),
        ("严重", ["严重", None], "no"),
        ("轻微", ["严重"], "yes"),
    ],
)
def test_penalties_are_answered_by_severity(
    asked: str | None, recorded: list[str | None], answer: str
) -> None:
    """A question with a severity counts that severity only; an ungraded penalty gives no `yes`."""
    facts = having(*(make_record("penalty", f"p{i}", severity=s) for i, s in enumerate(recorded)))
    answered = ask("no_live_penalty.v1", asked, facts=facts)
    assert answered.answer == answer
    assert bool(answered.rests_on) == (answer == "no")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"valid_from": "2026-11-22", "valid_to": "2026-11-22"}, "yes"),
        ({"valid_from": date(2020, 1, 1), "valid_to": date(2099, 12, 31)}, "yes"),
        ({"valid_from": datetime(2020, 1, 1, 8), "valid_to": None}, "yes"),  # noqa: DTZ001
        ({"valid_from": "2020-01-01T00:00:00+08:00", "valid_to": ""}, "yes"),
        ({}, "yes"),
        ({"valid_from": "2026-11-23"}, "no"),
        ({"valid_to": "2026-11-21"}, "no"),
        ({"valid_to": "长期"}, "not_determined"),
        ({"valid_from": 20200101}, "not_determined"),
    ],
)
def test_a_licence_is_valid_within_its_term(fields: dict[str, object], answer: str) -> None:
    """Both ends included; unreadable dates give `not_determined`."""
    facts = having(make_record("licence", category="普通", **fields))
    answered = ask("licence_valid.v1", "普通", facts=facts)
    assert answered.answer == answer
    assert answered.rests_on == (() if answer == "not_determined" else (("r1", 2),))


def test_a_licence_of_another_category_does_not_count() -> None:
    """Without a licence of that category: `no`."""
    facts = having(make_record("licence", category="普通"))
    assert ask("licence_valid.v1", "特许", facts=facts) == Answered(
        tag="licence_valid.v1", answer="no"
    )


def test_one_valid_licence_among_ended_ones_is_enough() -> None:
    """With that licence as its record."""
    ended = make_record("licence", "old", category="普通", valid_to="2020-01-01")
    facts = having(ended, make_record("licence", "new", category="普通"))
    assert ask("licence_valid.v1", "普通", facts=facts).rests_on == (("new", 2),)


@pytest.mark.parametrize(
    ("states", "answer", "rests_on"),
    [
        ([], "not_determined", ()),
        (["fulfilled", "fulfilled"], "yes", (("c0", 2), ("c1", 2))),
        (["fulfilled", "broken", "in_progress"], "no", (("c1", 2),)),
        (["fulfilled", "in_progress"], "not_determined", ()),
        (["fulfilled", None], "not_determined", ()),
    ],
)
def test_commitments_are_fulfilled_together(
    states: list[str | None], answer: str, rests_on: tuple[tuple[str, int], ...]
) -> None:
    """One broken: `no`; one in progress: `not_determined`."""
    made = (make_record("commitment", f"c{i}", fulfilment=s) for i, s in enumerate(states))
    answered = ask("commitment_fulfilled.v1", facts=having(*made))
    assert (answered.answer, answered.rests_on) == (answer, rests_on)


LEVELS = ["优秀", "良好", "中等", "较差", "差"]


@pytest.mark.parametrize("theirs", LEVELS)
@pytest.mark.parametrize("wanted", LEVELS)
def test_ratings_are_ordered(theirs: str, wanted: str) -> None:
    """Excellent is at least everything, poor at least poor."""
    facts = having(make_record("public_rating", level=theirs))
    answered = ask("rating_at_least.v1", wanted, facts=facts)
    assert answered.answer == ("yes" if LEVELS.index(theirs) <= LEVELS.index(wanted) else "no")
    assert answered.rests_on == (("r1", 2),)


def test_a_missing_or_unknown_rating_determines_nothing() -> None:
    """`not_determined` instead of a bad rating."""
    assert ask("rating_at_least.v1", "差").answer == "not_determined"
    facts = having(make_record("public_rating", level="A++"))
    assert ask("rating_at_least.v1", "差", facts=facts).answer == "not_determined"


def test_the_latest_of_several_ratings_counts() -> None:
    """In any order."""
    old = make_record("public_rating", "old", level="差", rated_on="2025-01-01")
    new = make_record("public_rating", "new", level="优秀", rated_on="2026-01-01")
    for records in ((old, new), (new, old)):
        answered = ask("rating_at_least.v1", "良好", facts=having(*records))
        assert (answered.answer, answered.rests_on) == ("yes", (("new", 2),))


@pytest.mark.parametrize(
    ("years", "today", "answer"),
    [
        ("1", date(2017, 2, 27), "no"),
        ("1", date(2017, 2, 28), "yes"),
        ("10", date(2026, 2, 27), "no"),
        ("10", date(2026, 2, 28), "yes"),
        ("1", date(2016, 1, 1), "no"),
    ],
)
def test_years_are_completed_on_the_corresponding_day(years: str, today: date, answer: str) -> None:
    """Founded on 29 February: the last day of February in other years."""
    assert ask("established_for.v1", years, today=today).answer == answer


def test_an_unknown_founding_date_determines_nothing() -> None:
    """`not_determined`."""
    facts = ENTERPRISE._replace(established_on=None)
    assert ask("established_for.v1", "1", facts=facts).answer == "not_determined"


def paid(period: str, *, on_time: object, kind: str = "social_insurance") -> LiveRecord:
    """Payment of one month."""
    return make_record("tax_and_social", period, kind=kind, period=period, on_time=on_time)


AUTUMN = ("2026-08", "2026-09", "2026-10")


@pytest.mark.parametrize(
    ("records", "answer"),
    [
        ([paid(month, on_time=True) for month in AUTUMN], "yes"),
        ([paid(month, on_time=True) for month in AUTUMN[1:]], "not_determined"),
        ([paid(AUTUMN[0], on_time=False)], "no"),
        ([paid(month, on_time=month != AUTUMN[1]) for month in AUTUMN], "no"),
        ([*(paid(m, on_time=True) for m in AUTUMN), paid("2026-11", on_time=False)], "yes"),
        ([*(paid(m, on_time=True) for m in AUTUMN), paid("2026-07", on_time=False)], "yes"),
        ([paid(month, on_time="true") for month in AUTUMN], "not_determined"),
        ([paid(month, on_time=True, kind="tax") for month in AUTUMN], "not_determined"),
    ],
)
def test_the_last_complete_months_count(records: list[LiveRecord], answer: str) -> None:
    """The current month is left out; one late month is a `no`, a missing one `not_determined`."""
    facts = having(*records)
    assert ask("paid_social_insurance_on_time.v1", "3", facts=facts).answer == answer


def test_the_last_months_reach_back_over_the_new_year() -> None:
    """In January, the last three months of the year before."""
    months = ("2025-10", "2025-11", "2025-12")
    facts = having(*(paid(month, on_time=True) for month in months))
    answered = ask("paid_social_insurance_on_time.v1", "3", facts=facts, today=date(2026, 1, 1))
    assert answered.answer == "yes"
    assert answered.rests_on == tuple((month, 2) for month in months)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("unheard_of.v1", None),
        ("established_for.v1", "abc"),
        ("established_for.v1", None),
        ("rating_at_least.v1", "A"),
        ("is_active.v1", "yes"),
        ("enterprise_name.v1", None),
        ("enterprise_name.v1", " "),
        ("legal_representative_id.v1", ""),
    ],
)
def test_an_unknown_question_determines_nothing(tag: str, value: str | None) -> None:
    """Malformed questions, which the endpoint refuses, give `not_determined`."""
    assert ask(tag, value).answer == "not_determined"


def test_a_record_that_came_twice_is_rested_on_once() -> None:
    """Each record and version once, in a fixed order."""
    twice = make_record("abnormal_listing", "b"), make_record("abnormal_listing", "a")
    answered = ask("not_abnormal.v1", facts=having(*twice, *twice))
    assert answered.rests_on == (("a", 2), ("b", 2))
