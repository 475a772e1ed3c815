"""`names.v1` by its published vectors, and normalisation of addresses and ID numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import verification
from verification import (
    NAMES_VERSION,
    is_illegible,
    loose_name,
    normalise_address,
    normalise_id_number,
    strict_name,
)
from verification.gbk_private_use import ASSIGNED

NAMES: dict[str, Any] = json.loads(
    (Path(verification.__file__).parent / "vectors" / "names.json").read_text("utf-8")
)
SWAPPED_IN_2022 = {
    0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8,
    0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE864: 0x9FBB, 0xE78D: 0xFE10, 0xE78E: 0xFE12,
    0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14, 0xE792: 0xFE15, 0xE793: 0xFE16,
    0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19,
}  # fmt: skip
RETIRED_DOUBLES = {
    0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC,
    0xE831: 0x215D7, 0xE83B: 0x2298F, 0xE855: 0x241FE,
}  # fmt: skip
EARLIER = {0xE7C7: 0x1E3F}


def gbk_bytes(private: int) -> bytes:
    """GBK 1.0 bytes of a private use code point."""
    if private >= 0xE815:
        trail = 0x50 + private - 0xE815
        return bytes([0xFE, trail + (trail >= 0x7F)])
    if private >= 0xE7E7:
        return bytes([0xA9, 0x89 + private - 0xE7E7])
    return {0xE7C8: b"\xa8\xbf", 0xE76C: b"\xa2\xe3"}[private]


@pytest.mark.parametrize("case", NAMES["cases"], ids=lambda case: case["note"])
def test_a_name_has_the_forms_of_its_vector(case: dict[str, str]) -> None:
    """The published vectors."""
    assert strict_name(case["input"]) == case["strict"]
    assert loose_name(case["input"]) == case["loose"]


def test_the_vectors_are_of_this_version() -> None:
    """Each version has its own vectors."""
    assert NAMES["version"] == NAMES_VERSION


def test_the_swaps_of_gb_18030_2022_are_the_published_ones() -> None:
    """The 24 pairs of the published changes."""
    for private, assigned in (SWAPPED_IN_2022 | RETIRED_DOUBLES).items():
        assert ASSIGNED[private] == chr(assigned)


def test_every_other_private_code_point_agrees_with_the_codec() -> None:
    """Python's GB 18030 codec (edition of 2000)."""
    others = ASSIGNED.keys() - SWAPPED_IN_2022.keys() - RETIRED_DOUBLES.keys() - EARLIER.keys()
    assert len(others) == 81
    for private in others:
        assert gbk_bytes(private).decode("gb18030") == ASSIGNED[private]


def test_no_private_code_point_maps_to_another() -> None:
    """Mapped characters are outside the private use area."""
    assert not any(0xE000 <= ord(character) <= 0xF8FF for character in ASSIGNED.values())


@pytest.mark.parametrize("text", ["浙江省 杭州市（西湖区） 文三路 1 号 A B 座"])
def test_an_address_keeps_no_space(text: str) -> None:
    """Spaces in addresses are ignored, also between Latin letters."""
    assert normalise_address(text) == "浙江省杭州市(西湖区)文三路1号ab座"


def test_an_id_number_has_one_form() -> None:
    """Width, case and grouping are ignored."""
    assert normalise_id_number(" ３３０１０６ 19900101 123x ") == "33010619900101123X"


def test_a_lone_surrogate_does_not_break_anything() -> None:
    """Illegible, without an exception."""
    assert strict_name("张\ud800三") == "张\ufffd三"
    assert loose_name("张\ud800三") == "张\ufffd三"


@pytest.mark.parametrize("text", ["张\ue000", "张?", "张＊＊", "〓三", "□三", "\ufffd", "⿰火韦"])
def test_a_stand_in_for_a_character_is_illegible(text: str) -> None:
    """U+FFFD and others: the character could not be written."""
    assert is_illegible(strict_name(text))


@pytest.mark.parametrize("text", ["张三", "\U00031350", "二〇二六", "\ue81e", "a·b", "𠮷野家"])
def test_a_rare_character_is_legible(text: str) -> None:
    """Rare characters are not placeholders."""
    assert not is_illegible(strict_name(text))
