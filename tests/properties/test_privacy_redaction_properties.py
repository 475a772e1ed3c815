"""Redaction of personal numbers (R5) in any spelling; other numbers are unchanged."""

import re
import unicodedata
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.privacy.number_finders.prefilter import may_hold_number
from gateway.privacy.redaction import (
    ID_NUMBER_MASK,
    PHONE_MASK,
    Masking,
    holds_personal_number,
    scan,
)
from verification import NotACode, check_character, id_check_agrees, id_check_character, parse_uscc
from verification.normalise import IGNORABLE

TODAY = date(2026, 11, 22)
DIVISIONS = st.sampled_from(
    ["330106", "110105", "500112", "650102", "810000", "820000", "830000", "933840", "911156"]
)
SERIALS = st.integers(0, 999).map("{:03}".format)
LONG_PAST = st.dates(date(1900, 1, 1), date(2012, 11, 22)).map("{:%Y%m%d}".format)
RECENT = st.dates(date(2012, 11, 23), TODAY + timedelta(days=900)).map("{:%Y%m%d}".format)
ID_NUMBERS = (
    st.tuples(
        st.builds("{}{}{}".format, DIVISIONS, LONG_PAST, SERIALS), st.sampled_from("0123456789X")
    )
    .map("".join)
    .filter(lambda number: isinstance(parse_uscc(number), NotACode) or id_check_agrees(number))
)
FITTING = st.builds("{}{}{}".format, DIVISIONS, LONG_PAST | RECENT, SERIALS).map(
    lambda first: first + id_check_character(first)
)
MOBILES = st.from_regex(r"\A1[3-9][0-9]{9}\Z")
AREAS = st.sampled_from(["010", "020", "027", "0571", "0579", "0312", "0755", "0991"])
EVERY = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
HIDDEN = st.sampled_from(IGNORABLE.findall(EVERY))
GAPS = st.sampled_from(
    [*re.findall(r"\s", EVERY), *"−ー－", " - ", "——"]
    + [each for each in EVERY if unicodedata.category(each) == "Pd"]
)
MARKS = st.sampled_from([*"/／,，.．、·_"])
ZEROS = [each for each in re.findall(r"\d", EVERY) if unicodedata.decimal(each) == 0]
DIGITS = st.sampled_from(ZEROS).map(
    lambda zero: {f"{digit}": chr(ord(zero) + digit) for digit in range(10)}
)
BEFORE = st.sampled_from(
    ["", "证号", "当事人张某（", "1、", "①", "3.", "ID:", "电话", "，", "2026年", "至"]
)
BEHIND = st.sampled_from(["", "。", "）", "，2026年1月", "号", "元旦", "\n", "X光", "台州市", "a"])


def spelt(draw: st.DrawFn, number: str, between: st.SearchStrategy[str]) -> str:
    """The number with separators between digits and in another script's digits."""
    places = draw(st.sets(st.integers(1, len(number) - 1), max_size=4))
    script = draw(st.just({}) | DIGITS)
    return "".join(
        (draw(between) if place in places else "") + script.get(each, each)
        for place, each in enumerate(number)
    )


@st.composite
def spellings(
    draw: st.DrawFn, numbers: st.SearchStrategy[str], between: st.SearchStrategy[str]
) -> str:
    """Spellings of such numbers."""
    return spelt(draw, draw(numbers), between)


@given(BEFORE, spellings(ID_NUMBERS, GAPS) | spellings(ID_NUMBERS, HIDDEN), BEHIND)
def test_an_id_number_is_masked_with_whichever_dash_space_or_hidden_character_in_it(
    before: str, number: str, suffix: str
) -> None:
    """With a right or wrong check character, in any digits and surroundings."""
    assert scan(f"{before}{number}{suffix}", today=TODAY).text == before + ID_NUMBER_MASK + suffix


@given(BEFORE, spellings(FITTING, MARKS) | spellings(FITTING, GAPS), BEHIND)
def test_an_id_number_whose_check_character_fits_is_masked_with_marks_in_it_and_young(
    before: str, number: str, suffix: str
) -> None:
    """Slash, comma, dot, 、; with birthdays up to yesterday."""
    assert scan(f"{before}{number}{suffix}", today=TODAY).text == before + ID_NUMBER_MASK + suffix


@st.composite
def grouped_mobiles(draw: st.DrawFn) -> str:
    """Mobile numbers in groups, with country code or a leading 0."""
    number = draw(MOBILES)
    lengths = draw(
        st.sampled_from([(11,), (3, 4, 4), (4, 3, 4), (3, 3, 5), (3, 8), (7, 4), (4, 4, 3), (5, 6)])
    )
    groups, done = [], 0
    for length in lengths:
        groups.append(number[done : done + length])
        done += length
    assume(len(groups) < 3 or lengths == (3, 4, 4) or not any(map(is_year, groups)))
    prefix = draw(
        st.sampled_from(["", "0", "+86", "+86 ", "86-", "0086 ", "（+86）", "(86)", "＋86-"])
    )
    gap: str = draw(GAPS)
    return prefix + gap.join(groups)


def is_year(group: str) -> bool:
    return len(group) == 4 and group[:2] in {"19", "20"}


@st.composite
def landlines(draw: st.DrawFn) -> str:
    """Landline numbers with area code and extension."""
    area = draw(AREAS)
    digits = draw(st.from_regex(r"\A[2-9][0-9]{7}\Z"))
    assume(not is_year(digits[:4]))
    own = draw(
        st.sampled_from([digits, f"{digits[:4]} {digits[4:]}", f"{digits[:4]}-{digits[4:]}"])
    )
    form = draw(
        st.sampled_from(
            ["（{}）{}", "({}) {}", "[{}]{}", "{}{}", "+86 {} {}", "({})-{}"]
            + [f"{{}}{gap}{{}}" for gap in "-–—－ \u3000\u00a0−"]
        )
    )
    return form.format(area, own) + draw(st.sampled_from(["", "", "-8001", "转8001"]))


PLAIN_BEFORE = st.sampled_from(
    ["", "联系", "张某（", "①", "。", "电话：", "Tel.", "编号为A1，", "见"]
)


@given(
    PLAIN_BEFORE,
    grouped_mobiles() | landlines(),
    st.sampled_from(["", "。", "）", "，张某", "。\n"]),
)
def test_a_phone_number_is_masked_as_people_write_it(before: str, number: str, suffix: str) -> None:
    """Mobile and landline, with or without a word before it."""
    assert scan(f"{before}{number}{suffix}", today=TODAY).text == before + PHONE_MASK + suffix


@st.composite
def other_numbers(draw: st.DrawFn) -> str:
    """Amounts, parcels, bar codes, cases, licences, USCCs, dates."""
    day = draw(st.dates(date(2013, 1, 1), TODAY)).strftime("%Y%m%d")
    area, digits = draw(AREAS), draw(st.from_regex(r"\A[0-9]{14}\Z"))
    word = draw(
        st.sampled_from(["批号", "产品批号：", "案号", "编号：", "批次 ", "生产批号为", "单号（"])
    )
    case = draw(DIVISIONS.filter(lambda each: each[0] != "9")) + day + digits[:3]
    code = draw(st.sampled_from(["91", "92", "93"])) + "330106MA" + digits[:4] + "KL" + digits[4]
    amount = f"{digits[0]}{digits[1:11]}"
    return draw(
        st.sampled_from(
            [
                f"{word}{area}-{day}",
                f"{word}{area}{day}",
                f"货值金额{amount}.{digits[:2]}元",
                f"罚款{amount}元",
                f"{int(amount):,}元",
                f"69{digits[:11]}",
                f"690 {digits[:4]} {digits[4:10]}",
                f"案件编号{case}{_another_check(case)}",
                f"许可证编号JY{digits}",
                f"SC{digits}",
                code + check_character(code),
                f"杭市监罚〔2026〕{digits[:5]}号",
                f"{day[:4]}-{day[4:6]}-{day[6:]}",
                f"自{day[:4]}年{day[4:6]}月{day[6:]}日",
                f"编码{case[:6]}，日期{day}，金额{digits[:4]}",
                f"流水号1{digits}{digits}",
            ]
        )
    )


def _another_check(first17: str) -> str:
    return "0" if id_check_character(first17) != "0" else "1"


@given(other_numbers(), st.sampled_from(["", "。", "，涉案", "）"]))
def test_other_numbers_stay_byte_for_byte(number: str, suffix: str) -> None:
    """They are not masked."""
    assume(not any(id_check_agrees(number[n : n + 18]) for n in range(len(number) - 17)))
    assert scan(number + suffix, today=TODAY).text == number + suffix


NASTY = st.text(
    st.sampled_from(
        [
            *"0123456789Xx13802050719",
            *"-– 　/，、.()（）+·\n\u200b\u00ad",
            *"电话手机号身份证护照批一二三①元",
        ]
    ),
    max_size=80,
)


@given(NASTY | st.text(max_size=60))
def test_masking_twice_is_masking_once_and_each_place_is_of_the_given_text(text: str) -> None:
    """Masking is idempotent, and positions refer to the input."""
    scanned = scan(text, today=TODAY)
    assert scan(scanned.text, today=TODAY).text == scanned.text
    rebuilt, done = "", 0
    for each in scanned.maskings:
        assert sum(c.isnumeric() or c in "Xx" for c in _cut(text, each)) >= 6
        rebuilt += text[done : each.start] + (ID_NUMBER_MASK if each.kind == "id" else PHONE_MASK)
        done = each.start + each.length
    assert rebuilt + text[done:] == scanned.text


def _cut(text: str, masking: Masking) -> str:
    return text[masking.start : masking.start + masking.length]


@given(st.lists(NASTY, max_size=4))
def test_many_texts_at_once_are_judged_as_each_by_itself(texts: list[str]) -> None:
    """No match across texts; the fast pre-check misses none."""
    found = [scan(each, today=TODAY).maskings for each in texts]
    assert holds_personal_number(texts, today=TODAY) is any(found)
    assert all(
        may_hold_number(text) for text, maskings in zip(texts, found, strict=True) if maskings
    )


@given(st.text(st.characters(exclude_categories=["Nd", "Nl", "No", "Cs", "Lo"]), max_size=80))
def test_a_text_without_digits_is_not_changed(text: str) -> None:
    """For any other characters."""
    assert scan(text, today=TODAY).text == text


@pytest.mark.parametrize(
    "some",
    ["1 ", "1 9 ", "330106 19900101 123X，", "13800001234 ", "护照", "电话1234567、", "+86 ", "((((",
     "身份证1 ", "一二三四五六七 ", "13-8", "批号0571-20260105 ", "1\u200b", "13 8000 01234 ", "0571"],
)  # fmt: skip
def test_a_long_text_of_nothing_but_beginnings_is_scanned_to_its_end(some: str) -> None:
    """No quadratic backtracking."""
    text = some * (20_000 // len(some))
    masked = scan(text, today=TODAY).text
    assert scan(masked, today=TODAY).text == masked
