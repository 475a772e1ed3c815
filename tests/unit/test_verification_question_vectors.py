"""Published vectors of the question rules."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

import verification
from verification import QUESTIONS, Asked, Facts, LiveRecord, elements_of, evaluate
from verification.facts import LEGAL_REPRESENTATIVE_ID

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(verification.__file__).parent / "vectors" / "questions.json").read_text("utf-8")
)
CASES: Final[list[dict[str, Any]]] = VECTORS["cases"]
OF_FACTS: Final = ("name", "legal_representative", "address", "status")
BY_THE_DAY: Final = {
    "licence_valid.v1",
    "licence_number_valid.v1",
    "licence_item_valid.v1",
    "established_for.v1",
    "registration_standing.v1",
    "annual_report_filed.v1",
    "representative_stable.v1",
    "paid_social_insurance_on_time.v1",
    "paid_tax_on_time.v1",
    "paid_housing_fund_on_time.v1",
    "employees_insured_at_least.v1",
}
"""Questions whose answer changes with the day alone; records come and go by their clocks."""


def digest(text: str) -> bytes:
    """A keyed digest as the gateway stores it."""
    return hmac.digest(b"a key of this test", text.encode(), hashlib.sha256)


def facts_in(case: dict[str, Any]) -> Facts:
    """Facts of a case."""
    registered = {**VECTORS["enterprise"], **case.get("registration", {})}
    registration = LiveRecord(dataset="registration", record_id="reg", version=1, fields=registered)
    records = tuple(
        LiveRecord(
            dataset=each["dataset"],
            record_id=f"r{place}",
            version=1,
            fields=each["fields"],
            counts_as_bad=each.get("counts_as_bad", False),
        )
        for place, each in enumerate(case.get("records", ()))
    )
    number, founded = registered["id_number"], registered["established_on"]
    return Facts(
        **{name: registered[name] for name in OF_FACTS},
        established_on=date.fromisoformat(founded) if founded else None,
        digests={LEGAL_REPRESENTATIVE_ID: digest(number)} if number else {},
        records=(registration, *records),
        available=frozenset(name for each in QUESTIONS for name in each.datasets)
        - set(case.get("unavailable", ())),
    )


def asked_in(case: dict[str, Any]) -> Asked:
    """Question of a case."""
    value = case.get("value")
    return Asked(
        tag=case["question"], value=elements_of(value) if isinstance(value, dict) else value
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['question']}={case['answer']}")
def test_described_facts_get_the_published_answer(case: dict[str, Any]) -> None:
    """With consent and budget; a level of match is beside a yes on a name."""
    asked = asked_in(case)
    (told,) = evaluate(
        [asked],
        facts_in(case),
        allowed={asked},
        digest=digest,
        today=date.fromisoformat(case["today"]),
    )
    assert told.answer == case["answer"]
    assert told.match == case.get("match")
    assert told.answer != "not_determined" or told.rests_on == ()


def test_each_question_has_a_vector_for_each_answer() -> None:
    """Yes, no and not determined, for every question of the catalogue."""
    answers: dict[str, set[str]] = {}
    for case in CASES:
        answers.setdefault(case["question"], set()).add(case["answer"])
    assert all(found == {"yes", "no", "not_determined"} for found in answers.values()), answers
    assert answers.keys() == {each.tag for each in QUESTIONS}


def test_each_question_is_not_determined_without_its_source() -> None:
    """A vector for each dataset that it rests on."""
    missing = {
        (case["question"], dataset) for case in CASES for dataset in case.get("unavailable", ())
    }
    assert {(each.tag, dataset) for each in QUESTIONS for dataset in each.datasets} <= missing


def test_each_question_that_depends_on_the_day_turns_on_one() -> None:
    """Two vectors differ in the day alone, and in the answer."""
    turning = {
        one["question"]
        for one in CASES
        for other in CASES
        if one["answer"] != other["answer"]
        and {**one, "today": "", "answer": ""} == {**other, "today": "", "answer": ""}
    }
    assert turning == BY_THE_DAY


def test_an_answer_that_rests_on_records_names_them() -> None:
    """The registration for a group, the licence for a licence, the month for a late payment."""
    for case in CASES:
        asked = asked_in(case)
        (told,) = evaluate(
            [asked],
            facts_in(case),
            allowed={asked},
            digest=digest,
            today=date.fromisoformat(case["today"]),
        )
        if told.answer == "yes" and not case["question"].startswith("no"):
            assert told.rests_on, case
