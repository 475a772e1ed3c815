"""Log leaf of a told outcome: SHA-256(salt ‖ canonical row), RFC 8785. Pure."""

import hashlib
import re
from typing import Final

import orjson

from gateway.disclosure.application_outcomes.model import ToldOutcome

FORM: Final = "application_outcome.v1"
_LEAF_ID: Final = re.compile(r"(dsc_[a-z2-7]{26})-o[0-9]{1,10}", re.ASCII)


def leaf_id(told: ToldOutcome) -> str:
    """The id of its leaf in the log and in receipts: `dsc_…-o1`, `dsc_…-o2`."""
    return f"{told.disclosure_id}-o{told.version}"


def disclosure_of_leaf(leaf: str) -> str | None:
    """The query's id in the id of an outcome's leaf; `None` for any other id."""
    found = _LEAF_ID.fullmatch(leaf)
    return found[1] if found else None


def leaf_hash(told: ToldOutcome, salt: bytes) -> bytes:
    """The leaf hash of an outcome: the 32 bytes that enter the log."""
    row = {
        "form": FORM,
        "uscc": told.uscc,
        "disclosure_id": told.disclosure_id,
        "version": told.version,
        "client_id": told.client_id,
        "outcome": told.outcome.value,
        "reasons": [each.value for each in told.reasons],
        "at": told.at.isoformat(),
    }
    return hashlib.sha256(salt + orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest()
