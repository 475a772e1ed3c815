"""In-memory cache of rendered pages: its bound, its order, and when a page still holds."""

from datetime import UTC, datetime, timedelta

from gateway.pages.kept_pages import KeptPage, KeptPages
from gateway.pages.representation import Representation

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def kept(size: int = 1_000, **changed: object) -> KeptPage:
    """A page of so many bytes."""
    values = {
        "page": Representation(b"x" * size, {}),
        "subject": "u",
        "mark": "m",
        "catalogue": None,
        "since": NOON,
        "until": NOON + timedelta(minutes=1),
        "same_until": NOON + timedelta(hours=12),
    }
    return KeptPage(**values | changed)  # type: ignore[arg-type]  # as given


def test_the_least_used_pages_go_when_the_bound_is_reached() -> None:
    """However many codes are scanned, the worker's memory is bounded."""
    pages = KeptPages(max_bytes=100_000)
    for number in range(1_000):
        pages.keep(number, kept())
        pages.find(0)
        assert pages.size <= 100_000
    assert 1 < len(pages) < 100
    assert pages.find(0) is not None
    assert pages.find(1) is None
    pages.keep(0, kept(50_000))
    assert pages.size <= 100_000
    for number in range(1_000):
        pages.drop(number)
    assert (pages.size, len(pages)) == (0, 0)


def test_a_page_larger_than_the_bound_is_not_kept() -> None:
    """It would push out all others."""
    pages = KeptPages(max_bytes=10_000)
    pages.keep("large", kept(20_000))
    assert (pages.size, len(pages)) == (0, 0)


def test_a_page_holds_for_its_catalogue_and_its_minute_alone() -> None:
    """From its own moment on, and not at the end of its time."""
    catalogue = object()
    page = kept(catalogue=catalogue)
    assert page.holds(catalogue, NOON)
    assert page.holds(catalogue, NOON + timedelta(seconds=59))
    assert not page.holds(catalogue, NOON + timedelta(minutes=1))
    assert not page.holds(catalogue, NOON - timedelta(microseconds=1))
    assert not page.holds(object(), NOON)
