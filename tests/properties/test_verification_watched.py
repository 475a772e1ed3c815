"""Watched states: they differ where some call without a consent is answered differently, and only there."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.test_verification_evaluate_properties import FACTS, digest
from tests.sampling import sampled
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
    is_watchable,
    next_day,
    watched_state,
)

WATCHABLE = [each for each in QUESTIONS if is_watchable(each)]
DAYS = st.dates(date(2024, 1, 1), date(2028, 1, 1))
NEAR = st.dates(date(2025, 6, 1), date(2026, 6, 1))
UNKNOWN = st.none()


def of(dataset: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[list[LiveRecord]]:
    """At most one record of a dataset."""
    record = st.builds(
        LiveRecord,
        dataset=st.just(dataset),
        record_id=st.just(dataset),
        version=st.just(1),
        fields=st.fixed_dictionaries(fields),
    )
    return st.lists(record, max_size=1)


RECORDS = st.tuples(
    of("registration", term_to=UNKNOWN | NEAR, approved_on=UNKNOWN | NEAR),
    of("change", item=st.just("经营者变更"), changed_on=NEAR),
    of("licence", category=st.just("普通"), valid_from=UNKNOWN | NEAR, valid_to=UNKNOWN | NEAR),
    of("annual_report", year=st.sampled_from(["2024", "2025"])),
).map(lambda found: tuple(each for records in found for each in records))
DATED_FACTS = st.builds(
    Facts,
    name=st.just("某某"),
    status=st.just("active"),
    established_on=UNKNOWN | st.dates(date(2024, 11, 1), date(2025, 6, 1)),
    records=RECORDS,
    available=st.just(frozenset(dataset for each in WATCHABLE for dataset in each.datasets)),
)
"""Facts whose days are near each other, so that terms end while somebody looks."""


def texts_in(*facts: Facts | None) -> set[str]:
    """What a caller may know of these enterprises, and what is nobody's."""
    found = {"某某", "521", "浙许9号"}
    for each in facts:
        if each is None:
            continue
        found |= {each.name, each.legal_representative or "", each.address or ""}
        for record in each.records:
            found |= {f"{record.fields.get(name) or ''}" for name in ("number", "certificate")}
    return found - {""}


def askable(question: Question, texts: set[str]) -> list[Asked]:
    """The question with each value that needs no consent."""
    values: list[Value | None] = [None, *question.values]
    if question.value == "text":
        values += sorted(texts)
    if question.elements:
        names = [each.name for each in question.elements]
        values += [
            elements_of(dict(zip(names, (one, other), strict=True)))
            for one in sorted(texts)
            for other in sorted(texts)
        ]
    return [
        Asked(tag=question.tag, value=value)
        for value in values
        if question.offers(value) and not question.needs_consent_for(value)
    ]


def answers(asked: list[Asked], facts: Facts | None, today: date) -> list[Answered]:
    """The answers, without what they rest on."""
    given_all = evaluate(asked, facts, allowed=frozenset(asked), digest=digest, today=today)
    return [each._replace(rests_on=()) for each in given_all]


@given(st.sampled_from(WATCHABLE), UNKNOWN | FACTS, UNKNOWN | FACTS, DAYS, DAYS)
@settings(max_examples=sampled(300, full=5_000), deadline=None)
def test_equal_states_have_equal_answers(
    question: Question, one: Facts | None, other: Facts | None, day: date, later: date
) -> None:
    """Of any two files on any two days; of fixed values different states have different answers."""
    same = watched_state(question.tag, one, today=day) == watched_state(
        question.tag, other, today=later
    )
    asked = askable(question, texts_in(one, other))
    are_equal = answers(asked, one, day) == answers(asked, other, later)
    if same or question.value in {"none", "one_of"}:
        assert same == are_equal


@given(DATED_FACTS, NEAR)
@settings(max_examples=sampled(500, full=5_000), deadline=None)
def test_nothing_changes_before_the_next_day(facts: Facts, today: date) -> None:
    """While the facts stay as they are; on any of the days until then."""
    following = next_day(facts, today)
    before = [today, today + (following - today) // 2, following - timedelta(days=1)]
    for each in WATCHABLE:
        states = {watched_state(each.tag, facts, today=day) for day in before}
        assert len(states) == 1, each.tag


def test_what_needs_a_consent_cannot_be_watched() -> None:
    """There is no state to compare."""
    for each in QUESTIONS:
        if not is_watchable(each):
            with pytest.raises(ValueError, match="cannot be watched"):
                watched_state(each.tag, None, today=date(2026, 11, 22))
