"""SQL statement with `:name` parameters, usable by SQLAlchemy and as a prepared statement."""

import re
from typing import Final

from sqlalchemy import TextClause

_NAME: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


class Statement(TextClause):
    """SQL with `:name` parameters; `positional` is the same SQL with PostgreSQL's `$1`.

    Where it is run by `HotDatabase` each parameter needs its type: `CAST(:uscc AS text)`.
    """

    inherit_cache = True

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        self.sql: Final = sql
        numbers: dict[str, int] = {}

        def place(match: re.Match[str]) -> str:
            return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

        self.positional: Final = _NAME.sub(place, sql)
        self.names: Final = tuple(numbers)
