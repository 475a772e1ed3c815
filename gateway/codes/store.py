"""Enterprise code queries. A locator table maps a code id to its enterprise's shard."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.codes.ids import PHRASE_BYTES, RANDOM_BYTES, code_id_from, phrase_from
from gateway.codes.tables import CodeLocatorRow, CodeRow
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.file_query import NEEDED, context_values, enterprise_json, records_json
from gateway.creditfile.tables import enterprise
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An enterprise code, printed on one sticker."""

    uscc: str
    code_id: str
    sign_name: str
    check_phrase: str
    issued_at: datetime
    revoked_at: datetime | None = None


_COLUMNS: Final = tuple(col(getattr(CodeRow, name)) for name in Code.__dataclass_fields__)

_LOCATE: Final = Statement(
    "SELECT uscc FROM enterprise_code_locator WHERE code_id = CAST(:code_id AS text)",
)
_READ: Final = Statement(f"""
SELECT c.uscc, c.code_id, c.sign_name, c.check_phrase, c.issued_at, c.revoked_at,
       {enterprise_json()} AS enterprise, {records_json(condition=NEEDED)} AS records
  FROM enterprise_code AS c
 WHERE c.uscc = CAST(:uscc AS text) AND c.code_id = CAST(:code_id AS text)
""")  # noqa: S608  # only constants are put together


async def issue(connection: AsyncConnection, uscc: str, sign_name: str, *, now: datetime) -> Code:
    """Issue a code for one sign of an enterprise."""
    code = Code(
        uscc=uscc,
        code_id=code_id_from(secrets.token_bytes(RANDOM_BYTES)),
        sign_name=sign_name,
        check_phrase=phrase_from(secrets.token_bytes(PHRASE_BYTES)),
        issued_at=now,
    )
    await connection.execute(insert(CodeLocatorRow).values(code_id=code.code_id, uscc=uscc))
    await connection.execute(
        insert(CodeRow).values(
            {name: getattr(code, name) for name in Code.__dataclass_fields__},
        )
    )
    return code


async def revoke(
    connection: AsyncConnection,
    uscc: str,
    code_id: str,
    *,
    actor: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """Revoke one code and record the actor; `False` if there is no such valid code."""
    revoked = await connection.execute(
        update(CodeRow)
        .where(
            col(CodeRow.uscc) == uscc,
            col(CodeRow.code_id) == code_id,
            col(CodeRow.revoked_at).is_(None),
        )
        .values(revoked_at=now, revoked_by=actor, revoked_token_digest=token_digest)
        .returning(col(CodeRow.code_id)),
    )
    return revoked.scalar_one_or_none() is not None


async def list_codes(connection: AsyncConnection, uscc: str) -> list[Code]:
    """The codes of an enterprise, valid ones first, newest first."""
    found = await connection.execute(
        select(*_COLUMNS)
        .where(col(CodeRow.uscc) == uscc)
        .order_by(
            col(CodeRow.revoked_at).is_not(None),
            col(CodeRow.issued_at).desc(),
            col(CodeRow.code_id),
        ),
    )
    return [Code(**row._asdict()) for row in found]


async def find_code(connection: AsyncConnection, code_id: str) -> Code | None:
    """The code with this id: two queries, each on one shard."""
    located = await connection.execute(
        select(col(CodeLocatorRow.uscc)).where(col(CodeLocatorRow.code_id) == code_id),
    )
    uscc = located.scalar_one_or_none()
    if uscc is None:
        return None
    found = await connection.execute(
        select(*_COLUMNS).where(col(CodeRow.uscc) == uscc, col(CodeRow.code_id) == code_id),
    )
    row = found.one_or_none()
    return Code(**row._asdict()) if row else None


async def enterprise_name(connection: AsyncConnection, uscc: str) -> str | None:
    """The registered name of an enterprise."""
    found = await connection.execute(select(enterprise.c.name).where(enterprise.c.uscc == uscc))
    return found.scalar_one_or_none()


async def read_public_file(
    hot: HotDatabase,
    code_id: str,
    datasets: tuple[str, ...],
    catalogue: Catalogue,
    *,
    now: datetime,
) -> Mapping[str, Any] | None:
    """The code, its enterprise and its records of `datasets`; `None` if the code is unknown."""
    located = await hot.row(_LOCATE, {"code_id": code_id})
    if located is None:
        return None
    values = {"uscc": located["uscc"], "code_id": code_id, "datasets": list(datasets), "now": now}
    return await hot.row(_READ, {**values, **context_values(catalogue, datasets)})
