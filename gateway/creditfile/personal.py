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
from gateway.creditfile.vault import Vault
from verification.facts import LEGAL_REPRESENTATIVE_ID
from verification.normalise import normalise_id_number

ID_NUMBER: Final = "legal_representative_id_number"
PERSONAL: Final = "personal"
"""The digest by which what is sealed is compared with what is delivered."""
_TABLE: Final = "enterprise"
_RECORDS: Final = "record"
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


def digests_of(vault: Vault, uscc: str, personal: Mapping[str, str]) -> dict[str, str]:
    """The keyed digests (hexadecimal) of what questions compare, and of the whole."""
    number = personal.get(ID_NUMBER)
    whole = {PERSONAL: _digest(vault, uscc, personal)} if personal else {}
    if number is None:
        return whole
    return {LEGAL_REPRESENTATIVE_ID: id_number_digest(vault, number).hex(), **whole}


def id_number_digest(vault: Vault, number: str) -> bytes:
    """The keyed digest of an ID number as `verification.evaluate` asks for it."""
    return vault.digest(LEGAL_REPRESENTATIVE_ID, normalise_id_number(number))


def row_of_record(uscc: str, source_id: str, dataset: str, natural_key: str) -> str:
    """The name of a record's row: no source's id and no dataset's code has a bar in it."""
    return f"{uscc}|{source_id}|{dataset}|{natural_key}"


def seal_for_record(vault: Vault, row: str, personal: Mapping[str, object]) -> bytes:
    """Seal personal fields for the record whose row is `row_of_record`."""
    plain = orjson.dumps(dict(personal), option=orjson.OPT_SORT_KEYS)
    return vault.seal(plain, table=_RECORDS, column=_COLUMN, row=row)


def digests_for_record(
    vault: Vault, row: str, personal: Mapping[str, object]
) -> dict[str, str] | None:
    """The digest of a record's personal fields; none where it has none."""
    return {PERSONAL: _digest(vault, row, personal)} if personal else None


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


def _digest(vault: Vault, row: str, personal: Mapping[str, object]) -> str:
    whole = orjson.dumps(dict(personal), option=orjson.OPT_SORT_KEYS).decode()
    return vault.digest(PERSONAL, f"{row}\0{whole}").hex()
