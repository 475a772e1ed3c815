"""Enterprise code queries. A locator table maps a code id to its enterprise's shard."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.codes.ids import PHRASE_BYTES, RANDOM_BYTES, code_id_from, phrase_from
from gateway.codes.model import Code as Code  # noqa: PLC0414  # some import it from here
from gateway.codes.model import Registration
from gateway.codes.tables import CodeLocatorRow, CodeRow
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.file_query import (
    NEEDED,
    context_values,
    enterprise_json,
    enterprise_mark,
    nearly_all_records_json,
    records_mark,
)
from gateway.creditfile.records import INDIVIDUAL_BUSINESS
from gateway.creditfile.tables import enterprise
from gateway.db.prepared import HotDatabase
from gateway.db.statements import SetStatement

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCounts:
    """Numbers of an enterprise's codes: valid ones, and all those issued within 24 hours."""

    valid: int
    issued_today: int


_COLUMNS: Final = tuple(col(getattr(CodeRow, name)) for name in Code.__dataclass_fields__)

REGISTERED: Final = (
    enterprise.c.name,
    enterprise.c.division,
    enterprise.c.status,
    case((enterprise.c.kind == INDIVIDUAL_BUSINESS, enterprise.c.legal_representative)).label(
        "operator"
    ),
)
"""The columns of a `Registration`."""
_LOCATE: Final = SetStatement.lateral(
    "SELECT uscc FROM enterprise_code_locator WHERE code_id = CAST(:code_id AS text)", shared=True
)
_DATASETS: Final = "string_to_array(CAST(:datasets AS text), ',')"  # an array costs the driver more
_CODE_COLUMNS: Final = ", ".join(f"c.{name}" for name in Code.__dataclass_fields__)
_OF_CODE: Final = """FROM enterprise_code AS c
 WHERE c.uscc = CAST(:uscc AS text) AND c.code_id = CAST(:code_id AS text)"""

_LOCATED: Final = """FROM enterprise_code_locator AS l JOIN enterprise_code AS c USING (uscc, code_id)
 WHERE l.code_id = CAST(:code_id AS text)"""


def _mark(**uscc: str) -> str:
    """SQL for the mark of a code's page; `uscc`: SQL of its enterprise, by default the parameter."""
    return f"""concat_ws(' ', c.xmin, {enterprise_mark(**uscc)},
       {records_mark(_DATASETS, **uscc)}) AS mark"""


def _file(**uscc: str) -> str:
    """SQL for the columns of an enterprise and its records."""
    return f"""{enterprise_json(left_out=("personal", "digests"), **uscc)} AS enterprise,
       {nearly_all_records_json(_DATASETS, condition=NEEDED, **uscc)} AS records"""


_READ_MARK: Final = SetStatement.lateral(f"SELECT {_mark()} {_OF_CODE}", shared=True)  # constants
"""Scans of one sticker that are under way together share one reading."""
_READ: Final = SetStatement.lateral(f"SELECT {_CODE_COLUMNS}, {_mark()}, {_file()} {_OF_CODE}")
_FIND_AND_READ: Final = SetStatement.lateral(
    f"SELECT {_CODE_COLUMNS}, {_mark(uscc='c.uscc')}, {_file(uscc='c.uscc')} {_LOCATED}"
)
"""`_LOCATE` and `_READ` in one, where all tables are in one database."""
_READ_FILE: Final = SetStatement.lateral(f"SELECT {_file()}")  # constants


def new_randomness() -> bytes:
    """18 random bytes for the id and the check phrase of a code."""
    return secrets.token_bytes(RANDOM_BYTES + PHRASE_BYTES)


def code_id_of(randomness: bytes) -> str:
    """The id that `new_randomness` determines."""
    return code_id_from(randomness[:RANDOM_BYTES])


async def issue(
    connection: AsyncConnection,
    uscc: str,
    sign_name: str,
    *,
    label: str = "",
    expires_at: datetime | None = None,
    actor: str | None = None,
    token_digest: bytes | None = None,
    randomness: bytes | None = None,
    now: datetime,
) -> Code:
    """Issue a code for one sign of an enterprise, with the registration of this moment.

    `randomness` is 18 bytes for its id and check phrase.
    """
    printed = await find_registration(connection, uscc)
    randomness = randomness or new_randomness()
    code = Code(
        uscc=uscc,
        code_id=code_id_of(randomness),
        sign_name=sign_name,
        label=label,
        check_phrase=phrase_from(randomness[RANDOM_BYTES:]),
        printed_name=printed.printed_name if printed else None,
        printed_division=printed.division if printed else None,
        issued_at=now,
        issued_by=actor,
        expires_at=expires_at,
    )
    await connection.execute(insert(CodeLocatorRow).values(code_id=code.code_id, uscc=uscc))
    values = {name: getattr(code, name) for name in Code.__dataclass_fields__}
    await connection.execute(insert(CodeRow).values(**values, issued_token_digest=token_digest))
    return code


async def revoke(
    connection: AsyncConnection,
    uscc: str,
    code_id: str,
    *,
    actor: str,
    token_digest: bytes | None,
    now: datetime,
    replaced_by: str | None = None,
) -> bool:
    """Revoke one code and record the actor; `False` if it is unknown or was revoked before."""
    revoked = await connection.execute(
        update(CodeRow)
        .where(
            col(CodeRow.uscc) == uscc,
            col(CodeRow.code_id) == code_id,
            col(CodeRow.revoked_at).is_(None),
        )
        .values(
            revoked_at=now,
            revoked_by=actor,
            revoked_token_digest=token_digest,
            replaced_by=replaced_by,
        )
        .returning(col(CodeRow.code_id)),
    )
    return revoked.scalar_one_or_none() is not None


async def list_codes(
    connection: AsyncConnection, uscc: str, *, limit: int | None = None
) -> list[Code]:
    """The codes of an enterprise, those not revoked first, newest first."""
    found = await connection.execute(
        select(*_COLUMNS)
        .where(col(CodeRow.uscc) == uscc)
        .order_by(
            col(CodeRow.revoked_at).is_not(None),
            col(CodeRow.issued_at).desc(),
            col(CodeRow.code_id),
        )
        .limit(limit),
    )
    return [Code(**row._asdict()) for row in found]


async def page_of_codes(
    connection: AsyncConnection, uscc: str, *, after: str, limit: int
) -> list[Code]:
    """A page of an enterprise's codes by id, after the id `after`."""
    found = await connection.execute(
        select(*_COLUMNS)
        .where(col(CodeRow.uscc) == uscc, col(CodeRow.code_id) > after)
        .order_by(col(CodeRow.code_id))
        .limit(limit),
    )
    return [Code(**row._asdict()) for row in found]


async def count_codes(connection: AsyncConnection, uscc: str, *, now: datetime) -> CodeCounts:
    """The numbers of an enterprise's codes that limits apply to."""
    is_open = and_(
        col(CodeRow.revoked_at).is_(None),
        or_(col(CodeRow.expires_at).is_(None), col(CodeRow.expires_at) > now),
    )
    found = await connection.execute(
        select(
            func.count().filter(is_open).label("valid"),
            func.count().filter(col(CodeRow.issued_at) > now - DAY).label("issued_today"),
        ).where(col(CodeRow.uscc) == uscc)
    )
    return CodeCounts(**found.one()._asdict())


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


async def find_registration(connection: AsyncConnection, uscc: str) -> Registration | None:
    """The present registration of an enterprise."""
    found = await connection.execute(select(*REGISTERED).where(enterprise.c.uscc == uscc))
    row = found.one_or_none()
    return Registration(**row._asdict()) if row else None


async def enterprise_name(connection: AsyncConnection, uscc: str) -> str | None:
    """The registered name of an enterprise."""
    found = await find_registration(connection, uscc)
    return found.name if found else None


async def read_mark(
    hot: HotDatabase, code_id: str, uscc: str, datasets: tuple[str, ...]
) -> str | None:
    """The mark of what `read_public_file` would read now; `None` if this enterprise has no such code."""
    values = {"code_id": code_id, "uscc": uscc, "datasets": ",".join(datasets)}
    row = await hot.submit(_READ_MARK, values)
    return row and row["mark"]


async def read_public_file(
    hot: HotDatabase,
    code_id: str,
    datasets: tuple[str, ...],
    catalogue: Catalogue,
    *,
    now: datetime,
    uscc: str | None = None,
) -> Mapping[str, Any] | None:
    """The code, its enterprise and its records of `datasets`; `None` if the code is unknown.

    One statement reads them with their mark, which changes with each of them. `uscc` is the code's
    enterprise, if it is known: in a sharded province it is found first.
    """
    values = {"code_id": code_id, **_file_values(datasets, catalogue, now)}
    if uscc is None and hot.has_sets:  # one database
        return await _row(hot, _FIND_AND_READ, values)
    if uscc is None:
        located = await hot.submit(_LOCATE, {"code_id": code_id})
        if located is None:
            return None
        uscc = located["uscc"]
    return await _row(hot, _READ, {"uscc": uscc, **values})


async def read_file_of(
    hot: HotDatabase,
    uscc: str,
    datasets: tuple[str, ...],
    catalogue: Catalogue,
    *,
    now: datetime,
) -> Mapping[str, Any]:
    """The enterprise (NULL if unknown) and its records of `datasets`, by one statement."""
    row: Mapping[str, Any] | None = await hot.submit(
        _READ_FILE, {"uscc": uscc, **_file_values(datasets, catalogue, now)}
    )
    return row or {"enterprise": None, "records": "[]"}


async def _row(
    hot: HotDatabase, statement: SetStatement, values: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = await hot.submit(statement, values)
    return row


def _file_values(datasets: tuple[str, ...], catalogue: Catalogue, now: datetime) -> dict[str, Any]:
    """Parameters of a statement that reads a file, but its enterprise."""
    return {"now": now, **_dataset_values(catalogue, datasets)}


@derived_table
def _dataset_values(catalogue: Catalogue, datasets: tuple[str, ...]) -> Mapping[str, Any]:
    return {"datasets": ",".join(datasets), **context_values(catalogue, datasets)}
