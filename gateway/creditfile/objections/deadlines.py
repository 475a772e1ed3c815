"""What is due: every objection that somebody must act on within some working days, late ones too."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import store
from gateway.creditfile.objections.model import Objection, Status
from gateway.creditfile.working_days import working_days_after


def until(today: date, within: int) -> date:
    """The last day that is at most `within` working days away; 0 means today."""
    return working_days_after(today, within).day if within else today


async def due(connection: AsyncConnection, *, within: int | None, now: datetime) -> list[Objection]:
    """What the source or the reviewer owes, the longest overdue first; `None`: whenever it is due.

    What only waits for an enterprise that may still ask for a review is nobody's debt.
    """
    last = None if within is None else until(day_of(now), within)
    found = await store.not_closed(connection, due_until=last)
    return [each for each in found if each.status is not Status.DECIDED]
