"""Sentences on wrong members of a request: places and what to give, in our own words."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.access.http.body import WireModel, mistakes
from gateway.consents.schemas import ConsentIn
from gateway.privacy.redaction import scan
from gateway.verifications.schemas import VerificationIn
from tests.gateway_fixture import verification_body

RIGHT = verification_body("91330106MAHD08319M", "is_active.v1")


def told(model: type[WireModel], document: Any) -> str:
    """What is said of a document."""
    with pytest.raises(ValidationError) as error:
        model.model_validate(document)
    return mistakes(error.value.errors(include_url=False, include_input=False))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"purpose": None}, "purpose: give a text"),
        ({"purpose": ""}, "purpose: give at least 1 characters"),
        ({"purpose": "x" * 201}, "purpose: give at most 200 characters"),
        ({"enterprise": "9133"}, "enterprise: give an object"),
        ({"questions": {}}, "questions: give a list"),
        ({"questions": []}, "questions: give at least 1 items"),
        ({"questions": [{"question": "a"}] * 21}, "questions: give at most 20 items"),
        ({"questions": [{}]}, "questions[0].question: is required"),
        (
            {"questions": [{"question": "a", "value": 24}]},
            "questions[0].value: give a text or give an object",
        ),
        (
            {"questions": [{"question": "a", "value": {"Name": "x"}}]},
            "questions[0].value.Name: is not known here",
        ),
        ({"Purpose": "x"}, "Purpose: is not known here"),
        ({"110101199003074610": 1}, "（身份证号码已隐去）: is not known here"),
        ({"enterprise": {}, "more": 1}, "enterprise.uscc: is required; more: is not known here"),
    ],
)
def test_a_sentence_names_the_place_and_what_to_give(change: dict[str, Any], sentence: str) -> None:
    """Without words of the validator, and without the name of a branch of a union."""
    assert told(VerificationIn, RIGHT | change) == f"Mend these members: {sentence}."


def test_a_body_of_nothing_but_mistakes_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are looked at for personal numbers only as far as they may be told."""
    looked: list[int] = []

    def counted(text: str) -> object:
        looked.append(len(text))
        return scan(text)

    monkeypatch.setattr("gateway.access.http.invalid_members.scan", counted)
    names = {f"{n} 电话13800138000" + "x" * 1000: n for n in range(3000)}
    sentence = told(VerificationIn, RIGHT | names)
    assert sentence.count("is not known here") == 5
    assert len(looked) <= 100
    assert max(looked) <= 200


def test_a_list_is_asked_for_in_the_same_words_everywhere() -> None:
    """Of tuples too."""
    body = {"enterprise": {"uscc": "9"}, "purpose": "tender", "datasets": "penalty"}
    assert "datasets: give a list" in told(ConsentIn, body)
