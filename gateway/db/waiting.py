"""Limits on waiting: connection timeout, statement timeout, callers in a pool's queue.

The server ends a statement at its timeout, so that an abandoned call holds neither locks nor a
connection. The driver gives up a little later, in case the server is silent.
"""

from typing import Any, Final

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

CONNECTION_SECONDS: Final = 5.0
"""Timeout for opening a connection, or getting one from a pool."""
SILENT_SECONDS: Final = 2.0
"""Added to the statement timeout before the driver gives up on a silent server."""
MAX_WAITING_PER_CONNECTION: Final = 50
"""Queued callers for each connection of a pool; more are refused at once."""
_SAME_EVERYWHERE: Final = {
    "timezone": "UTC",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
"""Session settings that the SQL depends on; they override those of server, database and role."""


def session_options(name: str, statement_timeout: float) -> dict[str, Any]:
    """Arguments of asyncpg for a session with this statement timeout in seconds (0: none)."""
    return {
        "timeout": CONNECTION_SECONDS,
        "command_timeout": statement_timeout + SILENT_SECONDS if statement_timeout else None,
        "server_settings": {
            **_SAME_EVERYWHERE,
            "application_name": name,
            "statement_timeout": str(round(statement_timeout * 1000)),
        },
    }


class BoundedPool(AsyncAdaptedQueuePool):
    """Connection pool with a bounded queue of waiting callers."""

    _waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        if self._waiting >= MAX_WAITING_PER_CONNECTION * self.size():
            raise PoolTimeoutError("too many wait for a connection")
        self._waiting += 1
        try:
            return super()._do_get()
        finally:
            self._waiting -= 1
