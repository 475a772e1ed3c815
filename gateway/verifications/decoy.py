"""Decoy enterprise for unknown codes, so that response time does not tell whether an enterprise exists."""

from typing import Any, Final

import orjson

from gateway.creditfile.file_query import enterprise_from_json
from gateway.creditfile.records import ENTERPRISE_COLUMNS, Enterprise

_SOMETHING: Final = "无此经营主体"
_NEVER: Final = "2000-01-01T00:00:00+00:00"
_DAY: Final = "2000-01-01"
_ROW: Final[dict[str, Any]] = {
    "uscc": "000000000000000000",
    "registration_id": "0" * 24,
    "version": 1,
    "name": _SOMETHING * 2,
    "name_key": _SOMETHING * 2,
    "former_names": [],
    "kind": "firm",
    "entity_type": "1130",
    "status": "active",
    "legal_representative": _SOMETHING[:3],
    "capital": "100.000000",
    "currency": "CNY",
    "established_on": _DAY,
    "approved_on": _DAY,
    "term_from": _DAY,
    "term_to": None,
    "registering_authority": _SOMETHING * 2,
    "division": "330000",
    "industry": "F5211",
    "scope": _SOMETHING * 8,
    "address": _SOMETHING * 3,
    "small_or_micro": False,
    "small_or_micro_on": None,
    "scope_industries": ["F5211"],
    "source_id": "0" * 24,
    "source_name": _SOMETHING * 2,
    "source_uscc": "000000000000000000",
    "source_time": _NEVER,
    "catalogue_version": "2026.1",
    "objection_since": None,
    "code_ok": True,
    "unavailable": [],
    "personal": None,
    "digests": {"legal_representative_id_number": "00" * 32, "personal": "00" * 32},
    "received_at": _NEVER,
}
_TEXT: Final = orjson.dumps([_ROW[name] for name in ENTERPRISE_COLUMNS]).decode()


def enterprise_or_decoy(text: str | None) -> tuple[Enterprise, bool]:
    """The enterprise that was read, or the decoy; and whether it is real."""
    found = enterprise_from_json(_TEXT if text is None else text)
    if found is None:
        raise TypeError("the decoy is always there")
    return found, text is not None
