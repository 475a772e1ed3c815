"""Service classes: every published operation has one, in the document and on the page."""

from __future__ import annotations

from pathlib import Path

from gateway.access.latency import BUCKETS
from gateway.access.service_classes import CLASS_OF, SERVICE_CLASSES
from gateway.access.service_classes_page import markdown
from tests.openapi_description import api_document

PAGE = Path(__file__).parents[2] / "docs" / "integrate" / "service-classes.md"


def test_every_operation_has_one_class_which_the_document_names(tmp_path: Path) -> None:
    """A new operation needs a class, one that is gone has none."""
    operations = [
        operation
        for methods in api_document(tmp_path)["paths"].values()
        for operation in methods.values()
    ]
    named = {each["operationId"]: each["x-service-class"] for each in operations}
    assert named == CLASS_OF
    assert sum(len(each.operations) for each in SERVICE_CLASSES) == len(CLASS_OF)


def test_a_class_aims_at_something() -> None:
    """Half of the calls are faster than nearly all, and availability is a share."""
    for each in SERVICE_CLASSES:
        assert 0 < each.p50_ms < each.p99_ms
        assert 99 <= float(each.availability) < 100


def test_the_page_of_the_classes_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text("utf-8") == markdown(), "run `make docs`"


def test_each_p99_is_a_bucket_of_the_latency_that_is_measured() -> None:
    """So that whether it was kept is counted, and not guessed between two buckets."""
    assert {each.p99_ms / 1000 for each in SERVICE_CLASSES} <= set(BUCKETS)
