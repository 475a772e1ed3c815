"""Rows whose key is the digest of a random secret; the secret itself is not stored."""

import secrets
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from gateway.signing.keyed_digests import DigestKind, KeyedDigests


async def insert_keyed(
    connection: AsyncConnection,
    digests: KeyedDigests,
    kind: DigestKind,
    table: type[SQLModel],
    **values: Any,
) -> str:
    """Insert a row under the digest of a new secret of 256 bits; returns the secret."""
    secret = secrets.token_urlsafe(32)
    await connection.execute(insert(table).values(digest=digests.of(kind, secret), **values))
    return secret
