"""Natural keys by test vectors: spellings of one number, and numbers that stay distinct."""

import unicodedata
from itertools import combinations

import pytest

from gateway.creditfile.natural_keys import fold, fold_all, key_of, keys_of, parts_of
from tests.natural_key_vectors import read_vectors

QUOTATION_MARKS = "\u201a\u201e\u2e42\u301d\u301e\u301f"


@pytest.mark.parametrize("spellings", read_vectors("key-spellings.tsv"), ids=lambda each: each[0])
def test_every_spelling_of_a_number_is_one_key(spellings: list[str]) -> None:
    """Alone, and in a column."""
    assert len(set(map(fold, spellings))) == 1
    assert fold_all(spellings) == list(map(fold, spellings))


@pytest.mark.parametrize("numbers", read_vectors("keys-apart.tsv"), ids=lambda each: each[0])
def test_numbers_that_a_clerk_tells_apart_stay_two(numbers: list[str]) -> None:
    """Pair by pair."""
    alike = [pair for pair in combinations(numbers, 2) if fold(pair[0]) == fold(pair[1])]
    assert alike == []


def test_every_dash_of_unicode_is_one_dash() -> None:
    """Not ignored; U+00AD is invisible and ignored."""
    dashes = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) == "Pd"]
    assert {fold(f"3{each}12") for each in dashes} == {"3-12"}
    assert fold("3\u00ad12") == "312"


@pytest.mark.parametrize(("category", "one"), [("Ps", "1〔2"), ("Pe", "1〕2")])
def test_every_bracket_of_unicode_is_one_bracket(category: str, one: str) -> None:
    """But for quotation marks in Unicode's bracket class."""
    found = {c for c in map(chr, range(0x110000)) if unicodedata.category(c) == category}
    found -= set(QUOTATION_MARKS)
    assert {fold(f"1{each}2") for each in found} == {one}


def test_the_form_of_every_character_is_its_own_form() -> None:
    """For all characters of the blocks of letters, punctuation and compatibility forms."""
    some = (*range(0x600), *range(0x2000, 0x3400), *range(0xF900, 0x10000))
    for each in (f"a{chr(code)}1" for code in some):
        assert fold(fold(each)) == fold(each), ascii(each)


def test_several_parts_never_run_into_one_another() -> None:
    """A bar in a part is escaped."""
    keys = [
        ("a|b", "c"),
        ("a", "b|c"),
        ("a\\", "b|c"),
        ("a\\|b", "c"),
        ("a", "\\b|c"),
        ("a｜b", "d"),
    ]
    assert len({key_of(each) for each in keys}) == len(keys)
    assert keys_of(list(zip(*keys, strict=True))) == [key_of(each) for each in keys]
    for each in keys:
        assert parts_of(key_of(each), 2) == list(map(fold, each))
        assert fold(key_of(each)) == key_of(each)


def test_a_key_of_one_part_may_have_bars() -> None:
    """Normalised without escaping."""
    assert key_of(["a|b\\"]) == "a|b\\"
    assert parts_of("a|b\\", 1) == ["a|b\\"]
    assert [len(parts_of(each, 2)) for each in ("", "a", "a|", "a|b|c", "a\\|b", "a\\")] == [
        1, 1, 2, 3, 1, 1,
    ]  # fmt: skip
