"""SQLAlchemy engines for the gateway. Statement parameters never reach a log line or an error message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.db.generation import SessionGeneration
from gateway.db.waiting import CONNECTION_SECONDS, BoundedPool, session_options
from gateway.settings import BACKGROUND_STATEMENT_TIMEOUT, DatabaseSettings

GENERATION = "xinqiao_generation"


def make_engine(
    url: str,
    *,
    pool_size: int = 10,
    statement_timeout: float = BACKGROUND_STATEMENT_TIMEOUT,
    generation: SessionGeneration | None = None,
) -> AsyncEngine:
    """An engine for `url`, with `autocommit(engine)` for single statements.

    PostgreSQL ends a statement after `statement_timeout` seconds (0: never). asyncpg prepares each
    statement once per connection and keeps it.
    """
    engine = create_async_engine(
        url,
        poolclass=BoundedPool,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECTION_SECONDS,
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        connect_args=session_options("xinqiao", statement_timeout),
    )
    _replace_old_sessions(engine, generation or SessionGeneration())
    return engine


def background_engine(
    settings: DatabaseSettings, *, pool_size: int = 1, generation: SessionGeneration | None = None
) -> AsyncEngine:
    """An engine for commands and background work, with their own statement timeout."""
    return make_engine(
        settings.database_url,
        pool_size=pool_size,
        statement_timeout=settings.background_statement_timeout,
        generation=generation,
    )


@asynccontextmanager
async def own_engine(
    settings: DatabaseSettings, *, pool_size: int = 1
) -> AsyncIterator[AsyncEngine]:
    """A background engine for one piece of work, disposed afterwards."""
    engine = background_engine(settings, pool_size=pool_size)
    try:
        yield engine
    finally:
        await engine.dispose()


def _replace_old_sessions(engine: AsyncEngine, generation: SessionGeneration) -> None:
    """Replace pooled sessions of an older generation at checkout; note such errors."""

    def on_connect(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info[GENERATION] = generation.number

    def on_checkout(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info[GENERATION] != generation.number:
            raise DisconnectionError

    def on_error(context: ExceptionContext) -> None:
        generation.note(context.sqlalchemy_exception or context.original_exception)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "checkout", on_checkout)
    event.listen(engine.sync_engine, "handle_error", on_error)


def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, each statement its own transaction."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def to_json(value: Any) -> str:  # whatever JSON can hold
    """JSON text for a `jsonb` parameter."""
    return orjson.dumps(value).decode()
