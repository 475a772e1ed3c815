"""What a source delivers, judged against the catalogue."""

from datetime import date
from typing import Any

import pytest

from gateway.creditfile.record_mapping import (
    FieldProblem,
    natural_key,
    problems_with,
    stored_fields,
    typed_columns,
)
from tests.creditfile_builders import CATALOGUE, make_record

PENALTY = CATALOGUE.dataset("penalty")
FIELDS = dict(make_record().fields)


def test_fields_of_the_catalogues_types_are_taken() -> None:
    """Without a word."""
    assert problems_with(PENALTY, FIELDS) == ()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"shoe_size": "43"}, FieldProblem(field="shoe_size", reason="unknown")),
        ({"document_number": ""}, FieldProblem(field="document_number", reason="missing")),
        ({"decided_on": "2026-02-30"}, FieldProblem(field="decided_on", reason="not a date")),
        ({"decided_on": "20260201"}, FieldProblem(field="decided_on", reason="not a date")),
        ({"fine": 1.2}, FieldProblem(field="fine", reason="not a decimal")),
        ({"fine": "NaN"}, FieldProblem(field="fine", reason="not a decimal")),
        ({"facts": "a\0b"}, FieldProblem(field="facts", reason="not a free_text")),
        ({"kinds": "罚款"}, FieldProblem(field="kinds", reason="not a texts")),
        ({"kinds": ["鞭笞"]},
         FieldProblem(field="kinds", reason="not one of the values of the catalogue")),
        ({"severity": "很重"},
         FieldProblem(field="severity", reason="not one of the values of the catalogue")),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_field_and_reason(
    changed: dict[str, Any],
    problem: FieldProblem,
) -> None:
    """And the value is not repeated."""
    assert problems_with(PENALTY, FIELDS | changed) == (problem,)


def test_typed_columns_are_filled_as_the_catalogue_maps_them() -> None:
    """Dates as dates."""
    columns = typed_columns(PENALTY, FIELDS)
    assert columns["decided_on"] == date(2026, 8, 1)
    assert columns["severity"] == "一般"
    assert "valid_to" not in columns


def test_a_natural_key_may_have_several_parts() -> None:
    """In the catalogue's order."""
    dataset = CATALOGUE.dataset("tax_and_social")
    assert natural_key(dataset, {"period": "2026-10", "kind": "tax"}) == "tax|2026-10"


def test_free_text_is_masked_and_other_text_is_not() -> None:
    """R5 on intake."""
    delivered = FIELDS | {"facts": "电话13800138000", "document_number": "13800138000"}
    taken = stored_fields(PENALTY, delivered)
    assert taken["facts"] == "电话（电话号码已隐去）"
    assert taken["document_number"] == "13800138000"


def test_a_personal_field_that_is_not_public_is_not_stored_in_a_record() -> None:
    """R17: it would lie there legibly."""
    dataset = CATALOGUE.dataset("annual_report")
    delivered = {"year": "2025", "contact_phone": "15400000000"}
    assert stored_fields(dataset, delivered) == {"year": "2025"}
