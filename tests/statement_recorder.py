"""What a running gateway asks of its database: each statement of the hot path, with its values."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
from fastapi import FastAPI

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement


@dataclass(slots=True)
class StatementRecorder(HotDatabase):
    """The gateway's database, with a list of what it was asked."""

    inner: HotDatabase
    asked: list[tuple[Statement, Mapping[str, Any]]] = field(default_factory=list)

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """Note the statement, then run it."""
        self.asked.append((statement, dict(values)))
        return await self.inner.row(statement, values)


@contextmanager
def record_statements(app: FastAPI) -> Iterator[StatementRecorder]:
    """The statements of the hot path inside the block."""
    before = app.state.runtime
    database = StatementRecorder(before.hot)
    app.state.runtime = replace(before, hot=database)
    try:
        yield database
    finally:
        app.state.runtime = before
