"""Engines. No parameter of a statement ever reaches a log line or an error message."""

from typing import Any

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `url`, with `autocommit(engine)` for statements that are whole by themselves.

    asyncpg prepares each statement once per connection and keeps it.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        connect_args={"server_settings": {"application_name": "xinqiao", "timezone": "UTC"}},
    )


def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, each statement its own transaction."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def statement(sql: str) -> TextClause:
    """A statement written once at import, with `:name` parameters."""
    return text(sql)


def to_json(value: Any) -> str:  # whatever JSON can hold
    """JSON text for a `jsonb` parameter."""
    return orjson.dumps(value).decode()
