"""Queries of own credit reports. A locator table maps a report's id to its enterprise's shard."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.credit_reports.model import StoredReport
from gateway.credit_reports.tables import CreditReportLocatorRow, CreditReportRow
from gateway.creditfile.file_query import read_file
from gateway.creditfile.records import Enterprise, Record
from gateway.disclosure.tables import DisclosureRow

DAY: Final = timedelta(days=1)
KIND: Final = "report"
"""Kind of the disclosures that are openings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCounts:
    """Numbers of an enterprise's reports: living ones, and all those made within 24 hours."""

    living: int
    made_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """Openings of a report: their number, and the time of the last."""

    times: int
    last: datetime


_COLUMNS: Final = tuple(
    col(getattr(CreditReportRow, name)) for name in StoredReport.__dataclass_fields__
)
_ID: Final = col(CreditReportRow.report_id)


async def insert_report(
    connection: AsyncConnection, report: StoredReport, *, actor: str, token_digest: bytes
) -> None:
    """Store a new report."""
    locator = {
        "report_id": report.report_id,
        "uscc": report.uscc,
        "valid_until": report.valid_until,
    }
    values = {name: getattr(report, name) for name in StoredReport.__dataclass_fields__}
    await connection.execute(insert(CreditReportLocatorRow).values(locator))
    await connection.execute(
        insert(CreditReportRow).values(
            values
            | {
                "digests": list(report.digests),
                "created_by": actor,
                "created_token_digest": token_digest,
            }
        )
    )


async def find_report(
    connection: AsyncConnection, report_id: str, *, locked: bool = False
) -> StoredReport | None:
    """The report with this id; if `locked`, it is not taken back before the transaction ends."""
    located = await connection.execute(
        select(col(CreditReportLocatorRow.uscc)).where(
            col(CreditReportLocatorRow.report_id) == report_id
        )
    )
    uscc = located.scalar_one_or_none()
    wanted = select(*_COLUMNS).where(
        col(CreditReportRow.uscc) == (uscc or ""), col(CreditReportRow.report_id) == report_id
    )
    found = await connection.execute(wanted.with_for_update(read=True) if locked else wanted)
    row = found.one_or_none()
    return None if row is None else _report(row._asdict())


async def list_reports(connection: AsyncConnection, uscc: str, *, limit: int) -> list[StoredReport]:
    """The newest reports of an enterprise."""
    found = await connection.execute(
        select(*_COLUMNS)
        .where(col(CreditReportRow.uscc) == uscc)
        .order_by(col(CreditReportRow.created_at).desc(), _ID)
        .limit(limit)
    )
    return [_report(row._asdict()) for row in found]


async def recipients(
    connection: AsyncConnection, uscc: str, report_ids: Collection[str]
) -> dict[str, bytes | None]:
    """The encrypted recipients of those of these ids that are reports of the enterprise."""
    found = await connection.execute(
        select(_ID, col(CreditReportRow.recipient)).where(
            col(CreditReportRow.uscc) == uscc, _ID.in_(sorted(report_ids))
        )
    )
    return {row.report_id: row.recipient for row in found}


async def count_reports(connection: AsyncConnection, uscc: str, *, now: datetime) -> ReportCounts:
    """The numbers of an enterprise's reports that limits apply to."""
    is_living = and_(
        col(CreditReportRow.taken_back_at).is_(None), col(CreditReportRow.valid_until) > now
    )
    found = await connection.execute(
        select(
            func.count().filter(is_living).label("living"),
            func.count().filter(col(CreditReportRow.created_at) > now - DAY).label("made_today"),
        ).where(col(CreditReportRow.uscc) == uscc)
    )
    return ReportCounts(**found.one()._asdict())


async def take_back(
    connection: AsyncConnection,
    uscc: str,
    report_id: str,
    *,
    actor: str,
    token_digest: bytes,
    now: datetime,
) -> bool:
    """Take a report back and delete its file; `False` if it was taken back before."""
    changed = await connection.execute(
        update(CreditReportRow)
        .where(
            col(CreditReportRow.uscc) == uscc,
            col(CreditReportRow.report_id) == report_id,
            col(CreditReportRow.taken_back_at).is_(None),
        )
        .values(
            file=None, taken_back_at=now, taken_back_by=actor, taken_back_token_digest=token_digest
        )
        .returning(_ID)
    )
    return changed.scalar_one_or_none() is not None


async def add_digest(connection: AsyncConnection, uscc: str, report_id: str, digest: str) -> None:
    """Remember the digest of a file that was issued, once."""
    digests = col(CreditReportRow.digests)
    await connection.execute(
        update(CreditReportRow)
        .where(
            col(CreditReportRow.uscc) == uscc,
            col(CreditReportRow.report_id) == report_id,
            func.array_position(digests, digest).is_(None),
        )
        .values(digests=func.array_append(digests, digest))
    )


async def openings(
    connection: AsyncConnection, uscc: str, report_ids: Collection[str]
) -> dict[str, Openings]:
    """Openings of these reports, of those that were opened."""
    found: CursorResult[Any] = await connection.execute(
        select(
            col(DisclosureRow.client_id).label("report_id"),
            func.count().label("times"),
            func.max(col(DisclosureRow.at)).label("last"),
        )
        .where(
            col(DisclosureRow.uscc) == uscc,
            col(DisclosureRow.kind) == KIND,
            col(DisclosureRow.client_id).in_(sorted(report_ids)),
        )
        .group_by(col(DisclosureRow.client_id))
    )
    return {row.report_id: Openings(times=row.times, last=row.last) for row in found}


async def read_whole_file(
    connection: AsyncConnection, uscc: str, datasets: Collection[str]
) -> tuple[Enterprise | None, tuple[Record, ...]]:
    """The enterprise, if there is one, and its records of these datasets."""
    return await read_file(connection, uscc, [*datasets]) or (None, ())


def _report(row: dict[str, object]) -> StoredReport:
    return StoredReport(**{**row, "digests": tuple(row["digests"])})  # type: ignore[arg-type]
