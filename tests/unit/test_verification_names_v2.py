"""`names.v2`: published vectors, and derivation of its tables."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import opencc
import pytest

from tests.name_vectors import (
    APART_IN_SOME_WORDS,
    KEPT_APART,
    NAMES,
    TABLES,
    VECTORS,
    answer,
    dictionary,
    standard_characters,
)
from verification import NAMES_V2, loose_readings, strict_name_v2
from verification.names_v2 import ALSO, SIMPLIFIED
from verification.radicals import EQUIVALENT

T2S_SHA256 = "4465ad396901a339d93b79af93131fbf94b11b553e96e4c4cffdd2ec20b2ca55"


@pytest.mark.parametrize("case", NAMES["cases"], ids=lambda case: case["note"])
def test_a_name_has_the_forms_of_its_vector(case: dict[str, str]) -> None:
    """The published vectors."""
    assert strict_name_v2(case["input"]) == case["strict"]
    loose = case["loose"]
    assert loose_readings(case["input"]) == (loose, case.get("also", loose))


def test_the_vectors_are_many_and_of_this_version() -> None:
    """Each version has its own vectors and tables."""
    assert NAMES["version"] == TABLES["version"] == NAMES_V2
    assert len(NAMES["cases"]) > 100


@pytest.mark.parametrize("tag", ["enterprise_name.v2", "legal_representative_name.v2"])
@pytest.mark.parametrize("pair", NAMES["pairs"], ids=lambda pair: f"{pair['asserted']}")
def test_a_pair_of_names_is_answered_as_its_vector_says(pair: dict[str, str], tag: str) -> None:
    """For enterprises and persons."""
    told = answer(tag, pair["recorded"], pair["asserted"])
    assert told == (pair["answer"], pair["match"])


def test_names_that_were_seen_to_be_answered_wrongly_are_answered_right() -> None:
    """Regression cases."""
    with (VECTORS / "names.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            told = answer("enterprise_name.v2", row["recorded"], row["asserted"])
            assert told == (row["expect"], None if row["match"] == "-" else row["match"]), row


def test_no_two_standard_characters_become_one() -> None:
    """Strictly and in each loose reading: 8,105 characters, 8,105 forms."""
    standard = standard_characters()
    assert len(set(standard)) == 8105
    for each in standard:
        assert strict_name_v2(each) == each
        assert loose_readings(each) == (each, each)


def test_each_character_that_is_kept_apart_is_told_apart() -> None:
    """OpenCC merges these; comparing one with the other gives `no`."""
    assert len(KEPT_APART) == 20
    for one, other in KEPT_APART:
        assert answer("legal_representative_name.v1", f"王{other}", f"王{one}") == ("yes", "loose")
        assert answer("legal_representative_name.v2", f"王{other}", f"王{one}") == ("no", None)


def test_the_radicals_are_unicodes() -> None:
    """`EquivalentUnifiedIdeograph.txt` of Unicode 15.0, without the Kangxi radicals, which NFKC maps."""
    lines = (VECTORS / "EquivalentUnifiedIdeograph.txt").read_text("utf-8").splitlines()
    published = {}
    for line in lines:
        if entry := line.partition("#")[0].strip():
            codes, ideograph = (part.strip() for part in entry.split(";"))
            first, _, last = codes.partition("..")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                published[code] = chr(int(ideograph, 16))
    kangxi = {code for code in published if 0x2F00 <= code <= 0x2FD5}
    assert {code: published[code] for code in published.keys() - kangxi} == EQUIVALENT
    assert all(strict_name_v2(chr(code)) == published[code] for code in published)


def test_opencc_has_not_moved(tmp_path: Path) -> None:
    """A later OpenCC would change the loose form of `names.v1`: stay at the release in requirements.lock."""
    digest = hashlib.sha256()
    for name in ("TSPhrases", "TSCharactersExt", "TSCharacters"):
        digest.update(repr(dictionary(name, tmp_path)).encode())
    every = "\n".join(
        chr(code)
        for code in (*range(0x3400, 0xA000), *range(0xF900, 0xFB00), *range(0x20000, 0x33480))
    )
    digest.update(opencc.OpenCC("t2s").convert(every).encode())
    assert digest.hexdigest() == T2S_SHA256


def regional_writings(
    simplified: dict[str, str], also: dict[str, str], standard: set[str], folder: Path
) -> dict[str, str]:
    """Variants of Hong Kong and Taiwan that are not simplified yet, with their standard characters."""
    return {
        one: simplified.get(base, base)
        for name in ("HKVariants", "TWVariants")
        for base, variants in dictionary(name, folder)
        for one in set(variants) - standard - simplified.keys() - also.keys()
        if simplified.get(base, base) in standard
    }


def test_the_tables_are_derived_from_opencc_and_the_standard_characters(tmp_path: Path) -> None:
    """A variant becomes the first standard character among its simplifications."""
    standard = set(standard_characters())
    simpler = dict(dictionary("TSCharacters", tmp_path)) | dict(
        dictionary("TSCharactersExt", tmp_path)
    )
    simplified: dict[str, str] = {}
    kept_apart = []
    for one, (other, *_) in simpler.items():
        if one in standard and other in standard and one != other:
            kept_apart.append((one, other))
        elif one in standard and one != other:
            simplified[other] = one
        elif one not in standard:
            reached = other
            while reached not in standard and simpler.get(reached, [reached])[0] != reached:
                reached = simpler[reached][0]
            if reached != one:
                simplified.setdefault(one, reached)
    also = {
        one: other
        for one, others in simpler.items()
        if one not in standard
        for other in others[1:]
        if other in standard and other != simplified.get(one, one)
    }
    simplified |= regional_writings(simplified, also, standard, tmp_path)
    assert {ord(one): other for one, other in simplified.items()} == SIMPLIFIED
    assert {ord(one): other for one, other in (simplified | also).items()} == ALSO
    assert sorted(kept_apart) == KEPT_APART
    assert not standard & simplified.keys()


def test_no_reading_is_read_any_further() -> None:
    """Tables are applied once."""
    assert not SIMPLIFIED.keys() & set(map(ord, SIMPLIFIED.values()))


def test_opencc_word_conversions_are_answered_with_yes(tmp_path: Path) -> None:
    """錢鍾書 is 钱锺书, though 鍾 is 钟 elsewhere; but for the characters kept apart."""
    apart = {*"".join(map("".join, KEPT_APART)), *APART_IN_SOME_WORDS}
    for phrase, (simpler, *_) in dictionary("TSPhrases", tmp_path):
        if apart.isdisjoint(phrase + simpler):
            told = answer("legal_representative_name.v2", simpler, phrase)
            assert told[0] == "yes" or "貲計" in phrase or "八濛" in phrase, (phrase, simpler)
