"""Personal fields move to the current key in small transactions; until then every key still opens.

A run can end at any moment and be begun again: what lies under the current key is not looked at
twice. A row that somebody else holds is passed over, never waited for, and taken by the next round.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.statements import Statement
from gateway.privacy.field_encryption import SealBrokenError, Vault

BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedColumn:
    """One column of sealed fields: the table, its key, and for which row of which table it is sealed."""

    table: str
    key: tuple[str, ...]
    sealed_for: str
    row: str
    types: tuple[str, ...] = field(default=())
    column: str = "personal"


_OF_RECORD: Final = (
    "uscc || '|' || {0}source_id{1} || '|' || {0}dataset{1} || '|' || {0}natural_key{1}"
)
PLACES: Final = (
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
    """What one transaction did: rows moved, rows that no key opens, and where it ended."""

    place: EncryptedColumn
    moved: int
    broken: int
    last: tuple[Any, ...] | None


async def reseal(
    engine: AsyncEngine, vault: Vault, *, batch: int = BATCH
) -> AsyncIterator[ReencryptedBatch]:
    """Move all that lies under other keys, table by table; gives what each transaction did."""
    for place in PLACES:
        last: tuple[Any, ...] | None = None
        while True:
            async with engine.begin() as connection:
                done = await _reseal_some(connection, vault, place, last, batch)
            if done.last is None:
                break
            last = done.last
            yield done


async def remaining(connection: AsyncConnection) -> dict[str, dict[int, int]]:
    """How many sealed values lie under which key, by table; kept answers among them."""
    found: dict[str, dict[int, int]] = {}
    for place in PLACES:
        counted = Statement(
            f"SELECT get_byte({place.column}, 1) AS key, count(*) AS rows FROM {place.table} "  # noqa: S608
            f"WHERE {place.column} IS NOT NULL GROUP BY 1"
        )
        rows = await connection.execute(counted)
        found[place.table] = {row.key: row.rows for row in rows}
    rows = await connection.execute(_KEPT)
    found["idempotency"] = {row.key: row.rows for row in rows}
    return found


def total_of(found: Mapping[str, Mapping[int, int]], key_id: int) -> int:
    """How many values in all lie under this key."""
    return sum(by_key.get(key_id, 0) for by_key in found.values())


async def _reseal_some(
    connection: AsyncConnection,
    vault: Vault,
    place: EncryptedColumn,
    last: tuple[Any, ...] | None,
    batch: int,
) -> ReencryptedBatch:
    values = {f"k{number}": value for number, value in enumerate(last or ())}
    asked = {**values, "current": vault.current, "batch": batch}
    rows = (await connection.execute(_to_do(place, begun=last is not None), asked)).all()
    moved: list[dict[str, Any]] = []
    for row in rows:
        try:
            plain = vault.open(
                row.sealed, table=place.sealed_for, column=place.column, row=row.place
            )
        except SealBrokenError:
            continue
        sealed = vault.seal(plain, table=place.sealed_for, column=place.column, row=row.place)
        moved.append({"sealed": sealed, **{f"k{n}": row[n] for n in range(len(place.key))}})
    if moved:
        await connection.execute(_put(place), moved)
    end = tuple(rows[-1][: len(place.key)]) if rows else None
    return ReencryptedBatch(place=place, moved=len(moved), broken=len(rows) - len(moved), last=end)


def _to_do(place: EncryptedColumn, *, begun: bool) -> Any:  # a statement
    key = ", ".join(place.key)
    after = ", ".join(f"CAST(:k{n} AS {kind})" for n, kind in enumerate(place.types))
    return Statement(
        f"SELECT {key}, {place.row} AS place, {place.column} AS sealed FROM {place.table} "  # noqa: S608
        f"WHERE {place.column} IS NOT NULL AND get_byte({place.column}, 1) <> :current "
        f"{f'AND ({key}) > ({after}) ' if begun else ''}"
        f"ORDER BY {key} LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED"
    )


def _put(place: EncryptedColumn) -> Any:  # a statement
    matches = " AND ".join(f"{name} = :k{n}" for n, name in enumerate(place.key))
    return Statement(f"UPDATE {place.table} SET {place.column} = :sealed WHERE {matches}")  # noqa: S608
