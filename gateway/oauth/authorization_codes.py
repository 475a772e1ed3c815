"""Pushed requests and authorization codes in the database; a request is taken once.

A reused code revokes its tokens: `grants`, `store`.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.identity.interactions import Interaction
from gateway.identity.tables import InteractionRow
from gateway.oauth.tables import AuthorizationCodeRow, PushedRequestRow
from gateway.signing.keyed_digests import KeyedDigests

LIFETIME: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequest:
    """A stored pushed request."""

    digest: bytes
    client_id: str
    parameters: dict[str, Any]
    dpop_jkt: str | None
    x5t_s256: str | None


_COLUMNS: Final = (
    col(PushedRequestRow.digest),
    col(PushedRequestRow.client_id),
    col(PushedRequestRow.parameters),
    col(PushedRequestRow.dpop_jkt),
    col(PushedRequestRow.x5t_s256),
)


async def pushed_request(
    connection: AsyncConnection,
    digest: bytes,
    client_id: str,
    *,
    now: datetime,
) -> PushedRequest | None:
    """This client's undecided, unexpired request; reading it does not take it."""
    decided = select(col(InteractionRow.digest)).where(
        col(InteractionRow.request_digest) == digest,
        col(InteractionRow.decided_at).is_not(None),
    )
    found = await connection.execute(
        select(*_COLUMNS).where(
            col(PushedRequestRow.digest) == digest,
            col(PushedRequestRow.client_id) == client_id,
            col(PushedRequestRow.expires_at) > now,
            ~decided.exists(),
        ),
    )
    row = found.mappings().one_or_none()
    return None if row is None else PushedRequest(**row)


async def take_pushed_request(connection: AsyncConnection, digest: bytes) -> PushedRequest | None:
    """Delete and return a request; a second call finds none."""
    taken = await connection.execute(
        delete(PushedRequestRow).where(col(PushedRequestRow.digest) == digest).returning(*_COLUMNS),
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
    code = secrets.token_urlsafe(32)
    await connection.execute(
        insert(AuthorizationCodeRow).values(
            digest=digests.of("code", code),
            client_id=pushed.client_id,
            redirect_uri=pushed.parameters["redirect_uri"],
            scope=pushed.parameters["scope"],
            code_challenge=pushed.parameters["code_challenge"],
            dpop_jkt=pushed.dpop_jkt,
            x5t_s256=pushed.x5t_s256,
            consent_id=interaction.consent_id,
            uscc=interaction.uscc,
            subject=interaction.subject,
            expires_at=now + LIFETIME,
        )
    )
    return code


def origin_of(redirect_uri: str) -> str:
    """The origin of a redirect address: scheme, host and port."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"


def with_parameters(redirect_uri: str, parameters: dict[str, str | None]) -> str:
    """The redirect address with the response's parameters appended."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{query}"
