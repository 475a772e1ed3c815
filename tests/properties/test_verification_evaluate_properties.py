"""Evaluation of questions: for any file, closed facts do not change the answer."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from verification import (
    QUESTIONS,
    Answered,
    Asked,
    Facts,
    LiveRecord,
    Question,
    Value,
    elements_of,
    evaluate,
)

DATASETS = sorted({dataset for each in QUESTIONS for dataset in each.datasets})
DATES = st.dates() | st.dates().map(str) | st.text(max_size=10) | st.none() | st.integers()
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["轻微", "一般", "严重", "", None]),
        "category": st.sampled_from(["普通", "特许", None]),
        "valid_from": DATES,
        "valid_to": DATES,
        "level": st.sampled_from(["优秀", "差", "A", "C", None]),
        "rated_on": DATES,
        "fulfilment": st.sampled_from(["fulfilled", "broken", "in_progress", None]),
        "kind": st.sampled_from(["social_insurance", "tax", "housing_fund", "firm", None]),
        "term_to": DATES,
        "number": st.sampled_from(["浙许1号", "浙许*号", "", None]),
        "certificate": st.sampled_from(["证 JY1", "证", None]),
        "year": st.sampled_from(["2025", "2024", "", None]),
        "item": st.sampled_from(["法定代表人变更", "住所变更", "", None]),
        "changed_on": DATES,
        "approved_on": DATES,
        "small_or_micro": st.sampled_from([True, False, None]),
        "scope_industries": st.sampled_from([["F5211"], ["F52"], ["I6513"], [], None]),
        "item_code": st.sampled_from(["food_operation", "printing", None]),
        "insured": st.sampled_from([0, 9, 10, 100, -1, True, None, "10"]),
        "period": st.sampled_from(["2026-08", "2026-09", "2026-10", ""]),
        "on_time": st.sampled_from([True, False, None, "yes"]),
    },
)
RECORDS = st.builds(
    LiveRecord,
    dataset=st.sampled_from(DATASETS),
    record_id=st.sampled_from("abcd"),
    version=st.integers(1, 3),
    fields=FIELDS,
)
FACTS = st.builds(
    Facts,
    name=st.text(max_size=8),
    legal_representative=st.none() | st.text(max_size=4),
    address=st.none() | st.text(max_size=8),
    status=st.sampled_from(["active", "deregistered", None]),
    established_on=st.none() | st.dates(),
    digests=st.sampled_from([{}, {"legal_representative_id": b"1" * 32}]),
    records=st.lists(RECORDS, max_size=8).map(tuple),
    available=st.frozensets(st.sampled_from(DATASETS)),
)
GROUPS = st.dictionaries(
    st.sampled_from(["name", "legal_representative", "id_number"]), st.text(max_size=4)
).map(elements_of)
ASKED = st.sampled_from(QUESTIONS).flatmap(
    lambda each: st.builds(
        Asked,
        tag=st.just(each.tag),
        value=st.text(max_size=8) | st.none() | GROUPS | st.sampled_from([*each.values, None]),
    )
)
LATER = [each for each in QUESTIONS[16:] if each.tag != "employees_insured_at_least.v1"]
TODAY = date(2026, 11, 22)


def digest(text: str) -> bytes:
    """A stand-in for a keyed digest of the same length."""
    return text.encode()[:32].ljust(32, b"1")


OPEN_ENDS = {"valid_from", "valid_to"}
"""Fields of licences that are absent where a licence has no first or last day."""


def a_value(each: Question) -> Value | None:
    """A valid value of the question."""
    if each.elements:
        return elements_of(dict.fromkeys((element.name for element in each.elements), "名"))
    text = "521" if each.normalisation == "industry_groups.v1" else "浙许1号"
    return (each.values or (None if each.value == "none" else text,))[0]


def answer(each: Question, facts: Facts) -> Answered:
    """Its answer with consent and budget."""
    asked = Asked(tag=each.tag, value=a_value(each))
    (answered,) = evaluate([asked], facts, allowed={asked}, digest=digest, today=TODAY)
    return answered


@given(st.lists(ASKED, max_size=6), st.none() | FACTS, st.data())
def test_every_answer_is_well_formed(
    asked: list[Asked], facts: Facts | None, data: st.DataObject
) -> None:
    """One for each question, in order, resting only on records of the file."""
    allowed = frozenset(data.draw(st.lists(st.sampled_from(asked)))) if asked else frozenset()
    answers = evaluate(asked, facts, allowed=allowed, digest=digest, today=TODAY)
    assert [each.tag for each in answers] == [each.tag for each in asked]
    there = {(r.record_id, r.version) for r in facts.records} if facts else set()
    for ask, answered in zip(asked, answers, strict=True):
        if facts is None or ask not in allowed or answered.answer == "not_determined":
            assert answered == Answered(tag=ask.tag, answer="not_determined")
        assert there.issuperset(answered.rests_on)
        assert answered.match is None or answered.answer == "yes"


@given(ASKED, FACTS)
def test_an_answer_does_not_depend_on_its_neighbours(asked: Asked, facts: Facts) -> None:
    """Alone and among others it is the same."""
    others = [Asked(tag=each.tag, value=a_value(each)) for each in QUESTIONS]
    every = frozenset([asked, *others])
    (alone,) = evaluate([asked], facts, allowed=every, digest=digest, today=TODAY)
    among = evaluate([*others, asked], facts, allowed=every, digest=digest, today=TODAY)
    assert among[-1] == alone


REGISTERED = st.builds(
    LiveRecord,
    dataset=st.just("registration"),
    record_id=st.just("reg"),
    version=st.just(1),
    fields=FIELDS,
)


@given(st.sampled_from(LATER), FACTS, REGISTERED, st.data())
def test_a_missing_field_makes_no_no(
    each: Question, facts: Facts, registered: LiveRecord, data: st.DataObject
) -> None:
    """Removing a field from the file turns no answer into `no`."""
    whole = facts._replace(records=(registered, *facts.records), available=frozenset(DATASETS))
    place = data.draw(st.integers(0, len(whole.records) - 1))
    thinned = whole.records[place]
    lost = data.draw(st.sampled_from([*(thinned.fields.keys() - OPEN_ENDS), ""]))
    left = {name: value for name, value in thinned.fields.items() if name != lost}
    records = [thinned._replace(fields=left) if r is thinned else r for r in whole.records]
    if answer(each, whole._replace(records=tuple(records))).answer == "no":
        assert answer(each, whole).answer == "no"


@given(st.sampled_from(QUESTIONS[16:]), FACTS, REGISTERED)
def test_a_yes_by_presence_rests_on_records(
    each: Question, facts: Facts, registered: LiveRecord
) -> None:
    """Recipients get a notice when one of them changes; empty records deny nothing."""
    there = facts._replace(records=(registered, *facts.records))
    told = answer(each, there)
    if told.answer == "yes" and not each.tag.startswith("no"):
        assert told.rests_on
    blank = there._replace(
        name="",
        legal_representative=None,
        status=None,
        established_on=None,
        digests={},
        records=tuple(record._replace(fields={}) for record in there.records),
    )
    assert answer(each, blank).answer != "no" or each.tag in EXISTENCE_IS_THE_ANSWER


EXISTENCE_IS_THE_ANSWER = {
    "licence_number_valid.v1",
    "licence_item_valid.v1",
    "not_on_any_serious_list.v1",
    "no_enforcement_case.v1",
    "no_equity_freeze.v1",
    "not_in_liquidation.v1",
}
"""Questions on the existence of a record, from an available source, whatever its fields say."""


@given(FACTS, REGISTERED, st.text(max_size=4), st.text(max_size=4))
def test_a_group_says_yes_where_each_element_does_and_no_only_where_all_are_known(
    facts: Facts, registered: LiveRecord, name: str, person: str
) -> None:
    """It rests on the same records, whichever element differs."""
    known = facts._replace(records=(registered, *facts.records), available=frozenset(DATASETS))
    group = Asked(
        tag="three_elements.v1",
        value=elements_of({"name": name, "legal_representative": person}),
    )
    alone = (
        Asked(tag="enterprise_name.v2", value=name),
        Asked(tag="legal_representative_name.v2", value=person),
    )
    told, *each = evaluate(
        [group, *alone], known, allowed={group, *alone}, digest=digest, today=TODAY
    )
    answers = {one.answer for one in each}
    if "not_determined" in answers:
        assert told == Answered(tag=group.tag, answer="not_determined")
    else:
        assert told.answer == ("no" if "no" in answers else "yes")
        assert told.rests_on == each[0].rests_on
    assert told.match is None
