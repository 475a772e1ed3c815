"""Labels of the public code page, from the credit file's, and its registration fields."""

from typing import Final

from gateway.creditfile.labels import (
    HEADLINES,
    field_label,
    field_value,
    headline,
    named_fields,
    value_label,
)
from gateway.creditfile.local_dates import SHANGHAI

__all__ = [
    "HEADLINES",
    "REGISTRATION",
    "SHANGHAI",
    "field_label",
    "field_value",
    "headline",
    "named_fields",
    "value_label",
]

REGISTRATION: Final = (
    "uscc",
    "kind",
    "status",
    "legal_representative",
    "established_on",
    "registering_authority",
    "capital",
    "address",
    "scope",
)
