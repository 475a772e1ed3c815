"""A change of legal representative ends what the one before had passed on, in the same transaction.

Consents go on: they are the enterprise's. They are laid before the new one, to keep or to withdraw.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Consent, Status, status_at
from gateway.identity.delegations import CHANGED
from gateway.identity.tables import ConsentKeptRow, RepresentativeChangeRow

# What was decided while the change was on its way is asked about too; to keep it costs two taps.
ON_ITS_WAY: Final = timedelta(minutes=10)

_CHANGED: Final = f"""
WITH changed(uscc) AS ({{changed}}),
noted AS (
    INSERT INTO representative_change (uscc, changed_at)
    SELECT uscc, CAST(:now AS timestamptz) FROM changed
    ON CONFLICT (uscc) DO UPDATE
       SET changed_at = greatest(representative_change.changed_at, excluded.changed_at))
UPDATE delegation AS d SET ended_at = CAST(:now AS timestamptz), ended_by = '{CHANGED}'
  FROM changed AS c WHERE d.uscc = c.uscc AND d.ended_at IS NULL"""  # noqa: S608  # constants


def ends_with(changed: str) -> str:
    """The statement to run when the query `changed` gives the USCCs with a new representative.

    Parameter `:now`, and those of the query.
    """
    return _CHANGED.format(changed=changed)


async def changed_at(connection: AsyncConnection, uscc: str) -> datetime | None:
    """When the legal representative last changed, if ever."""
    found = await connection.execute(
        select(col(RepresentativeChangeRow.changed_at)).where(
            col(RepresentativeChangeRow.uscc) == uscc
        )
    )
    return found.scalar_one_or_none()


async def to_confirm(
    connection: AsyncConnection, uscc: str, held: Iterable[Consent], *, now: datetime
) -> list[Consent]:
    """Those running consents that a predecessor gave and the new representative has not kept."""
    since = await changed_at(connection, uscc)
    if since is None:
        return []
    kept = await connection.execute(
        select(col(ConsentKeptRow.consent_id)).where(
            col(ConsentKeptRow.uscc) == uscc, col(ConsentKeptRow.kept_at) >= since
        )
    )
    done = set(kept.scalars())
    return [
        each
        for each in held
        if each.consent_id not in done and is_a_predecessors(each, since, now=now)
    ]


def is_a_predecessors(of: Consent, since: datetime, *, now: datetime) -> bool:
    """Whether it runs and was decided before, or while, the representative changed."""
    return (
        status_at(of, now) in {Status.ACTIVE, Status.PAUSED}
        and of.decided_at is not None
        and of.decided_at < since + ON_ITS_WAY
    )
