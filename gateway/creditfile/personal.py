"""An enterprise's personal fields: one sealed JSON for its row, and digests to compare by."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson

from gateway.creditfile.records import Enterprise
from gateway.creditfile.vault import Vault
from verification.facts import LEGAL_REPRESENTATIVE_ID
from verification.normalise import normalise_id_number

ID_NUMBER: Final = "legal_representative_id_number"
_TABLE: Final = "enterprise"
_COLUMN: Final = "personal"


def seal_personal(vault: Vault, uscc: str, personal: Mapping[str, str]) -> bytes:
    """Seal the personal fields, by their names in the catalogue, for this enterprise's row."""
    return vault.seal(orjson.dumps(dict(personal)), table=_TABLE, column=_COLUMN, row=uscc)


def open_personal(vault: Vault, enterprise: Enterprise) -> Mapping[str, str]:
    """The personal fields, by their names in the catalogue; hand them to `registration_of`."""
    if enterprise.personal is None:
        return MappingProxyType({})
    plain = vault.open(enterprise.personal, table=_TABLE, column=_COLUMN, row=enterprise.uscc)
    opened: dict[str, str] = orjson.loads(plain)
    return MappingProxyType(opened)


def digests_of(vault: Vault, personal: Mapping[str, str]) -> dict[str, str]:
    """The keyed digests (hexadecimal) of what questions compare."""
    number = personal.get(ID_NUMBER)
    if number is None:
        return {}
    return {LEGAL_REPRESENTATIVE_ID: id_number_digest(vault, number).hex()}


def id_number_digest(vault: Vault, number: str) -> bytes:
    """The keyed digest of an ID number as `verification.evaluate` asks for it."""
    return vault.digest(LEGAL_REPRESENTATIVE_ID, normalise_id_number(number))
