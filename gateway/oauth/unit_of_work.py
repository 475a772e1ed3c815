"""Unit of work of one OAuth request: its client, its spent assertion, its stored token.

`TransactionWork` writes at once, in the request's transaction. `DeferredWork` (client credentials)
has the client read before and writes one statement at the end, a transaction by itself: no token
without its assertion spent, and a spent assertion stays spent if the rest is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from gateway.clients.registry import Client
from gateway.db.prepared import HotDatabase
from gateway.db.statements import SetStatement, Statement, calls_as_rows
from gateway.oauth.errors import TooOftenError, used_before
from gateway.oauth.tables import AccessTokenRow, AssertionRow

_SPEND: Final = (
    postgresql.insert(AssertionRow).on_conflict_do_nothing().returning(col(AssertionRow.jti))
)
_STORE: Final = insert(AccessTokenRow)

# The primary key lets one of many concurrent uses through; the others get no row.
_SPENT: Final = """
    INSERT INTO assertion_jti (client_id, jti, expires_at)
    VALUES (CAST(:client_id AS text), CAST(:assertion AS text), CAST(:forgotten_at AS timestamptz))
    ON CONFLICT DO NOTHING RETURNING client_id"""
SPEND: Final = Statement(_SPENT)
_TYPES: Final = {
    "client_id": "text",
    "assertion": "text",
    "forgotten_at": "timestamptz",
    "jti": "text",
    "scope": "text",
    "uscc": "text",
    "consent_id": "text",
    "code_digest": "bytea",
    "expires_at": "timestamptz",
}
SPEND_AND_STORE: Final = SetStatement(
    single=Statement(f"""
        WITH spent AS ({_SPENT})
        INSERT INTO access_token (jti, client_id, scope, uscc, consent_id, code_digest, expires_at)
        SELECT CAST(:jti AS text), spent.client_id, CAST(:scope AS text), CAST(:uscc AS text),
               CAST(:consent_id AS text), CAST(:code_digest AS bytea),
               CAST(:expires_at AS timestamptz)
        FROM spent RETURNING jti"""),  # noqa: S608  # constants only
    many=f"""
        WITH call AS MATERIALIZED (SELECT * FROM {calls_as_rows(_TYPES)}),
        spent AS (
            INSERT INTO assertion_jti (client_id, jti, expires_at)
            SELECT client_id, assertion, forgotten_at FROM call ORDER BY client_id, assertion
            ON CONFLICT DO NOTHING RETURNING client_id, jti),
        stored AS (
            INSERT INTO access_token (
                jti, client_id, scope, uscc, consent_id, code_digest, expires_at)
            SELECT call.jti, call.client_id, call.scope, call.uscc, call.consent_id,
                   call.code_digest, call.expires_at
            FROM call JOIN spent ON spent.client_id = call.client_id AND spent.jti = call.assertion
            RETURNING jti)
        SELECT call.place, stored.jti FROM call JOIN stored USING (jti)""",  # noqa: S608  # constants only
    names=tuple(_TYPES),
    key=("client_id", "assertion"),
)
"""Spend an assertion and store its token. Calls with the same assertion never share a set."""


class NoTransactionError(RuntimeError):
    """A grant used a transaction where there is none: a fault in the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A client assertion's `jti`, and the time until which it is remembered."""

    client_id: str
    jti: str
    forgotten_at: datetime


class UnitOfWork(Protocol):
    """The reads and writes of one request."""

    @property
    def connection(self) -> Connection:
        """The request's transaction; raises `NoTransactionError` where there is none."""
        ...

    def client(self, client_id: str) -> Client | None:
        """The registered client of this id; `None` for any but the one that was read."""
        ...

    def spend(self, assertion: Assertion) -> bool:
        """Spend an assertion; False if it is known to have been used before."""
        ...

    def count(self, counting: "Counting") -> None:
        """Count the request of an authenticated client."""
        ...

    def store_token(self, token: Mapping[str, Any]) -> None:
        """Store an access token, a value by column."""
        ...


# Counts a request, or raises `OAuthError`. Its argument is the assertion if it is not spent yet; a
# request with one that was seen before is not counted: False.
Counting = Callable[[Assertion | None], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class TransactionWork:
    """Reads and writes at once, on the transaction's connection."""

    connection: Connection
    known_client: Client | None

    def client(self, client_id: str) -> Client | None:
        """See `UnitOfWork`."""
        return _with_id(self.known_client, client_id)

    def spend(self, assertion: Assertion) -> bool:
        """See `UnitOfWork`."""
        row = {
            "client_id": assertion.client_id,
            "jti": assertion.jti,
            "expires_at": assertion.forgotten_at,
        }
        return self.connection.execute(_SPEND, row).scalar_one_or_none() is not None

    def count(self, counting: Counting) -> None:
        """See `UnitOfWork`."""
        driver: Any = self.connection.connection.dbapi_connection
        # SQLAlchemy's own way to await something in the middle of a synchronous transaction.
        driver.run_async(lambda _: counting(None))

    def store_token(self, token: Mapping[str, Any]) -> None:
        """See `UnitOfWork`."""
        self.connection.execute(_STORE, dict(token))


@dataclass(slots=True)
class DeferredWork:
    """Writes noted, and executed by `close`; no response may leave before."""

    known_client: Client | None
    _assertion: Assertion | None = None
    _counting: Counting | None = None
    _token: Mapping[str, Any] | None = None

    @property
    def connection(self) -> Connection:
        """Raises `NoTransactionError`."""
        raise NoTransactionError

    def client(self, client_id: str) -> Client | None:
        """See `UnitOfWork`."""
        return _with_id(self.known_client, client_id)

    def spend(self, assertion: Assertion) -> bool:
        """Note the assertion; `close` finds out whether it was used before."""
        self._assertion = assertion
        return True

    def count(self, counting: Counting) -> None:
        """See `UnitOfWork`."""
        self._counting = counting

    def store_token(self, token: Mapping[str, Any]) -> None:
        """See `UnitOfWork`."""
        if self._assertion is None or self._assertion.client_id != token["client_id"]:
            raise NoTransactionError  # no assertion of this client
        self._token = token

    async def close(self, hot: HotDatabase) -> None:
        """Count the request, write and commit; raises `OAuthError`, and then stores no token."""
        if self._assertion is None:
            return
        try:
            if self._counting is None:
                raise NoTransactionError  # every request is counted
            unseen = await self._counting(self._assertion)
        except TooOftenError:  # over its limit: the assertion is spent all the same
            await self._write(hot, self._assertion, None)
            raise
        if not unseen or not await self._write(hot, self._assertion, self._token):
            raise used_before()

    @staticmethod
    async def _write(
        hot: HotDatabase, assertion: Assertion, token: Mapping[str, Any] | None
    ) -> bool:
        spent = {
            "client_id": assertion.client_id,
            "assertion": assertion.jti,
            "forgotten_at": assertion.forgotten_at,
        }
        if token is None:
            return await hot.row(SPEND, spent) is not None
        return await hot.submit(SPEND_AND_STORE, {**token, **spent}) is not None


def _with_id(client: Client | None, client_id: str) -> Client | None:
    return client if client and client.client_id == client_id else None
