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
OF_FACTS: Final = ("name", "legal_representative", "status")


def digest(text: str) -> bytes:
    """A keyed digest as the gateway stores it."""
    return hmac.digest(b"a key of this test", text.encode(), hashlib.sha256)


def facts_in(case: dict[str, Any]) -> Facts:
    """Facts of a case."""
    registered = {**VECTORS["enterprise"], **case.get("registration", {})}
    registration = LiveRecord(dataset="registration", record_id="reg", version=1, fields=registered)
    records = tuple(
        LiveRecord(dataset=each["dataset"], record_id=f"r{place}", version=1, fields=each["fields"])
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
    """With consent and budget; `not_determined` and groups have no level of match."""
    asked = asked_in(case)
    (told,) = evaluate(
        [asked],
        facts_in(case),
        allowed={asked},
        digest=digest,
        today=date.fromisoformat(case["today"]),
    )
    assert told.answer == case["answer"]
    assert told.match is None
    assert told.answer != "not_determined" or told.rests_on == ()


def test_each_question_with_vectors_has_one_for_each_answer() -> None:
    """Yes, no and not determined."""
    answers: dict[str, set[str]] = {}
    for case in CASES:
        answers.setdefault(case["question"], set()).add(case["answer"])
    assert all(found == {"yes", "no", "not_determined"} for found in answers.values()), answers
    added = {each.tag for each in QUESTIONS[16:]}
    assert answers.keys() == added | {"paid_social_insurance_on_time.v1"}


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
