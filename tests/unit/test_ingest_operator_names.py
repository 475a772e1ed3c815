"""Names of a source's operators: what is one, and which two may be one person's."""

from datetime import date

import pytest

from gateway.ingest.actions.operator_names import may_be_same, parse_operator

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("operator A", "operator A "), ("operator A", " Operator  a"), ("operator A", "ｏｐｅｒａｔｏｒ　Ａ"),
        ("operator A", "operatorA"), ("operator A", "operator-a"), ("operator A", "operator.A"),
        ("operator A", "operátor A"), ("王芳", "王 芳"), ("王芳", "王芳。"), ("王芳", "「王芳」"),
        ("張偉", "张伟"), ("A10", "AlO"), ("0012", "００12"), ("modern", "modem"), ("⼯号7", "工号7"),
        ("王芳", "王芳 0012"), ("0012", "王芳 0012"), ("王芳", "0012"), ("wang fang 7", "Wang Fang"),
    ],
)  # fmt: skip
def test_another_spelling_is_no_second_person(first: str, second: str) -> None:
    """Width, case, blanks, punctuation, marks, traditional characters, look-alikes, a part left out."""
    names = parse_operator(first, today=TODAY), parse_operator(second, today=TODAY)
    assert None not in names
    assert may_be_same(str(names[0]), str(names[1]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("operator A", "operator B"), ("王芳", "王方"), ("0012", "0013"), ("A10", "B10"),
        ("王芳 0012", "王芳 0013"), ("李雷 0012", "王芳"), ("李雷 0012", "0013"),
    ],
)  # fmt: skip
def test_two_names_are_two_persons(first: str, second: str) -> None:
    """Where a letter or digit differs."""
    assert not may_be_same(first, second)


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "---", "…", "x" * 65, "a\u200bb", "a\u202eb", "ореrator", "operator Α", "٣",
        "330106199001011234", "13800138000", "a\x00b", "\u200b",
    ],
)  # fmt: skip
def test_what_is_no_name_of_a_person(typed: str) -> None:
    """Nothing visible, other scripts, control characters, a personal number."""
    assert parse_operator(typed, today=TODAY) is None


def test_a_name_is_stored_in_one_form() -> None:
    """Half width, single blanks."""
    assert parse_operator(" ｏｐｅｒａｔｏｒ　 A ", today=TODAY) == "operator A"
