"""Bulk issue for a division: one code for each enterprise in business that has none valid.

Pages in the order of the USCC, one transaction each. A batch's codes are found again by its id, so
that a run that ended goes on: no enterprise gets two, and none is missing from the batch's file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, any_, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.codes.bulk.names import Unsigned, sign_names
from gateway.codes.bulk.signs import given_signs
from gateway.codes.ids import PHRASE_BYTES, phrase_from
from gateway.codes.model import Code, Registration
from gateway.codes.service import OPERATING
from gateway.codes.store import REGISTERED, code_id_of, new_randomness
from gateway.codes.tables import CodeBatchRow, CodeLocatorRow, CodeRow
from gateway.creditfile.tables import enterprise
from gateway.db.column_types import Texts
from gateway.disclosure.ids import new_id
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note_each

PAGE: Final = 1_000
_FIELDS: Final = tuple(Code.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One bulk issue: a division (a prefix of codes by GB/T 2260), and the file for the printer."""

    batch_id: str
    division: str
    label: str
    expires_at: datetime | None = None
    file: str
    issued_by: str
    started_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Codes in the order of the USCC; `end` is the USCC from which to go on, `None` after the last page."""

    codes: list[Code]
    skipped: dict[str, Unsigned]
    """Enterprises whose registered name is on no sign, by USCC."""
    enterprises: int
    end: str | None


async def find_batch(connection: AsyncConnection, file: str) -> Batch | None:
    """The newest batch that was written to `file`."""
    columns = (col(getattr(CodeBatchRow, name)) for name in Batch.__dataclass_fields__)
    found = await connection.execute(
        select(*columns)
        .where(col(CodeBatchRow.file) == file)
        .order_by(col(CodeBatchRow.started_at).desc())
        .limit(1)
    )
    row = found.one_or_none()
    return Batch(**row._asdict()) if row else None


async def begin_batch(
    connection: AsyncConnection,
    *,
    division: str,
    label: str,
    expires_at: datetime | None,
    file: str,
    actor: str,
    now: datetime,
) -> Batch:
    """Store a new batch."""
    batch = Batch(
        batch_id=new_id("bat"),
        division=division,
        label=label,
        expires_at=expires_at,
        file=file,
        issued_by=actor,
        started_at=now,
    )
    values = {name: getattr(batch, name) for name in Batch.__dataclass_fields__}
    await connection.execute(insert(CodeBatchRow).values(values))
    return batch


async def finish_batch(connection: AsyncConnection, batch: Batch, *, now: datetime) -> None:
    """Mark a batch as finished; no code is added to it afterwards."""
    await connection.execute(
        update(CodeBatchRow)
        .where(col(CodeBatchRow.batch_id) == batch.batch_id)
        .values(finished_at=now)
    )


async def count_enterprises(connection: AsyncConnection, batch: Batch, *, after: str) -> int:
    """The number of enterprises in business in the division, after the USCC `after`."""
    page = _in_business(batch, after).with_only_columns(func.count())
    return int((await connection.execute(page)).scalar_one())


async def count_without_code(connection: AsyncConnection, batch: Batch, *, now: datetime) -> int:
    """The number of enterprises in business in the division that have no valid code."""
    held = select(col(CodeRow.uscc)).where(col(CodeRow.uscc) == enterprise.c.uscc, _is_valid(now))
    lacking = _in_business(batch, "").where(~held.exists()).with_only_columns(func.count())
    return int((await connection.execute(lacking)).scalar_one())


async def batch_exists(connection: AsyncConnection, batch_id: str) -> bool:
    """True if there is a batch of this id."""
    found = await connection.execute(
        select(col(CodeBatchRow.batch_id)).where(col(CodeBatchRow.batch_id) == batch_id)
    )
    return found.one_or_none() is not None


async def issue_page(
    connection: AsyncConnection,
    batch: Batch,
    *,
    after: str,
    signs: AsyncConnection | None = None,
    now: datetime,
    limit: int = PAGE,
) -> Page:
    """The batch's codes of the next enterprises after `after`, issued where they are not yet.

    `signs` is the session that has loaded sign names. A finished batch gets no further codes: those that
    it has are read again.
    """
    stored = await _stored_codes(connection, batch, after=after, limit=limit)
    found: Sequence[Any] = ()
    if batch.finished_at is None:
        page = _in_business(batch, after).order_by(enterprise.c.uscc).limit(limit)
        found = (await connection.execute(page)).all()
    ends = [rows[-1].uscc for rows in (stored, found) if len(rows) == limit]
    end = min(ends, default=None)
    rows = [row for row in found if end is None or row.uscc <= end]
    codes = [code for code in stored if end is None or code.uscc <= end]
    taken = await _usccs_with_code(connection, batch, [row.uscc for row in rows], now)
    lacking = [row for row in rows if row.uscc not in taken]
    usccs = [row.uscc for row in lacking]
    given = await given_signs(signs, usccs) if signs is not None else {}
    found_names = await sign_names(connection, usccs, given, now=now) if lacking else {}
    skipped = {u: name for u, name in found_names.items() if isinstance(name, Unsigned)}
    names = {u: name for u, name in found_names.items() if not isinstance(name, Unsigned)}
    issued = [_new(row, names, batch, now) for row in lacking if row.uscc in names]
    if issued:
        await _insert(connection, issued)
        await note_each(connection, NoticeKind.CODE_ISSUED, names, now=now)
    codes = sorted([*codes, *issued], key=lambda each: each.uscc)
    return Page(codes=codes, skipped=skipped, enterprises=len(rows), end=end)


async def revoke_page(
    connection: AsyncConnection, batch_id: str, *, actor: str, now: datetime, limit: int = PAGE
) -> int:
    """Revoke some of a batch's codes; the number of those revoked, 0 when none is left."""
    is_open = and_(col(CodeRow.batch_id) == batch_id, col(CodeRow.revoked_at).is_(None))
    found = await connection.execute(select(col(CodeRow.uscc)).where(is_open).limit(limit))
    usccs = found.scalars().all()
    if not usccs:
        return 0
    done = await connection.execute(
        update(CodeRow)
        .where(is_open, col(CodeRow.uscc) == any_(literal(list(usccs), Texts)))
        .values(revoked_at=now, revoked_by=actor)
    )
    await note_each(connection, NoticeKind.CODE_REVOKED, set(usccs), now=now)
    return done.rowcount


def _in_business(batch: Batch, after: str) -> Select[Any]:
    """The enterprises in business of the batch's division after `after`."""
    table = enterprise.c
    return select(table.uscc, *REGISTERED).where(
        table.uscc > after,
        table.division.startswith(batch.division, autoescape=True),
        table.status.in_(sorted(OPERATING)),
    )


async def _stored_codes(
    connection: AsyncConnection, batch: Batch, *, after: str, limit: int
) -> list[Code]:
    """The batch's next codes that are not revoked."""
    found = await connection.execute(
        select(*(col(getattr(CodeRow, name)) for name in Code.__dataclass_fields__))
        .where(
            col(CodeRow.batch_id) == batch.batch_id,
            col(CodeRow.uscc) > after,
            col(CodeRow.revoked_at).is_(None),
        )
        .order_by(col(CodeRow.uscc))
        .limit(limit)
    )
    return [Code(**row._asdict()) for row in found]


def _is_valid(now: datetime) -> ColumnElement[bool]:
    return and_(
        col(CodeRow.revoked_at).is_(None),
        or_(col(CodeRow.expires_at).is_(None), col(CodeRow.expires_at) > now),
    )


async def _usccs_with_code(
    connection: AsyncConnection, batch: Batch, usccs: Sequence[str], now: datetime
) -> set[str]:
    """Those of the enterprises that have a valid code, or had one of this batch."""
    found = await connection.execute(
        select(col(CodeRow.uscc)).where(
            col(CodeRow.uscc) == any_(literal(list(usccs), Texts)),
            or_(_is_valid(now), func.coalesce(col(CodeRow.batch_id), "") == batch.batch_id),
        )
    )
    return set(found.scalars())


def _new(row: Any, names: Mapping[str, str], batch: Batch, now: datetime) -> Code:
    """A code whose sign has the registered name."""
    randomness = new_randomness()
    registration = Registration(**{n: getattr(row, n) for n in Registration.__dataclass_fields__})
    return Code(
        uscc=row.uscc,
        code_id=code_id_of(randomness),
        sign_name=names[row.uscc],
        label=batch.label,
        check_phrase=phrase_from(randomness[-PHRASE_BYTES:]),
        printed_name=registration.printed_name,
        printed_division=row.division,
        issued_at=now,
        issued_by=batch.issued_by,
        expires_at=batch.expires_at,
        batch_id=batch.batch_id,
    )


async def _insert(connection: AsyncConnection, codes: Sequence[Code]) -> None:
    """Insert codes and their locators by COPY."""
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise RuntimeError("The connection was closed.")
    await driver.copy_records_to_table(
        CodeLocatorRow.__tablename__,
        records=[(code.code_id, code.uscc) for code in codes],
        columns=("code_id", "uscc"),
    )
    await driver.copy_records_to_table(
        CodeRow.__tablename__,
        records=[tuple(getattr(code, name) for name in _FIELDS) for code in codes],
        columns=_FIELDS,
    )
