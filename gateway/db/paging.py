"""Pages of all rows of a table in key order, one transaction each: a run can be interrupted and resumed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.statements import Statement

T = TypeVar("T")
NO_VALUES: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedTable:
    """A table with its primary key."""

    table: str
    key: tuple[str, ...]

    @property
    def is_row(self) -> str:
        """SQL condition for one row, with the parameters of `key_of`."""
        return " AND ".join(f"{name} = :k{n}" for n, name in enumerate(self.key))

    def key_of(self, row: Sequence[Any]) -> dict[str, Any]:
        """Parameters for the key with which `row` begins."""
        return {f"k{n}": value for n, value in enumerate(row[: len(self.key)])}

    async def each_page(
        self,
        engine: AsyncEngine,
        work: Callable[[AsyncConnection, Sequence[Row[Any]]], Awaitable[T]],
        *,
        columns: str,
        limit: int,
        where: str = "true",
        values: Mapping[str, Any] = NO_VALUES,
        after: Sequence[Any] = (),
    ) -> AsyncIterator[T]:
        """Do `work` on each page of keys and `columns`, after the key `after`; yields the results."""
        key = ", ".join(self.key)
        while True:
            last = self.key_of(after)
            reached = f"({', '.join(self.key[: len(last)])}) > ({', '.join(f':{k}' for k in last)})"
            page = Statement(
                f"SELECT {key}, {columns} FROM {self.table} WHERE {where} "  # noqa: S608
                f"{f'AND {reached}' if last else ''} ORDER BY {key} LIMIT :limit"
            )
            async with engine.begin() as connection:
                asked = {**values, **last, "limit": limit}
                rows = (await connection.execute(page, asked)).all()
                if not rows:
                    return
                done = await work(connection, rows)
            after = rows[-1][: len(self.key)]
            yield done
