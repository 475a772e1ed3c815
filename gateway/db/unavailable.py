"""Classification of database errors: temporarily unavailable (503, retryable), or a fault of ours (500).

SQLSTATEs: PostgreSQL's manual, appendix A. An error counts the same from the driver or wrapped by
SQLAlchemy.
"""

from typing import Final

import asyncpg
from asyncpg.exceptions import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

LOCK_NOT_AVAILABLE: Final = "55P03"
CONFLICTS: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the transaction may be retried."""
# Retryable, and the session stays usable; 57014: query canceled, the statement took too long.
BUSY: Final = CONFLICTS | {LOCK_NOT_AVAILABLE, "57014"}
# Retryable on a new session only: the server is down, read-only, full or another one.
UNFIT_CLASSES: Final = (
    "08",  # connection exception
    "53",  # insufficient resources: disk, memory, connections
    "57",  # operator intervention: shutting down, starting up, idle too long
    "58",  # system error: input or output failed
)
UNFIT: Final = frozenset(
    {
        "25006",  # read-only transaction: a standby, or a primary that was one
        "25P03",  # idle in transaction for too long
        "25P04",  # transaction took too long
        "26000",  # no such prepared statement: a pooler has changed the server
        "42P05",  # a prepared statement of this name: likewise
    }
)
FATAL: Final = frozenset({"FATAL", "PANIC"})  # the server has ended or refused the session


class UnavailableError(Exception):
    """A store cannot be asked right now."""


def driver_error(error: BaseException) -> BaseException:
    """The driver's exception, unwrapped from SQLAlchemy's."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def sqlstate_of(error: BaseException) -> str | None:
    """The error's SQLSTATE, if it comes from PostgreSQL."""
    state: str | None = getattr(driver_error(error), "sqlstate", None)
    return state


def name_of(error: BaseException) -> str:
    """Loggable name of an error: its type and SQLSTATE, never data."""
    state = sqlstate_of(error)
    return f"{type(driver_error(error)).__name__}{f' {state}' if state else ''}"


def is_unavailable(error: BaseException) -> bool:
    """True for a temporary error: the same call may succeed when it is repeated."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_unavailable, error.exceptions))
    if isinstance(error, UnavailableError | PoolTimeoutError):
        return True
    if isinstance(driver_error(error), asyncpg.InvalidCachedStatementError):
        return True  # the tables have changed under a prepared statement, which is now forgotten
    return sqlstate_of(error) in BUSY or makes_unfit(error)


def makes_unfit(error: BaseException) -> bool:
    """True where the error makes all open sessions unusable."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    raised = driver_error(error)
    if isinstance(raised, asyncpg.PostgresError):
        state = str(raised.sqlstate)
        ended = getattr(raised, "severity_en", None) in FATAL
        return ended or state in UNFIT or (state not in BUSY and state.startswith(UNFIT_CLASSES))
    if isinstance(raised, asyncpg.InterfaceError):
        return not isinstance(raised, ValueError)  # which is a parameter of the wrong type
    return isinstance(raised, OSError | InternalClientError)
