"""Re-encryption of personal fields under the current key, in small transactions.

A run can be interrupted and repeated: rows under the current key are skipped, locked rows are left to
the next run. Every key decrypts until it is removed.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.paging import KeyedTable
from gateway.db.statements import Statement
from gateway.privacy.field_encryption import SealBrokenError, Vault

BATCH_ROWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedColumn(KeyedTable):
    """An encrypted column, and the table and row (SQL) for which its values are sealed."""

    sealed_for: str
    row: str
    column: str = "personal"


_RECORD: Final = (
    "uscc || '|' || {0}source_id{1} || '|' || {0}dataset{1} || '|' || {0}natural_key{1}"
)
ENCRYPTED_COLUMNS: Final = (
    EncryptedColumn(table="enterprise", key=("uscc",), sealed_for="enterprise", row="uscc"),
    EncryptedColumn(
        table="enterprise_history", key=("uscc", "version"), sealed_for="enterprise", row="uscc"
    ),
    EncryptedColumn(
        table="record", key=("uscc", "record_id"), sealed_for="record", row=_RECORD.format("", "")
    ),
    EncryptedColumn(
        table="record_history",
        key=("uscc", "record_id", "version"),
        sealed_for="record",
        row=_RECORD.format('("row" ->> \'', "')"),
    ),
    EncryptedColumn(
        table="delegation",
        key=("uscc", "delegation_id"),
        sealed_for="delegation",
        row="uscc || '/' || delegation_id",
        column="name",
    ),
    EncryptedColumn(
        table="delegation",
        key=("uscc", "delegation_id"),
        sealed_for="delegation",
        row="uscc || '/' || delegation_id",
        column="accepted_name",
    ),
    EncryptedColumn(
        table="notice_place",
        key=("uscc", "place_id"),
        sealed_for="notice_place",
        row="uscc || '/' || place_id",
        column="address",
    ),
    *(
        EncryptedColumn(
            table="credit_report",
            key=("uscc", "report_id"),
            sealed_for="credit_report",
            row="uscc || '/' || report_id",
            column=column,
        )
        for column in ("number", "recipient", "file")
    ),
    EncryptedColumn(
        table="signed_request",
        key=("uscc", "subject_id"),
        sealed_for="signed_request",
        row="uscc || '/' || subject_id",
        column="request",
    ),
    *(
        EncryptedColumn(
            table="verification_job_set",
            key=("job_id", "upload_id", "first_line"),
            sealed_for="verification_job",
            row="job_id || '/' || first_line",
            column=column,
        )
        for column in ("asked", "answers")
    ),
    *(
        EncryptedColumn(table=table, key=(key,), sealed_for=table, row=key, column=column)
        for table, key, column in (
            ("verification_job", "job_id", "sealed_digest"),
            ("verification_job", "job_id", "sealed_manifest"),
            ("verification_batch", "batch_id", "sealed_manifest"),
        )
    ),
)
_KEPT: Final = Statement("""
SELECT get_byte(decode(answer, 'base64'), 1) AS key, count(*) AS rows FROM idempotency
 WHERE length(answer) > 4 AND at > now() - interval '24 hours' GROUP BY 1""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReencryptedBatch:
    """Result of one transaction: values re-encrypted, and values that no key decrypts."""

    table: str
    moved: int
    broken: int


async def reencrypt(
    engine: AsyncEngine, vault: Vault, *, batch: int = BATCH_ROWS
) -> AsyncIterator[ReencryptedBatch]:
    """Re-encrypt all values under other keys, table by table; yields each transaction's result."""
    for each in ENCRYPTED_COLUMNS:
        pages = each.each_page(
            engine,
            partial(_reencrypt_rows, vault, each),
            columns=f"{each.row} AS place, {each.column} AS sealed",
            where=f"{each.column} IS NOT NULL AND get_byte({each.column}, 1) <> :current",
            values={"current": vault.current},
            limit=batch,
        )
        async for done in pages:
            yield done


async def count_by_key(connection: AsyncConnection) -> Mapping[str, Mapping[int, int]]:
    """The number of values under each key, by table; stored answers included."""
    found: dict[str, Counter[int]] = {}
    for column in ENCRYPTED_COLUMNS:
        counted = Statement(
            f"SELECT get_byte({column.column}, 1) AS key, count(*) AS rows FROM {column.table} "  # noqa: S608
            f"WHERE {column.column} IS NOT NULL GROUP BY 1"
        )
        rows = await connection.execute(counted)
        counts = found.setdefault(column.table, Counter())
        counts.update({row.key: row.rows for row in rows})
    rows = await connection.execute(_KEPT)
    found["idempotency"] = Counter({row.key: row.rows for row in rows})
    return found


def total_under_key(found: Mapping[str, Mapping[int, int]], key_id: int) -> int:
    """The number of all values under this key."""
    return sum(by_key.get(key_id, 0) for by_key in found.values())


async def _reencrypt_rows(
    vault: Vault, column: EncryptedColumn, connection: AsyncConnection, rows: Sequence[Row[Any]]
) -> ReencryptedBatch:
    put, moved, broken = Statement(_put(column)), 0, 0
    for row in rows:
        place = {"table": column.sealed_for, "column": column.column, "row": row.place}
        try:
            plain = vault.open(row.sealed, **place)
        except SealBrokenError:
            broken += 1
            continue
        values = {"held": row.sealed, "sealed": vault.seal(plain, **place), **column.key_of(row)}
        moved += (await connection.execute(put, values)).rowcount
    return ReencryptedBatch(table=column.table, moved=moved, broken=broken)


def _put(column: EncryptedColumn) -> str:
    """SQL that replaces the value `held` of one row, unless it has changed or is locked."""
    table, name = column.table, column.column
    return f"""
WITH free AS (
    SELECT 1 FROM {table} WHERE {column.is_row} AND {name} = :held FOR NO KEY UPDATE SKIP LOCKED)
UPDATE {table} SET {name} = :sealed WHERE {column.is_row} AND EXISTS (SELECT 1 FROM free)"""  # noqa: S608
