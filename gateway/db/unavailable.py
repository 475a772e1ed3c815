"""The table of database errors that mean "not now": the call is answered 503 and may be repeated.

SQLSTATEs: PostgreSQL's manual, appendix A. Errors count the same whether they come from the driver or
wrapped by SQLAlchemy. What the table does not name is a fault of ours (500).
"""

from typing import Final

import asyncpg
from asyncpg.exceptions import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# The session is sound: its next statement may succeed.
BUSY: Final = frozenset(
    {
        "57014",  # query canceled: the statement took too long
        "55P03",  # lock not available
        "40001",  # serialization failure, after its turns
        "40P01",  # deadlock, after its turns
    }
)
# The session is not fit, or not any more: the server behind it is down, read-only, full or another.
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
FATAL: Final = frozenset({"FATAL", "PANIC"})  # the server has ended the session, or let nobody in


class UnavailableError(Exception):
    """A store cannot be asked right now."""


def driver_error(error: BaseException) -> BaseException:
    """The driver's own exception, where SQLAlchemy has wrapped it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def sqlstate_of(error: BaseException) -> str | None:
    """The five characters by which PostgreSQL names the error, if it comes from there."""
    state: str | None = getattr(driver_error(error), "sqlstate", None)
    return state


def name_of(error: BaseException) -> str:
    """What a log may say of it: the kind of error and its SQLSTATE, never data."""
    state = sqlstate_of(error)
    return f"{type(driver_error(error)).__name__}{f' {state}' if state else ''}"


def is_unavailable(error: BaseException) -> bool:
    """Whether the call may succeed when it is repeated, with nothing mended by us."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(is_unavailable, error.exceptions))
    if isinstance(error, UnavailableError | PoolTimeoutError):
        return True
    if isinstance(driver_error(error), asyncpg.InvalidCachedStatementError):
        return True  # the tables have changed under a prepared statement, which is now forgotten
    return sqlstate_of(error) in BUSY or makes_unfit(error)


def makes_unfit(error: BaseException) -> bool:
    """Whether no session that is open now should be used again."""
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
