"""Every act is written in the transaction that does it, with a leaf for the transparency log.

The log shows salted hashes only; with the act's row and salt anybody can check what was done when.
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
from gateway.transparency.log_leaf import SALT_BYTES

OF_NO_ENTERPRISE: Final = ""
_TABLE: Final = OperatorActRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """One operator's transaction: who, when, and which datasets the catalogue has."""

    connection: AsyncConnection
    by: Operator
    now: datetime
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAct:
    """What was done to which client; the digests are of what it changed, before and after."""

    what: str
    client_id: str
    subject: str | None = None
    before: bytes | None = None
    after: bytes | None = None


async def record(at: At, act: OperatorAct) -> str:
    """Write down that `act` was done; gives its id."""
    salt = secrets.token_bytes(SALT_BYTES)
    row = {
        "act_id": new_id("act"),
        "operator": at.by.credential,
        "operator_name": at.by.name,
        "what": act.what,
        "client_id": act.client_id,
        "subject": act.subject,
        "before": act.before,
        "after": act.after,
        "at": at.now,
    }
    leaf = leaf_hash(row, salt)
    await at.connection.execute(insert(_TABLE).values(**row, salt=salt, leaf_hash=leaf))
    await at.connection.execute(
        insert(PendingLeafRow).values(
            uscc=OF_NO_ENTERPRISE, disclosure_id=row["act_id"], leaf_hash=leaf, at=at.now
        )
    )
    return str(row["act_id"])


def leaf_hash(row: Mapping[str, Any], salt: bytes) -> bytes:
    """H(salt ‖ canonical row): sorted keys, UTC, digests in hexadecimal."""
    canonical = {
        **row,
        "before": _hex(row["before"]),
        "after": _hex(row["after"]),
        "at": row["at"].astimezone(UTC).isoformat(),
    }
    return hashlib.sha256(salt + orjson.dumps(canonical, option=orjson.OPT_SORT_KEYS)).digest()


async def acts_after(
    connection: AsyncConnection, *, client_id: str | None, before: datetime | None, limit: int
) -> list[dict[str, Any]]:
    """Acts, the newest first: on one client or on all, older than a moment."""
    asked = select(_TABLE).order_by(_TABLE.c.at.desc(), _TABLE.c.act_id).limit(limit)
    if client_id is not None:
        asked = asked.where(_TABLE.c.client_id == client_id)
    if before is not None:
        asked = asked.where(_TABLE.c.at < before)
    return [dict(row) for row in (await connection.execute(asked)).mappings()]


def _hex(digest: bytes | None) -> str | None:
    return digest.hex() if digest is not None else None
