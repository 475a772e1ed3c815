"""How long, and how many, may wait for a connection or a statement; what waits longer is not answered.

The server ends a statement after its time, so that it holds neither locks nor a connection for a caller
that has gone. The driver gives up a little later, where the server itself says nothing any more.
"""

from typing import Any, Final

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

CONNECTION_SECONDS: Final = 5.0
"""For a connection to be made, or to become free."""
SILENT_SECONDS: Final = 2.0
"""Beyond its time, for the server to say that a statement took too long."""
WAITING_EACH: Final = 50
"""Callers for each connection of a pool; whoever comes after them is refused at once."""


def session_options(name: str, statement_timeout: float) -> dict[str, Any]:
    """Asyncpg's arguments for a session in which a statement takes so many seconds at most (0: any)."""
    return {
        "timeout": CONNECTION_SECONDS,
        "command_timeout": statement_timeout + SILENT_SECONDS if statement_timeout else None,
        "server_settings": {
            "application_name": name,
            "timezone": "UTC",
            "statement_timeout": str(round(statement_timeout * 1000)),
        },
    }


class BoundedPool(AsyncAdaptedQueuePool):
    """A pool for which `WAITING_EACH` callers wait for each of its connections, and no more."""

    _waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        if self._waiting >= WAITING_EACH * self.size():
            raise PoolTimeoutError("too many wait for a connection")
        self._waiting += 1
        try:
            return super()._do_get()
        finally:
            self._waiting -= 1
