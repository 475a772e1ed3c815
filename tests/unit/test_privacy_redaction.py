"""Redaction of personal numbers (R5) by test vectors and examples."""

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.privacy.redaction import ID_NUMBER_MASK, PHONE_MASK, readable_masks, scan
from verification import id_check_character

TODAY = date(2026, 11, 22)
VECTORS = Path(__file__).parents[1] / "vectors"
CASES = [
    pytest.param(*line.split("\t")[:3], id=ascii(line.split("\t")[2]))
    for name in ("free-text.tsv", "free-text-more.tsv")
    for line in (VECTORS / name).read_text("utf-8").split("\n")[1:]
    if line
]
FITS = "33010619900101122" + id_check_character("33010619900101122")


@pytest.mark.parametrize(("verdict", "kinds", "text"), CASES)
def test_each_case_is_masked_or_kept_as_its_vector_says(
    verdict: str, kinds: str, text: str
) -> None:
    """Masked kinds, or unchanged text."""
    scanned = scan(text, today=TODAY)
    if verdict == "kept":
        assert scanned.text == text
    else:
        assert [each.kind for each in scanned.maskings] == kinds.split()
        assert scan(scanned.text, today=TODAY).text == scanned.text


@pytest.mark.parametrize(
    "number",
    [
        "330106199001011234",
        "33010619900101123X",
        "33010619900101123x",
        "330106 19900101 1234",
        "330106-19900101-1234",
        "３３０１０６１９９００１０１１２３４",
        "33010619900101123Ｘ",
        "330106\u3000199001011234",
        "330106\u200b199001011234",
        "933106199001011234",
        "\U0001d7d1\U0001d7d10106\U0001d7cf990010112３４",
    ],
)
def test_an_identity_number_is_masked_however_it_is_written(number: str) -> None:
    """Spaced, hyphenated, full width, with a hidden space, a foreigner's permit."""
    scanned = scan(f"当事人（证件号{number}）承认。")
    assert scanned.text == f"当事人（证件号{ID_NUMBER_MASK}）承认。"
    assert scanned.id_numbers == 1


@pytest.mark.parametrize(
    "phone",
    ["13800138000", "+8613800138000", "86 138 0013 8000", "138-0013-8000", "１３８００１３８０００",
     "0571-88880000", "0571－88880000"],
)  # fmt: skip
def test_a_phone_number_is_masked(phone: str) -> None:
    """Mobile and landline."""
    scanned = scan(f"电话{phone}。")
    assert scanned.text == f"电话{PHONE_MASK}。"
    assert scanned.phones == 1


@pytest.mark.parametrize(
    "text",
    [
        "罚款1.200000万元，自2026-01-01至2026-12-31。",
        "统一社会信用代码91330106MABWNF4C6U",
        "杭市监罚〔2026〕330106123456789012号",
        "流水号1234567890123456789012",
        "",
    ],
)
def test_other_numbers_are_unchanged(text: str) -> None:
    """Amounts, days, USCCs, serial numbers, digits without a birthday."""
    assert scan(text).text == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("证件号33010619900101123X2026年5月", f"证件号{ID_NUMBER_MASK}2026年5月"),
        (f"证件号{FITS}2026年5月", f"证件号{ID_NUMBER_MASK}2026年5月"),
        ("2026 330106 19900101 1234", f"2026 {ID_NUMBER_MASK}"),
        ("5、12.330106-19900101-1234", f"5、12.{ID_NUMBER_MASK}"),
        ("330106199001011234 330106199001011235", f"{ID_NUMBER_MASK} {ID_NUMBER_MASK}"),
    ],
)
def test_an_identity_number_is_masked_beside_another_number(text: str, masked: str) -> None:
    """Directly after it, or before it."""
    assert scan(text).text == masked


def test_a_long_text_of_digits_is_searched_in_no_time() -> None:
    """In linear time."""
    begun = time.process_time()
    for some in ("9 8 ", "1 9 ", "330106199001011235", "330106 19900101 ", "٣"):
        scan(some * (48_000 // len(some)))
    assert time.process_time() - begun < 10


def test_an_enterprises_code_of_digits_alone_stays() -> None:
    """Even if it could contain a birthday."""
    code = next(
        f"9133012219900101{tail:02}"
        for tail in range(100)
        if scan(f"9133012219900101{tail:02}").id_numbers == 0
    )
    assert scan(f"当事人{code}。").text == f"当事人{code}。"


def test_the_check_character_of_an_identity_number_is_the_standards() -> None:
    """GB 11643's example."""
    assert id_check_character("11010519491231002") == "X"


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_looks_like_an_identity_number_survives(before: str, after: str) -> None:
    """In any surroundings but adjoining digits."""
    number = "330106199001011234"
    if before[-4:].strip().isdecimal() or any(each.isdecimal() for each in before[-4:] + after[:4]):
        return
    assert number not in scan(before + number + after).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "当事人（身份证号：330106199001011234，电话13800138000）未明码标价",
            "当事人（身份证号［已隐去］，电话［已隐去］）未明码标价",
        ),
        ("公民身份号码为330106199001011234", "身份证号［已隐去］"),
        (
            "护照号码：E12345678，联系电话：13800138000。",
            "护照号码［已隐去］，联系电话［已隐去］。",
        ),
        ("张三330106199001011234", "张三身份证号［已隐去］"),
        ("请回拨13800138000", "请回拨电话［已隐去］"),
        ("没有号码", "没有号码"),
    ],
)
def test_a_reader_is_told_once_what_was_masked(text: str, shown: str) -> None:
    """The stored text keeps its masks, and `scan` finds nothing more in it."""
    stored = scan(text).text
    assert readable_masks(stored) == shown
    assert scan(stored).text == stored
