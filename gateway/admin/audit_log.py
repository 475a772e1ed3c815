"""Audit log of operators' acts: each is written in the act's transaction, with a log leaf.

The transparency log has salted hashes only; with an act's row and salt anyone can verify it.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin.operators import Operator
from gateway.clients.tables import OperatorActRow
from gateway.disclosure.ids import new_id
from gateway.disclosure.tables import PendingLeafRow
from gateway.transparency.disclosure_leaf import SALT_BYTES

NO_ENTERPRISE: Final = ""
_TABLE: Final = OperatorActRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it


@dataclass(frozen=True, slots=True, kw_only=True)
class ActContext:
    """The context of one act: its transaction, operator and time, and the catalogue's datasets."""

    connection: AsyncConnection
    operator: Operator
    now: datetime
    datasets: tuple[str, ...]


async def record(
    context: ActContext,
    what: str,
    *,
    client_id: str = "",
    subject: str | None = None,
    before: bytes | None = None,
    after: bytes | None = None,
) -> None:
    """Write an act, on a client or none, with digests of what it changed, before and after."""
    salt = secrets.token_bytes(SALT_BYTES)
    row = {
        "act_id": new_id("act"),
        "operator": context.operator.credential,
        "operator_name": context.operator.name,
        "what": what,
        "client_id": client_id,
        "subject": subject,
        "before": before,
        "after": after,
        "at": context.now,
    }
    leaf = leaf_hash(row, salt)
    await context.connection.execute(insert(_TABLE).values(**row, salt=salt, leaf_hash=leaf))
    await context.connection.execute(
        insert(PendingLeafRow).values(
            uscc=NO_ENTERPRISE, disclosure_id=row["act_id"], leaf_hash=leaf, at=context.now
        )
    )


def leaf_hash(row: Mapping[str, Any], salt: bytes) -> bytes:
    """The leaf hash, H(salt ‖ canonical row): sorted keys, UTC, digests in hexadecimal."""
    canonical = {
        **row,
        "before": _hex(row["before"]),
        "after": _hex(row["after"]),
        "at": row["at"].astimezone(UTC).isoformat(),
    }
    return hashlib.sha256(salt + orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS)).digest()


async def find_acts(
    connection: AsyncConnection, *, client_id: str | None, before: datetime | None, limit: int
) -> list[dict[str, Any]]:
    """Acts, the newest first, by client and before a time if given."""
    asked = select(_TABLE).order_by(_TABLE.c.at.desc(), _TABLE.c.act_id).limit(limit)
    if client_id is not None:
        asked = asked.where(_TABLE.c.client_id == client_id)
    if before is not None:
        asked = asked.where(_TABLE.c.at < before)
    return [dict(row) for row in (await connection.execute(asked)).mappings()]


def _hex(digest: bytes | None) -> str | None:
    return digest.hex() if digest is not None else None
