"""Evaluation of questions: for any file, closed facts do not change the answer."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from verification import QUESTIONS, Answered, Asked, Facts, LiveRecord, evaluate

DATASETS = sorted({dataset for each in QUESTIONS for dataset in each.datasets})
DATES = st.dates() | st.dates().map(str) | st.text(max_size=10) | st.none() | st.integers()
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["轻微", "一般", "严重", "", None]),
        "category": st.sampled_from(["普通", "特许", None]),
        "valid_from": DATES,
        "valid_to": DATES,
        "level": st.sampled_from(["优秀", "差", "A", None]),
        "rated_on": DATES,
        "fulfilment": st.sampled_from(["fulfilled", "broken", "in_progress", None]),
        "kind": st.just("social_insurance"),
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
ASKED = st.sampled_from(QUESTIONS).flatmap(
    lambda each: st.builds(
        Asked,
        tag=st.just(each.tag),
        value=st.text(max_size=8) | st.none() | st.sampled_from([*each.values, None]),
    )
)
TODAY = date(2026, 11, 22)


def digest(text: str) -> bytes:
    """A stand-in for a keyed digest of the same length."""
    return text.encode()[:32].ljust(32, b"1")


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
    others = [Asked(tag=each.tag, value=(each.values or (None,))[0]) for each in QUESTIONS]
    every = frozenset([asked, *others])
    (alone,) = evaluate([asked], facts, allowed=every, digest=digest, today=TODAY)
    among = evaluate([*others, asked], facts, allowed=every, digest=digest, today=TODAY)
    assert among[-1] == alone
