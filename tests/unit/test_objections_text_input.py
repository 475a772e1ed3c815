"""Text input of objections: length, invisible characters, personal numbers (R5)."""

import pytest

from gateway.creditfile.objections.text_input import MAX_TEXT, InvalidText, ValidText, read_text
from tests.creditfile_builders import TODAY


def test_r5_personal_numbers_are_masked_and_counted() -> None:
    """An ID number and a phone number."""
    written = read_text("负责人 330106199001011233，电话 13800138000。", today=TODAY)
    assert isinstance(written, ValidText)
    assert written.masked == 2
    assert "330106" not in written.text
    assert "13800138000" not in written.text


def test_hidden_characters_and_direction_marks_are_dropped() -> None:
    """NUL, zero-width and bidirectional characters."""
    written = read_text("罚款\0已\u202e经\u2066撤销\x07\r\n\r\n\r\n\r\n请更正\t", today=TODAY)
    assert isinstance(written, ValidText)
    assert written.text == "罚款已经撤销\n\n请更正"


@pytest.mark.parametrize(
    ("typed", "unfit"),
    [
        ("", InvalidText.TOO_SHORT),
        ("  \r\n\0 ", InvalidText.TOO_SHORT),
        ("错" * (MAX_TEXT + 1), InvalidText.TOO_LONG),
        ("\0" * (2 * MAX_TEXT + 1), InvalidText.TOO_LONG),
    ],
)
def test_empty_and_too_long_texts_are_refused(typed: str, unfit: InvalidText) -> None:
    """With the reason."""
    assert read_text(typed, today=TODAY) is unfit


def test_the_longest_text_is_taken_as_browsers_send_it() -> None:
    """CRLF counts as one character."""
    written = read_text("错\r\n" * (MAX_TEXT // 2), today=TODAY)
    assert isinstance(written, ValidText)
    assert len(written.text) == MAX_TEXT - 1
