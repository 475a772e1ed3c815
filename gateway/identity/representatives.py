"""Change of an enterprise's legal representative: delegations end, consents are to be confirmed.

Delegations end in the transaction of the change. Consents are the enterprise's and stay active; the
new representative is asked to keep or withdraw them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Consent, Giver, Status, status_at
from gateway.db.statements import Statement
from gateway.identity.delegations import REPRESENTATIVE_CHANGED
from gateway.identity.tables import ConsentKeptRow, RepresentativeChangeRow

# A consent decided while the change was being delivered is to be confirmed too.
DELIVERY_TIME: Final = timedelta(minutes=10)

_RECORD_CHANGES: Final = Statement("""
INSERT INTO representative_change (uscc, changed_at)
SELECT uscc, CAST(:now AS timestamptz) FROM unnest(CAST(:usccs AS text[])) AS changed(uscc)
    ON CONFLICT (uscc) DO UPDATE
   SET changed_at = greatest(representative_change.changed_at, excluded.changed_at)""")
_END_DELEGATIONS: Final = Statement(f"""
UPDATE delegation
   SET ended_at = CAST(:now AS timestamptz), ended_by = '{REPRESENTATIVE_CHANGED}'
 WHERE uscc = ANY(CAST(:usccs AS text[])) AND ended_at IS NULL""")  # noqa: S608  # constants


PREDECESSOR_JSON: Final = f"""
    coalesce((SELECT CAST(held.found ->> 'decided_at' AS timestamptz)
                     < r.changed_at + interval '{DELIVERY_TIME.seconds} seconds'
              FROM representative_change AS r
              WHERE r.uscc = CAST(:uscc AS text)
                AND held.found @> '{{"separate_consents": [{{"giver": "person"}}]}}'), false)"""  # noqa: S608  # constants
"""SQL boolean over `held.found`, a consent's row as jsonb: a predecessor gave separate consent in person."""


def without_predecessors_person(consent: Consent) -> Consent:
    """The consent without the separate consents of a person who is no longer the representative.

    The enterprise's own continue; those that a person gave end with that person (R8a).
    """
    left = tuple(each for each in consent.separate_consents if each.giver is not Giver.PERSON)
    return replace(consent, separate_consents=left)


async def record_changes(
    connection: AsyncConnection, usccs: Sequence[str], *, now: datetime
) -> None:
    """Record the change at these enterprises and end their delegations."""
    for each in (_RECORD_CHANGES, _END_DELEGATIONS):
        await connection.execute(each, {"usccs": list(usccs), "now": now})


async def changed_at(connection: AsyncConnection, uscc: str) -> datetime | None:
    """The time of the last change of the legal representative, if any."""
    found = await connection.execute(
        select(col(RepresentativeChangeRow.changed_at)).where(
            col(RepresentativeChangeRow.uscc) == uscc
        )
    )
    return found.scalar_one_or_none()


async def to_confirm(
    connection: AsyncConnection, uscc: str, consents: Iterable[Consent], *, now: datetime
) -> list[Consent]:
    """The usable consents that a predecessor gave and the present representative has not kept."""
    changed = await changed_at(connection, uscc)
    if changed is None:
        return []
    kept = await connection.execute(
        select(col(ConsentKeptRow.consent_id)).where(
            col(ConsentKeptRow.uscc) == uscc, col(ConsentKeptRow.kept_at) >= changed
        )
    )
    done = set(kept.scalars())
    return [
        each
        for each in consents
        if each.consent_id not in done and is_a_predecessors(each, changed, now=now)
    ]


def is_a_predecessors(consent: Consent, changed: datetime, *, now: datetime) -> bool:
    """True for a usable consent that was decided before, or during, the change."""
    return (
        status_at(consent, now) in {Status.ACTIVE, Status.PAUSED}
        and consent.decided_at is not None
        and consent.decided_at < changed + DELIVERY_TIME
    )
