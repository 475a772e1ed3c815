"""Bounding boxes of counties: one for each division, inside Zhejiang, of a county's size."""

from gateway.creditfile.division_boxes import _BOXES, division_box
from gateway.creditfile.divisions import CITIES


def test_every_county_has_a_box_of_its_own_size() -> None:
    """Within the province's outline, and neither a point nor the province."""
    counties = {
        f"{city[:4]}{county[:2]}" for city, names in CITIES.items() for county in names.split()
    }
    assert counties == set(_BOXES)
    for code in counties:
        box = division_box(code)
        assert box is not None
        assert 118.0 <= box.west < box.east <= 123.0, code
        assert 27.0 <= box.south < box.north <= 31.2, code
        assert 0.08 < box.east - box.west < 1.5, code
        assert 0.08 < box.north - box.south < 1.1, code


def test_known_places_lie_in_their_counties() -> None:
    """Town halls and landmarks, by their public coordinates."""
    for code, longitude, latitude in (
        ("330106", 120.13, 30.26),
        ("330110", 119.98, 30.27),
        ("330113", 120.30, 30.42),
        ("330782", 120.08, 29.31),
        ("330902", 122.11, 30.02),
        ("331083", 121.23, 28.13),
    ):
        west, south, east, north = division_box(code) or (0, 0, 0, 0)
        assert west <= longitude <= east, code
        assert south <= latitude <= north, code
    assert division_box("110101") is None
    assert division_box(None) is None
