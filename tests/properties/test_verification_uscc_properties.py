"""USCC check characters: agreement with the standard, and detection of typing errors."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from verification import CodeProblem, NotACode, check_character, organisation_check, parse_uscc
from verification.uscc import ALPHABET

WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
"""As GB 32100 prints them."""

LETTERS = st.sampled_from(ALPHABET)
FIRST17 = st.builds(
    "{}{}{}".format,
    st.text(LETTERS, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(LETTERS, min_size=9, max_size=9),
)


@given(FIRST17)
def test_the_check_agrees_with_the_printed_weights(first17: str) -> None:
    """The formula and the table of the standard agree."""
    total = sum(ALPHABET.index(c) * w for c, w in zip(first17, WEIGHTS, strict=True))
    assert ALPHABET.index(check_character(first17)) == (31 - total % 31) % 31


@given(FIRST17, st.integers(8, 17), LETTERS)
def test_one_wrong_character_is_found(first17: str, position: int, wrong: str) -> None:
    """Any single substitution."""
    code = first17 + check_character(first17)
    assume(code[position] != wrong)
    slipped = code[:position] + wrong + code[position + 1 :]
    assert parse_uscc(slipped) == NotACode(reason=CodeProblem.CHECK_CHARACTER)


@given(FIRST17, st.integers(8, 15))
def test_two_swapped_neighbours_are_found(first17: str, position: int) -> None:
    """Any transposition of neighbours."""
    code = first17 + check_character(first17)
    assume(code[position] != code[position + 1])
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert isinstance(parse_uscc(swapped), NotACode)


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_not(text: str) -> None:
    """No exception for any text."""
    parsed = parse_uscc(text)
    assert isinstance(parsed, NotACode) or parse_uscc(parsed) == parsed


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_the_organisation_check_balances_the_sum(body: str) -> None:
    """The weighted sum with it is a multiple of eleven."""
    check = "0123456789X".index(organisation_check(body))
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(c, 36) * w for c, w in zip(body, weights, strict=True)) + check
    assert total % 11 == 0
