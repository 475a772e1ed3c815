"""Re-encryption of personal fields under the current key, in small transactions.

A run can be interrupted and repeated: rows under the current key are skipped, locked rows are left to
the next run. Every key decrypts until it is removed.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.statements import Statement
from gateway.privacy.field_encryption import SealBrokenError, Vault

BATCH_ROWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedColumn:
    """An encrypted column: table, key, and the table and row for which its values are sealed."""

    table: str
    key: tuple[str, ...]
    sealed_for: str
    row: str
    types: tuple[str, ...] = field(default=())
    column: str = "personal"


_OF_RECORD: Final = (
    "uscc || '|' || {0}source_id{1} || '|' || {0}dataset{1} || '|' || {0}natural_key{1}"
)
ENCRYPTED_COLUMNS: Final = (
    EncryptedColumn(
        table="enterprise", key=("uscc",), types=("text",), sealed_for="enterprise", row="uscc"
    ),
    EncryptedColumn(
        table="enterprise_history",
        key=("uscc", "version"),
        types=("text", "integer"),
        sealed_for="enterprise",
        row="uscc",
    ),
    EncryptedColumn(
        table="record",
        key=("uscc", "record_id"),
        types=("text", "text"),
        sealed_for="record",
        row=_OF_RECORD.format("", ""),
    ),
    EncryptedColumn(
        table="record_history",
        key=("uscc", "record_id", "version"),
        types=("text", "text", "integer"),
        sealed_for="record",
        row=_OF_RECORD.format('("row" ->> \'', "')"),
    ),
    EncryptedColumn(
        table="delegation",
        key=("uscc", "delegation_id"),
        types=("text", "text"),
        sealed_for="delegation",
        row="uscc || '/' || delegation_id",
        column="name",
    ),
    EncryptedColumn(
        table="notice_place",
        key=("uscc", "place_id"),
        types=("text", "text"),
        sealed_for="notice_place",
        row="uscc || '/' || place_id",
        column="address",
    ),
)
_KEPT: Final = Statement("""
SELECT get_byte(decode(answer, 'base64'), 1) AS key, count(*) AS rows FROM idempotency
 WHERE length(answer) > 4 AND at > now() - interval '24 hours' GROUP BY 1""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReencryptedBatch:
    """Result of one transaction: rows re-encrypted, rows that no key decrypts, the last key."""

    column: EncryptedColumn
    moved: int
    broken: int
    last: tuple[Any, ...] | None


async def reencrypt(
    engine: AsyncEngine, vault: Vault, *, batch: int = BATCH_ROWS
) -> AsyncIterator[ReencryptedBatch]:
    """Re-encrypt all values under other keys, table by table; yields each transaction's result."""
    for column in ENCRYPTED_COLUMNS:
        last: tuple[Any, ...] | None = None
        while True:
            async with engine.begin() as connection:
                done = await _reencrypt_batch(connection, vault, column, last, batch)
            if done.last is None:
                break
            last = done.last
            yield done


async def count_by_key(connection: AsyncConnection) -> dict[str, dict[int, int]]:
    """The number of values under each key, by table; stored answers included."""
    found: dict[str, dict[int, int]] = {}
    for column in ENCRYPTED_COLUMNS:
        counted = Statement(
            f"SELECT get_byte({column.column}, 1) AS key, count(*) AS rows FROM {column.table} "  # noqa: S608
            f"WHERE {column.column} IS NOT NULL GROUP BY 1"
        )
        rows = await connection.execute(counted)
        found[column.table] = {row.key: row.rows for row in rows}
    rows = await connection.execute(_KEPT)
    found["idempotency"] = {row.key: row.rows for row in rows}
    return found


def total_under_key(found: Mapping[str, Mapping[int, int]], key_id: int) -> int:
    """The number of all values under this key."""
    return sum(by_key.get(key_id, 0) for by_key in found.values())


async def _reencrypt_batch(
    connection: AsyncConnection,
    vault: Vault,
    column: EncryptedColumn,
    last: tuple[Any, ...] | None,
    batch: int,
) -> ReencryptedBatch:
    values = {f"k{number}": value for number, value in enumerate(last or ())}
    asked = {**values, "current": vault.current, "batch": batch}
    rows = (await connection.execute(_select(column, begun=last is not None), asked)).all()
    moved: list[dict[str, Any]] = []
    for row in rows:
        try:
            plain = vault.open(
                row.sealed, table=column.sealed_for, column=column.column, row=row.place
            )
        except SealBrokenError:
            continue
        sealed = vault.seal(plain, table=column.sealed_for, column=column.column, row=row.place)
        moved.append({"sealed": sealed, **{f"k{n}": row[n] for n in range(len(column.key))}})
    if moved:
        await connection.execute(_update(column), moved)
    end = tuple(rows[-1][: len(column.key)]) if rows else None
    return ReencryptedBatch(
        column=column, moved=len(moved), broken=len(rows) - len(moved), last=end
    )


def _select(column: EncryptedColumn, *, begun: bool) -> Any:  # a statement
    key = ", ".join(column.key)
    after = ", ".join(f"CAST(:k{n} AS {kind})" for n, kind in enumerate(column.types))
    name = column.column
    return Statement(
        f"SELECT {key}, {column.row} AS place, {name} AS sealed FROM {column.table} "  # noqa: S608
        f"WHERE {name} IS NOT NULL AND get_byte({name}, 1) <> :current "
        f"{f'AND ({key}) > ({after}) ' if begun else ''}"
        f"ORDER BY {key} LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED"
    )


def _update(column: EncryptedColumn) -> Any:  # a statement
    matches = " AND ".join(f"{name} = :k{n}" for n, name in enumerate(column.key))
    return Statement(f"UPDATE {column.table} SET {column.column} = :sealed WHERE {matches}")  # noqa: S608
