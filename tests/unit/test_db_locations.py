"""In-memory map from ids to enterprises: its bound and its order."""

from gateway.db.locations import Locations


def test_the_least_used_ids_go_when_the_bound_is_reached() -> None:
    """However many codes are scanned, the worker's memory is bounded."""
    kept = Locations(most=100)
    kept.keep("first", "u")
    for number in range(1_000):
        kept.keep(f"{number}", f"u{number}")
        assert kept.find("first") == "u"
        assert len(kept) <= 100
    assert kept.find("999") == "u999"
    assert kept.find("900") is None
    assert kept.find("unknown") is None


def test_an_id_that_is_kept_again_takes_no_more_room() -> None:
    """Each request keeps what it has found."""
    kept = Locations(most=2)
    for _ in range(5):
        kept.keep("a", "u")
    assert len(kept) == 1
