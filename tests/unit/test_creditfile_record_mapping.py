"""Record mapping: from a delivered row to a stored record."""

from datetime import date

from gateway.creditfile.record_mapping import (
    natural_key,
    stored_fields,
    typed_columns,
)
from tests.creditfile_builders import CATALOGUE, make_record

PENALTY = CATALOGUE.dataset("penalty")
FIELDS = dict(make_record().fields)


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
    """R5, at ingest."""
    delivered = FIELDS | {"facts": "电话13800138000", "document_number": "13800138000"}
    taken = stored_fields(PENALTY, delivered)
    assert taken["facts"] == "电话（电话号码已隐去）"
    assert taken["document_number"] == "13800138000"


def test_a_personal_field_that_is_not_public_is_not_stored_in_a_record() -> None:
    """R17: it would be stored unencrypted."""
    dataset = CATALOGUE.dataset("annual_report")
    delivered = {"year": "2025", "contact_phone": "15400000000"}
    assert stored_fields(dataset, delivered) == {"year": "2025"}
