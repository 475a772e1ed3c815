"""The hot path's way to PostgreSQL: one prepared statement, one round trip, its own transaction.

SQLAlchemy's checkout and result objects cost more than the statements themselves there, so these
few go to asyncpg directly; everything else goes through `engine`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `:name` parameters, translated once to PostgreSQL's `$1`.

    Give each parameter its type where it first stands: `CAST(:uscc AS text)`.
    """

    sql: str
    names: tuple[str, ...] = field(init=False)
    positional: str = field(init=False)

    def __post_init__(self) -> None:
        names: list[str] = []

        def place(match: re.Match[str]) -> str:
            name = match[1]
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"

        object.__setattr__(self, "positional", _NAME.sub(place, self.sql))
        object.__setattr__(self, "names", tuple(names))


class HotDatabase:
    """A pool of autocommit connections for `Statement`s."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, size: int) -> "HotDatabase":
        """Connect to `url` (SQLAlchemy's form, `?ssl=` and all); at most `size` connections."""
        address = make_url(url)
        _, how = address.get_dialect()().create_connect_args(address)
        pool = await asyncpg.create_pool(
            **how,
            min_size=1,
            max_size=size,
            timeout=5,
            command_timeout=10,
            reset=_nothing_to_reset,
            server_settings={"application_name": "xinqiao-hot", "timezone": "UTC"},
        )
        return cls(pool)

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """The one row that `statement` gives, or `None`."""
        arguments = [values[name] for name in statement.names]
        return await self._pool.fetchrow(statement.positional, *arguments)

    async def close(self) -> None:
        """Give the connections back to PostgreSQL."""
        await self._pool.close()


async def _nothing_to_reset(_connection: object) -> None:
    """Each use is one autocommit statement: there is no session state to undo."""
