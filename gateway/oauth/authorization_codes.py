"""Pushed requests and authorization codes in the database; a request is taken once.

A reused code revokes its tokens: `grants`, `store`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.identity.interactions import Interaction, decided_interaction
from gateway.identity.keyed_rows import insert_keyed
from gateway.oauth.tables import AuthorizationCodeRow, PushedRequestRow
from gateway.signing.keyed_digests import KeyedDigests

CODE_LIFETIME: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequest:
    """A stored pushed request."""

    digest: bytes
    client_id: str
    parameters: dict[str, Any]
    dpop_jkt: str | None
    x5t_s256: str | None


_COLUMNS: Final = tuple(
    col(getattr(PushedRequestRow, name)) for name in PushedRequest.__dataclass_fields__
)


async def pushed_request(
    connection: AsyncConnection, digest: bytes, client_id: str, *, now: datetime
) -> PushedRequest | None:
    """This client's undecided, unexpired request; reading it does not take it."""
    found = await connection.execute(
        select(*_COLUMNS).where(
            col(PushedRequestRow.digest) == digest,
            col(PushedRequestRow.client_id) == client_id,
            col(PushedRequestRow.expires_at) > now,
            ~decided_interaction(digest).exists(),
        )
    )
    row = found.mappings().one_or_none()
    return None if row is None else PushedRequest(**row)


async def take_pushed_request(connection: AsyncConnection, digest: bytes) -> PushedRequest | None:
    """Delete and return a request; a second call finds none."""
    taken = await connection.execute(
        delete(PushedRequestRow).where(col(PushedRequestRow.digest) == digest).returning(*_COLUMNS)
    )
    row = taken.mappings().one_or_none()
    return None if row is None else PushedRequest(**row)


async def new_code(
    connection: AsyncConnection,
    digests: KeyedDigests,
    pushed: PushedRequest,
    interaction: Interaction,
    *,
    now: datetime,
) -> str:
    """Insert a code for the consent granted in an interaction."""
    return await insert_keyed(
        connection,
        digests,
        "code",
        AuthorizationCodeRow,
        client_id=pushed.client_id,
        redirect_uri=pushed.parameters["redirect_uri"],
        scope=pushed.parameters["scope"],
        code_challenge=pushed.parameters["code_challenge"],
        dpop_jkt=pushed.dpop_jkt,
        x5t_s256=pushed.x5t_s256,
        consent_id=interaction.consent_id,
        uscc=interaction.uscc,
        subject=interaction.subject,
        expires_at=now + CODE_LIFETIME,
    )


def origin_of(redirect_uri: str) -> str:
    """The origin of a redirect address: scheme, host and port."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"


def with_parameters(redirect_uri: str, parameters: dict[str, str | None]) -> str:
    """The redirect address with the response's parameters appended."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{query}"
