"""Dates in a text, marked so that no line breaks inside them."""

import pytest

from gateway.pages.rendering import marked_dates


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("2026-08-06 起，至 2029-02-14", "<time>2026-08-06</time> 起，至 <time>2029-02-14</time>"),
        ("文号 A2026-08-061、12026-08-06", "文号 A2026-08-061、12026-08-06"),
        ("<b>2026-08-06", "&lt;b&gt;<time>2026-08-06</time>"),
    ],
)
def test_dates_are_marked_and_all_else_is_escaped(text: str, marked: str) -> None:
    """A longer number is no date."""
    assert marked_dates(text) == marked
