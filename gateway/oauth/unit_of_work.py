"""What a request reads of its client and writes of its assertion and its token.

In a transaction each is done when it is asked for. Where a grant rests on nothing else, the client
was read before, and all that is written is one statement at the end, which is a transaction by
itself: no token without its assertion spent, and a spent one stays spent if the rest is refused.
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
from gateway.db.statements import Statement
from gateway.oauth.errors import OAuthError, used_before
from gateway.oauth.tables import AccessTokenRow, AssertionRow

_SPEND: Final = (
    postgresql.insert(AssertionRow).on_conflict_do_nothing().returning(col(AssertionRow.jti))
)
_KEEP: Final = insert(AccessTokenRow)

# Of many at once the primary key lets one through; the others write nothing and get no row.
_SPENT: Final = """
    INSERT INTO assertion_jti (client_id, jti, expires_at)
    VALUES (CAST(:client_id AS text), CAST(:assertion AS text), CAST(:forgotten_at AS timestamptz))
    ON CONFLICT DO NOTHING RETURNING client_id"""
SPEND: Final = Statement(_SPENT)
SPEND_AND_KEEP: Final = Statement(f"""
    WITH spent AS ({_SPENT})
    INSERT INTO access_token (jti, client_id, scope, uscc, consent_id, code_digest, expires_at)
    SELECT CAST(:jti AS text), spent.client_id, CAST(:scope AS text), CAST(:uscc AS text),
           CAST(:consent_id AS text), CAST(:code_digest AS bytea), CAST(:expires_at AS timestamptz)
    FROM spent RETURNING jti""")  # noqa: S608  # constants only


class NoTransactionError(RuntimeError):
    """A grant asked for a transaction where none is: a fault in the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A client assertion's `jti`, and until when it must stay known."""

    client_id: str
    jti: str
    forgotten_at: datetime


class UnitOfWork(Protocol):
    """Where one request is written down."""

    @property
    def connection(self) -> Connection:
        """The request's transaction; raises `NoTransactionError` where there is none."""
        ...

    def client(self, client_id: str) -> Client | None:
        """The client that was read for this request, if it has this id."""
        ...

    def spend(self, assertion: Assertion) -> bool:
        """Use an assertion up; False if it is known to have been used before."""
        ...

    def count(self, counting: "Counting") -> None:
        """Have the request counted, now that its client has proven itself."""
        ...

    def keep(self, token: Mapping[str, Any]) -> None:
        """Write an access token down, by the names of its columns."""
        ...


# Counts a request, or raises `OAuthError`. It is told the assertion where that is not spent yet; what
# comes with one that was seen before is not counted, and the answer is False.
Counting = Callable[[Assertion | None], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class InTransaction:
    """Everything at once, on the transaction's connection."""

    connection: Connection
    found: Client | None

    def client(self, client_id: str) -> Client | None:
        """See `UnitOfWork`."""
        return _of_this_id(self.found, client_id)

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

    def keep(self, token: Mapping[str, Any]) -> None:
        """See `UnitOfWork`."""
        self.connection.execute(_KEEP, dict(token))


@dataclass(slots=True)
class AtTheEnd:
    """Noted first, and written by `close`: until then nothing may leave."""

    found: Client | None
    _assertion: Assertion | None = None
    _counting: Counting | None = None
    _token: Mapping[str, Any] | None = None

    @property
    def connection(self) -> Connection:
        """There is none."""
        raise NoTransactionError

    def client(self, client_id: str) -> Client | None:
        """See `UnitOfWork`."""
        return _of_this_id(self.found, client_id)

    def spend(self, assertion: Assertion) -> bool:
        """Whether it was used before turns out in `close`."""
        self._assertion = assertion
        return True

    def count(self, counting: Counting) -> None:
        """See `UnitOfWork`."""
        self._counting = counting

    def keep(self, token: Mapping[str, Any]) -> None:
        """See `UnitOfWork`."""
        if self._assertion is None or self._assertion.client_id != token["client_id"]:
            raise NoTransactionError  # nobody has proven to be this client
        self._token = token

    async def close(self, hot: HotDatabase) -> None:
        """Count, write and commit what was noted; raises `OAuthError`, and then keeps no token."""
        if self._assertion is None:
            return
        try:
            if self._counting is None:
                raise NoTransactionError  # nobody comes uncounted
            unseen = await self._counting(self._assertion)
        except OAuthError:  # over its count, and spent all the same
            await self._written(hot, self._assertion, None)
            raise
        if not unseen or not await self._written(hot, self._assertion, self._token):
            raise used_before()

    @staticmethod
    async def _written(
        hot: HotDatabase, assertion: Assertion, token: Mapping[str, Any] | None
    ) -> bool:
        spent = {
            "client_id": assertion.client_id,
            "assertion": assertion.jti,
            "forgotten_at": assertion.forgotten_at,
        }
        if token is None:
            return await hot.row(SPEND, spent) is not None
        return await hot.row(SPEND_AND_KEEP, {**token, **spent}) is not None


def _of_this_id(found: Client | None, client_id: str) -> Client | None:
    return found if found and found.client_id == client_id else None
