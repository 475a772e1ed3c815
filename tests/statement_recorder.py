"""Recorder of the hot path's database statements, with their parameters."""

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
    """Database wrapper that lists the statements it ran."""

    inner: HotDatabase
    asked: list[tuple[Statement, Mapping[str, Any]]] = field(default_factory=list)

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """Record the statement, then run it."""
        self.asked.append((statement, dict(values)))
        return await self.inner.row(statement, values)


@contextmanager
def record_statements(app: FastAPI) -> Iterator[StatementRecorder]:
    """Record the statements run inside the block."""
    before = app.state.runtime
    database = StatementRecorder(before.hot)
    app.state.runtime = replace(before, hot=database)
    try:
        yield database
    finally:
        app.state.runtime = before
