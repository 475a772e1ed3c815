"""Template filters: times in Shanghai, notice styles."""

from datetime import datetime

import pytest

from gateway.creditfile.local_dates import SHANGHAI
from gateway.pages.i18n import Translated, WarningText
from gateway.pages.rendering import format_term_end


@pytest.mark.parametrize(
    ("ends_at", "shown"),
    [
        (datetime(2026, 12, 28, tzinfo=SHANGHAI), "2026-12-27 24:00"),
        (datetime(2027, 1, 1, tzinfo=SHANGHAI), "2026-12-31 24:00"),
        (datetime(2026, 12, 28, 0, 1, tzinfo=SHANGHAI), "2026-12-28 00:01"),
    ],
)
def test_a_term_that_ends_with_a_day_names_that_day(ends_at: datetime, shown: str) -> None:
    """A term entered as a day includes that day."""
    assert format_term_end(ends_at) == format_term_end(ends_at.isoformat()) == shown


def test_a_notice_of_failure_is_not_styled_as_success() -> None:
    """The style is not that of success."""
    assert (
        Translated("已撤回。", "Withdrawn.").tone,
        WarningText("没有执行。", "Not done.").tone,
    ) == (
        "",
        "wait",
    )
