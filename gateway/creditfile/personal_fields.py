"""Personal fields: one sealed JSON for the row that they belong to, and digests to compare by.

A record's row is named by its natural key, which is known before the row is: what is sealed for it
stays legible in its history, and in no other row.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import orjson

from gateway.creditfile.records import Enterprise, Record
from gateway.privacy.field_encryption import Vault
from verification.facts import LEGAL_REPRESENTATIVE_ID
from verification.normalise import normalise_id_number

ID_NUMBER: Final = "legal_representative_id_number"
PERSONAL: Final = "personal"
"""The digest by which what is sealed is compared with what is delivered."""
_TABLE: Final = "enterprise"
_RECORDS: Final = "record"
_COLUMN: Final = "personal"


def seal_of_enterprise(
    vault: Vault, uscc: str, personal: Mapping[str, str]
) -> tuple[bytes | None, str]:
    """What is sealed for this enterprise's row, and the keyed digests of what questions compare and
    of the whole, hexadecimal, as JSON. The personal fields have their names in the catalogue."""
    if not personal:
        return None, "{}"
    plain = orjson.dumps(dict(personal), option=orjson.OPT_SORT_KEYS)
    digests = {PERSONAL: _digest(vault, uscc, plain)}
    number = personal.get(ID_NUMBER)
    if number is not None:
        digests[LEGAL_REPRESENTATIVE_ID] = id_number_digest(vault, number).hex()
    sealed = vault.seal(plain, table=_TABLE, column=_COLUMN, row=uscc)
    return sealed, orjson.dumps(digests).decode()


def open_personal(vault: Vault, enterprise: Enterprise) -> Mapping[str, str]:
    """The personal fields, by their names in the catalogue; hand them to `registration_of`."""
    if enterprise.personal is None:
        return MappingProxyType({})
    plain = vault.open(enterprise.personal, table=_TABLE, column=_COLUMN, row=enterprise.uscc)
    opened: dict[str, str] = orjson.loads(plain)
    return MappingProxyType(opened)


def id_number_digest(vault: Vault, number: str) -> bytes:
    """The keyed digest of an ID number as `verification.evaluate` asks for it."""
    return vault.digest(LEGAL_REPRESENTATIVE_ID, normalise_id_number(number))


def row_of_record(uscc: str, source_id: str, dataset: str, natural_key: str) -> str:
    """The name of a record's row: no source's id and no dataset's code has a bar in it."""
    return f"{uscc}|{source_id}|{dataset}|{natural_key}"


def seal_of_record(
    vault: Vault, row: str, personal: Mapping[str, object]
) -> tuple[bytes | None, str | None]:
    """What is sealed for the record whose row is `row_of_record`, and its digest as JSON."""
    if not personal:
        return None, None
    plain = orjson.dumps(dict(personal), option=orjson.OPT_SORT_KEYS)
    sealed = vault.seal(plain, table=_RECORDS, column=_COLUMN, row=row)
    return sealed, orjson.dumps({PERSONAL: _digest(vault, row, plain)}).decode()


def open_of_record(vault: Vault, record: Record) -> Mapping[str, object]:
    """The sealed fields of a record, by their names in the catalogue."""
    if record.personal is None:
        return MappingProxyType({})
    row = row_of_record(record.uscc, record.source_id, record.dataset, record.natural_key)
    plain = vault.open(record.personal, table=_RECORDS, column=_COLUMN, row=row)
    opened: dict[str, object] = orjson.loads(plain)
    return MappingProxyType(opened)


def with_personal(vault: Vault, record: Record) -> Record:
    """The record with its sealed fields opened; open it only for somebody who may be told them."""
    if record.personal is None:
        return record
    return replace(record, fields={**record.fields, **open_of_record(vault, record)})


def _digest(vault: Vault, row: str, plain: bytes) -> str:
    return vault.digest(PERSONAL, f"{row}\0{plain.decode()}").hex()
