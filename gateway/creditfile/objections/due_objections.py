"""Objections due within some working days, overdue ones included."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import store
from gateway.creditfile.objections.model import Objection, Status
from gateway.creditfile.working_days import working_days_after


def last_day_within(today: date, within: int) -> date:
    """Last day that is at most `within` working days away; 0 means today."""
    return working_days_after(today, within).day if within else today


async def due_objections(
    connection: AsyncConnection, *, within: int | None, now: datetime
) -> list[Objection]:
    """Objections that the source or the reviewer has to act on, most overdue first.

    `within` is in working days; `None` means all. Decided ones that an enterprise may still have
    reviewed are left out.
    """
    last = None if within is None else last_day_within(day_of(now), within)
    found = await store.not_closed(connection, due_until=last)
    return [each for each in found if each.status is not Status.DECIDED]
