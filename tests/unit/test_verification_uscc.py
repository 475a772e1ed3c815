"""USCC validation by published vectors and the tables of GB 32100 and GB 11714."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import verification
from verification import (
    CodeProblem,
    EnterpriseCode,
    NotACode,
    Uscc,
    check_character,
    enterprise_code,
    is_market_entity,
    normalise_uscc,
    organisation_check,
    parse_uscc,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(verification.__file__).parent / "vectors" / "uscc.json").read_text("utf-8")
)


@pytest.mark.parametrize("case", VECTORS["valid"], ids=lambda case: case["code"])
def test_every_valid_vector_is_accepted(case: dict[str, Any]) -> None:
    """With the properties of its vector."""
    code = parse_uscc(case["code"])
    assert not isinstance(code, NotACode)
    assert code == case["code"]
    assert is_market_entity(code) is case["market_entity"]
    assert (organisation_check(code[8:16]) == code[16]) is case["organisation_code_agrees"]


@pytest.mark.parametrize("case", VECTORS["invalid"], ids=lambda case: case["note"])
def test_every_invalid_vector_is_refused_with_its_reason(case: dict[str, str]) -> None:
    """The reason is a value."""
    assert parse_uscc(case["input"]) == NotACode(reason=CodeProblem(case["reason"]))


@pytest.mark.parametrize("case", VECTORS["enterprises"], ids=lambda case: ascii(case["input"]))
def test_an_enterprises_code_is_well_formed_and_no_persons_number(case: dict[str, Any]) -> None:
    """A wrong check character is reported, not refused."""
    code = enterprise_code(case["input"])
    if "reason" in case:
        assert code == NotACode(reason=CodeProblem(case["reason"]))
    else:
        assert code == EnterpriseCode(uscc=Uscc(case["code"]), check_agrees=case["check_agrees"])


@pytest.mark.parametrize("case", VECTORS["normalise"], ids=lambda case: ascii(case["input"]))
def test_the_ways_of_typing_a_code_are_one(case: dict[str, str]) -> None:
    """Width, case and spaces are normalised."""
    assert normalise_uscc(case["input"]) == case["code"]
    assert parse_uscc(case["input"]) == case["code"]


@pytest.mark.parametrize("case", VECTORS["organisation"], ids=lambda case: case["body"])
def test_the_organisation_check_follows_its_vectors(case: dict[str, str]) -> None:
    """GB 11714."""
    assert organisation_check(case["body"]) == case["check"]


def test_a_personal_id_number_is_not_a_market_entity() -> None:
    """An ID number with a fitting check character is recognised by its first digits."""
    first17 = "33010619900101123"
    code = parse_uscc(first17 + check_character(first17))
    assert not isinstance(code, NotACode)
    assert not is_market_entity(code)


@pytest.mark.parametrize("text", ["", "9133", "O" * 17, "9" * 18, "云" * 17])
def test_no_check_character_is_made_up_for_what_cannot_have_one(text: str) -> None:
    """A programming error."""
    with pytest.raises(ValueError, match="17 characters"):
        check_character(text)


@pytest.mark.parametrize("text", ["", "1234567", "abcdefgh", "1234567-", "１２３４５６７８"])
def test_no_organisation_check_is_made_up_either(text: str) -> None:
    """Eight characters of 0–9 and A–Z."""
    with pytest.raises(ValueError, match="8 characters"):
        organisation_check(text)


@pytest.mark.parametrize("digits", ["٣٣٠١٠٦", "³³⁰¹⁰⁶", "३३०१०६"])
def test_digits_of_other_scripts_make_no_division_code(digits: str) -> None:
    """ASCII digits, or digits that NFKC maps to them."""
    first17 = "91330106MA2XXXX19"
    text = f"91{digits}{first17[8:]}{check_character(first17)}"
    folds_to_ascii = digits == "³³⁰¹⁰⁶"
    assert isinstance(parse_uscc(text), NotACode) is not folds_to_ascii
