"""Encryption of personal fields: one ciphertext per row, with keyed digests for comparison.

A record's ciphertext is bound to its natural key, which is known before the row exists: it can be
decrypted in the row's history, and in no other row.
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
PERSONAL_DIGEST: Final = "personal"
"""Name of the digest that tells whether delivered personal fields differ from the stored ones."""
_TABLE: Final = "enterprise"
_RECORDS: Final = "record"
_COLUMN: Final = "personal"


def seal_enterprise(
    vault: Vault, uscc: str, personal: Mapping[str, str]
) -> tuple[bytes | None, str]:
    """Encrypt an enterprise's personal fields; returns ciphertext and digests (JSON, hexadecimal).

    Digests are of the ID number, for questions, and of the whole. Fields have their catalogue
    names.
    """
    if not personal:
        return None, "{}"
    plain = orjson.dumps(dict(personal), option=orjson.OPT_SORT_KEYS)
    digests = {PERSONAL_DIGEST: _digest(vault, uscc, plain)}
    number = personal.get(ID_NUMBER)
    if number is not None:
        digests[LEGAL_REPRESENTATIVE_ID] = id_number_digest(vault, number).hex()
    sealed = vault.seal(plain, table=_TABLE, column=_COLUMN, row=uscc)
    return sealed, orjson.dumps(digests).decode()


def open_enterprise(vault: Vault, enterprise: Enterprise) -> Mapping[str, str]:
    """Decrypt an enterprise's personal fields, for `registration_of`."""
    if enterprise.personal is None:
        return MappingProxyType({})
    plain = vault.open(enterprise.personal, table=_TABLE, column=_COLUMN, row=enterprise.uscc)
    opened: dict[str, str] = orjson.loads(plain)
    return MappingProxyType(opened)


def id_number_digest(vault: Vault, number: str) -> bytes:
    """Keyed digest of an ID number, as `verification.evaluate` compares it."""
    return vault.digest(LEGAL_REPRESENTATIVE_ID, normalise_id_number(number))


def sealed_row_name(uscc: str, source_id: str, dataset: str, natural_key: str) -> str:
    """Row name that a record's ciphertext is bound to; source ids and codes contain no bar."""
    return f"{uscc}|{source_id}|{dataset}|{natural_key}"


def seal_record(
    vault: Vault, row: str, personal: Mapping[str, object]
) -> tuple[bytes | None, str | None]:
    """Encrypt a record's personal fields; returns ciphertext and digest (JSON)."""
    if not personal:
        return None, None
    plain = orjson.dumps(dict(personal), option=orjson.OPT_SORT_KEYS)
    sealed = vault.seal(plain, table=_RECORDS, column=_COLUMN, row=row)
    return sealed, orjson.dumps({PERSONAL_DIGEST: _digest(vault, row, plain)}).decode()


def open_record(vault: Vault, record: Record) -> Mapping[str, object]:
    """Decrypt a record's personal fields."""
    if record.personal is None:
        return MappingProxyType({})
    row = sealed_row_name(record.uscc, record.source_id, record.dataset, record.natural_key)
    plain = vault.open(record.personal, table=_RECORDS, column=_COLUMN, row=row)
    opened: dict[str, object] = orjson.loads(plain)
    return MappingProxyType(opened)


def with_personal(vault: Vault, record: Record) -> Record:
    """The record with its personal fields decrypted, for recipients who may read them."""
    if record.personal is None:
        return record
    return replace(record, fields={**record.fields, **open_record(vault, record)})


def _digest(vault: Vault, row: str, plain: bytes) -> str:
    return vault.digest(PERSONAL_DIGEST, f"{row}\0{plain.decode()}").hex()
