"""The catalogue's documentation page is generated from the catalogue."""

from pathlib import Path

from gateway.creditfile.catalogue.markdown_page import markdown_of
from tests.creditfile_builders import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "understand" / "catalogue.md"


def test_the_page_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text(encoding="utf-8") == markdown_of(CATALOGUE), "run `make docs`"


def test_every_dataset_and_field_is_on_it_with_its_names_and_class() -> None:
    """In Chinese and English."""
    page = markdown_of(CATALOGUE)
    for dataset in CATALOGUE.datasets:
        assert f"## {dataset.zh} `{dataset.code}`" in page
        for field in dataset.fields:
            assert field.disclosure is not None
            assert f"| {field.zh} | {field.en} | {field.type} | {field.disclosure.value}" in page
