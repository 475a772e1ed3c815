"""Confusable client names: which names count as equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clients.confusable_names import has_other_letters, skeletons
from gateway.clients.registration import RegistrationError, check_names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("中国银行", "中 国 银 行"),
        ("中国银行", "中国银行。"),
        ("中国银行", "中國銀行"),
        ("浙江银行（杭州）", "浙江银行(杭州)"),
        ("浙江银行〔杭州〕", "浙江银行杭州"),
        ("杭州宏龙银行", "杭州宏⻰银行"),
        ("工商银行", "工商银⾏"),
        ("第一银行", "第—银行"),
        ("日升银行", "曰升银行"),
        ("Zhejiang Bank", "ZHEJIANG bank"),
        ("Zhejiang Bank", "Ｚｈｅｊｉａｎｇ　Ｂａｎｋ"),
        ("Zhejiang Bank", "Zhe\u200bjiang\u00a0Bank\ufe0f"),
        ("Société Bank", "Societe Bank"),
        ("ICBC", "lCBC"),
        ("ICBC Bank", "1cbc bank"),
        ("BOC Bank", "B0C bank"),
        ("Modern Bank", "Modem Bank"),
        ("Ⅱ Bank", "II Bank"),
    ],
)
def test_confusable_names_are_equal(one: str, other: str) -> None:
    """Width, case, spaces, marks, brackets, traditional characters, confusable letters."""
    assert skeletons(one) & skeletons(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("中国银行", "中信银行"),
        ("测试银行 1", "测试银行 2"),
        ("示例银行（合成）", "示例平台（合成）"),
        ("Bank A", "Bank B"),
        ("Tai Bank", "Tal Bank"),
        ("BANK AI", "BANK AL"),
        ("Bank of China", "China Bank"),
    ],
)
def test_distinguishable_names_are_different(one: str, other: str) -> None:
    """Names that a reader distinguishes are accepted."""
    assert not skeletons(one) & skeletons(other)


@pytest.mark.parametrize(
    "name", ["Ваnk", "Βank", "エ商银行", "ㄧ银行", "한국은행", "Bank ٣", "ɪCBC"]
)
def test_letters_that_only_look_like_ours_are_not_taken(name: str) -> None:
    """Cyrillic, Greek, Kana, Bopomofo, Hangul, other digits, phonetic letters."""
    assert has_other_letters(name)
    with pytest.raises(RegistrationError, match="Latin letters"):
        check_names("银行", name)


@pytest.mark.parametrize("name", ["Česká spořitelna", "A&B 银行 (3-12)", "〇二银行", "Bank №5"])
def test_ordinary_names_are_taken(name: str) -> None:
    """Latin with diacritics, Han, digits, punctuation."""
    assert not has_other_letters(name)
    check_names(name, name)


@given(st.text(max_size=20), st.text(max_size=20))
def test_confusability_is_symmetric_and_reflexive(one: str, other: str) -> None:
    """Reflexive, also in capitals and with spaces; no exception for any text."""
    assert skeletons(one) & skeletons(f" {one} ")
    assert bool(skeletons(one) & skeletons(other)) is bool(skeletons(other) & skeletons(one))
