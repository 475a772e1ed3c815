"""Session of an operator's command: named operator, one transaction, errors as one sentence."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
from rich.console import Console
from rich.status import Status
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.admin.audit_log import ActContext
from gateway.admin.errors import AdminRefusal
from gateway.admin.operators import NAME, Operator
from gateway.cli.exit import fail, file_sentence
from gateway.clients.registration import CLIENT_ID, RegistrationError
from gateway.clients.terms import TermsError
from gateway.creditfile.catalogue.versions import in_force
from gateway.db.engine import own_engine
from gateway.db.unavailable import UnavailableError, name_of
from gateway.limits.quotas import QuotasError
from gateway.settings import DatabaseSettings, SettingsError

T = TypeVar("T")
VARIABLE = "XINQIAO_OPERATOR"


class _RefusedError(Exception):
    """Rolls back the transaction of a refused act."""


def query(question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run a query against the database at XINQIAO_DATABASE_URL."""
    with plain_errors():
        return asyncio.run(_in_transaction(question))


def run_act(verb: Callable[[ActContext], Awaitable[T | AdminRefusal]]) -> T:
    """Run an act of the operator in XINQIAO_OPERATOR; a refused one changes nothing."""
    with plain_errors():
        by = current_operator()

        async def run(connection: AsyncConnection) -> T:
            datasets = (await in_force(connection)).codes
            outcome = await verb(
                ActContext(
                    connection=connection, operator=by, now=datetime.now(UTC), datasets=datasets
                )
            )
            if isinstance(outcome, AdminRefusal):
                raise _RefusedError(outcome.sentence)
            return outcome

        return asyncio.run(_in_transaction(run))


@asynccontextmanager
async def long_work(title: str) -> AsyncIterator[tuple[AsyncEngine, Status]]:
    """An engine and a status line for work on many rows."""
    with Console(stderr=True).status(title) as shown:
        async with own_engine(DatabaseSettings.from_env()) as engine:
            yield engine, shown


def current_operator() -> Operator:
    """The operator named in XINQIAO_OPERATOR."""
    name = os.environ.get(VARIABLE, "")
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"{VARIABLE} is not set. Set it to your own name (1 to 64 of A-Z a-z 0-9 _ . @ -): "
            "every act is written down under it."
        )
    return Operator.at_the_shell(name)


def parse_id(value: str) -> str:
    """An id from the command line."""
    if not CLIENT_ID.fullmatch(value):
        fail("An id has 1 to 64 of A-Z a-z 0-9 _ -.")
    return value


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn expected errors into one sentence and exit."""
    try:
        yield
    except (RegistrationError, TermsError, QuotasError, SettingsError, _RefusedError) as error:
        fail(str(error))
    except ProgrammingError:
        fail("The database lacks what this needs; run `xinqiao-gateway db upgrade` first.")
    except (OSError, DBAPIError, asyncpg.PostgresError, UnavailableError) as error:
        fail(
            file_sentence(error)
            or f"The database at XINQIAO_DATABASE_URL did not do it ({name_of(error)})."
        )


async def _in_transaction(work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async with own_engine(DatabaseSettings.from_env()) as engine, engine.begin() as connection:
        return await work(connection)
