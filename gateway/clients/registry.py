"""Client registry: a client with its keys and newest agreement, read in one statement.

Nothing is cached: suspending a client or ending an agreement takes effect with the next request.
Fetched keys are valid for an hour, by the database's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import orjson
from sqlalchemy import ARRAY, Connection, Text, insert, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.clients.agreements import Agreement, agreement_from_json, agreement_json
from gateway.clients.authentication_method import DEFAULT_AUTHENTICATION, MEMBERS, Authentication
from gateway.clients.filing import COLUMNS as FILING_COLUMNS
from gateway.clients.filing import Filing
from gateway.clients.key_sets import (
    CLIENT_AND_KEYS,
    HELD_COLUMNS,
    ClaimedSigner,
    ensure_keys,
    fetch_may_help,
)
from gateway.clients.registration import CLIENT_ID, Registration
from gateway.clients.tables import AgreementRow, ClientRow
from gateway.clients.terms import Terms, check_filed, check_licensed
from gateway.db.prepared import HotDatabase
from gateway.db.statements import SetStatement, Statement

_COLUMNS = f"""
    c.client_id, c.kind, c.name_zh, c.name_en, c.state, c.redirect_uris, c.scopes,
    c.personal_credit_licence, {agreement_json("c.client_id")} AS agreement,
    {", ".join(f"c.{name}" for name in (*MEMBERS, *FILING_COLUMNS))},
    CASE WHEN c.jwks_uri IS NULL THEN c.jwks
         WHEN k.fetched_at > now() - interval '1 hour' THEN k.jwks
         ELSE jsonb_build_object('keys', jsonb_build_array()) END AS jwks"""
_FIND = Statement(f"""
    SELECT {_COLUMNS} {CLIENT_AND_KEYS}
    WHERE c.client_id = CAST(:client_id AS text)""").columns(
    jwks=JSONB, redirect_uris=ARRAY(Text), scopes=ARRAY(Text), agreement=JSONB
)
# For an unknown id the row of the nearest one is read: the same work for both.
FIND_SIGNER = SetStatement.lateral(
    f"""
    SELECT {_COLUMNS}, {HELD_COLUMNS} {CLIENT_AND_KEYS}
    WHERE c.client_id = coalesce(
        (SELECT max(n.client_id) FROM client n WHERE n.client_id <= CAST(:client_id AS text)),
        (SELECT min(n.client_id) FROM client n))""",  # noqa: S608  # constants only
    shared=True,
)

_OF_CLIENT: Final = (
    *("client_id", "kind", "name_zh", "name_en", "state", "redirect_uris", "scopes"),
    *("personal_credit_licence", "agreement", "jwks", *MEMBERS, *FILING_COLUMNS),
)
_values_of: Final = itemgetter(*_OF_CLIENT)

_NEXT_VERSION = Statement("""
    SELECT coalesce(max(version), 0) + 1 FROM agreement WHERE client_id = CAST(:client_id AS text)""")


class UnknownClientError(LookupError):
    """There is no such client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client, with its newest agreement."""

    client_id: str
    kind: str
    name_zh: str
    name_en: str
    active: bool
    keys: tuple[dict[str, Any], ...]
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    agreement: Agreement | None
    filing: Filing | None = None
    personal_credit_licence: str | None = None
    authentication: Authentication = DEFAULT_AUTHENTICATION

    def agreement_in_force(self, now: datetime) -> Agreement | None:
        """The agreement, if it is in force at `now`."""
        return self.agreement if self.agreement and self.agreement.in_force(now) else None


def look_up(connection: Connection, client_id: str) -> Client | None:
    """The client of this id, on a synchronous connection."""
    if not CLIENT_ID.fullmatch(client_id):
        return None
    found = connection.execute(_FIND, {"client_id": client_id}).one_or_none()
    if found is None:
        return None
    row = found._asdict()
    return _client(row, jwks=row["jwks"], agreement=row["agreement"])


async def find_signer(
    hot: HotDatabase, claimed: ClaimedSigner, *, now: datetime, loopback: bool
) -> Client | None:
    """The claimed client, its keys fetched first where that is due.

    Timing shows whether there is one only where keys are fetched: once a minute at most.
    """
    row = await hot.submit(FIND_SIGNER, claimed.parameters)
    if row and _may_fetch(row, claimed, now):
        await ensure_keys(hot, claimed, now=now, loopback=loopback)
        row = await hot.submit(FIND_SIGNER, claimed.parameters)
    if row is None:
        return None
    nearest = _client_in(
        tuple(tuple(value) if isinstance(value, list) else value for value in _values_of(row))
    )
    return nearest if nearest.client_id == claimed.client_id else None


@lru_cache(maxsize=1024)
def _client_in(values: tuple[Any, ...]) -> Client:
    """The client in the columns of a signer: they seldom change, and are read for each token."""
    row = dict(zip(_OF_CLIENT, values, strict=True))
    agreement = orjson.loads(row["agreement"]) if row["agreement"] else None
    return _client(row, jwks=orjson.loads(row["jwks"]), agreement=agreement)


def _may_fetch(row: Mapping[str, Any], claimed: ClaimedSigner, now: datetime) -> bool:
    return (
        row["client_id"] == claimed.client_id
        and row["state"] == "active"
        and fetch_may_help(row, now, named=claimed.names_a_key)
    )


def _client(
    row: Mapping[str, Any], *, jwks: Mapping[str, Any], agreement: Mapping[str, Any] | None
) -> Client:
    return Client(
        client_id=row["client_id"],
        kind=row["kind"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        active=row["state"] == "active",
        keys=tuple(jwks["keys"]),
        redirect_uris=tuple(row["redirect_uris"]),
        scopes=tuple(row["scopes"]),
        agreement=agreement_from_json(agreement),
        filing=Filing.of(row),
        personal_credit_licence=row["personal_credit_licence"],
        authentication=Authentication.of(row),
    )


async def find(connection: AsyncConnection, client_id: str) -> Client | None:
    """The client of this id."""
    return await connection.run_sync(look_up, client_id)


async def register_client(
    connection: AsyncConnection, registration: Registration, *, now: datetime
) -> None:
    """Insert a client, active at once; without an agreement it may do nothing."""
    await connection.execute(
        insert(ClientRow).values(**registration.columns(), state="active", created_at=now)
    )


async def put_agreement(connection: AsyncConnection, client_id: str, terms: Terms) -> int:
    """Insert the next version of a client's agreement; the newest version counts.

    Whether it needs a second operator is checked by the caller (`gateway.admin.agreement_service`).
    """
    client = await find(connection, client_id)
    if client is None:
        raise UnknownClientError(client_id)
    check_licensed(client.kind, client.personal_credit_licence, terms)
    check_filed(client.kind, client.filing, terms)
    found = await connection.execute(_NEXT_VERSION, {"client_id": client_id})
    version: int = found.scalar_one()
    values = {**terms.columns(client_id, version), "client_id": client_id, "version": version}
    await connection.execute(insert(AgreementRow).values(values))
    return version


async def end_agreement(connection: AsyncConnection, client_id: str, *, now: datetime) -> None:
    """End every version that has not ended, from the next request on."""
    await connection.execute(
        update(AgreementRow)
        .where(col(AgreementRow.client_id) == client_id, col(AgreementRow.ended_at).is_(None))
        .values(ended_at=now)
    )
