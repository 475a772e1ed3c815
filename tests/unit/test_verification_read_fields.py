"""The list of fields that questions read: complete, and nothing else in it."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from gateway.creditfile.facts import facts_of
from tests.creditfile_builders import CATALOGUE, NOON, make_enterprise, make_record
from verification import QUESTIONS, STAND_IN, Asked, LiveRecord, Question, evaluate
from verification.facts import READ_FIELDS

TODAY: Final = date(2026, 11, 22)
VALUES: Final[Mapping[str, object]] = {
    "approved_on": "2026-10-01",
    "category": "食品经营许可",
    "certificate": "JY13301060000001",
    "changed_on": "2026-11-01",
    "date": "2026-01-01",
    "fulfilment": "fulfilled",
    "insured": 12,
    "item_code": "000123",
    "level": "A",
    "number": "浙许〔2026〕1号",
    "on_time": True,
    "period": "2026-10",
    "rated_on": "2026-01-01",
    "scope_industries": ["F5211"],
    "severity": "一般",
    "small_or_micro": True,
    "term_to": "2030-01-01",
    "valid_from": "2024-01-01",
    "valid_to": "2030-01-01",
    "year": "2025",
}


class RecordingFields(Mapping[str, object]):
    """Fields of which every one is there, and which note what is read of them."""

    def __init__(self, values: Mapping[str, object], read: set[str]) -> None:
        self._values = values
        self._read = read

    def __getitem__(self, name: str) -> object:
        """Note and return a field."""
        self._read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def asked_in_every_way(question: Question) -> list[Asked]:
    """A question with each of its values, and with a text where it takes one."""
    if question.value == "none":
        return [Asked(tag=question.tag)]
    if question.elements:
        return [Asked(tag=question.tag, value=tuple((e.name, "甲") for e in question.elements))]
    values = question.values or ("JY13301060000001", "000123", "521", "食品经营许可")
    return [Asked(tag=question.tag, value=each) for each in values] + (
        [Asked(tag=question.tag)] if question.optional else []
    )


def test_questions_read_the_listed_fields_and_no_other() -> None:
    """Asked with every value, about records that have every field."""
    read: dict[str, set[str]] = {name: set() for each in QUESTIONS for name in each.datasets}
    asked = [one for each in QUESTIONS for one in asked_in_every_way(each)]
    for item in ("法定代表人变更", "住所变更"):
        records = tuple(
            LiveRecord(
                dataset=name,
                record_id=f"{name} {kind}",
                version=1,
                fields=RecordingFields({**VALUES, "item": item, "kind": kind}, names),
                counts_as_bad=True,
            )
            for name, names in read.items()
            for kind in ("firm", "tax", "social_insurance", "housing_fund")
        )
        facts = STAND_IN._replace(records=records, available=frozenset(read), status="active")
        evaluate(asked, facts, allowed=frozenset(asked), digest=lambda _: b"", today=TODAY)
    assert {name: names for name, names in read.items() if names} == dict(READ_FIELDS)


def test_a_long_text_that_no_question_reads_is_no_fact() -> None:
    """It costs a verification nothing, so that its time does not tell how much there is."""
    penalty = make_record(facts="事实" * 1_000)
    facts = facts_of(make_enterprise(scope="经营范围" * 1_000), [penalty], CATALOGUE, NOON)
    told: dict[str, Any] = {each.dataset: each.fields for each in facts.records}
    assert set(told["penalty"]) <= READ_FIELDS["penalty"]
    assert "scope" not in told["registration"]
    assert facts.name
