"""Writes of a consent with its event, on a connection and transaction of the caller.

In the gateway only `disclosure.consent_log_writer`, which logs the event too, may call this (an import
contract). None commits. Only `use_counter.SPEND` changes the count of uses.
"""

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncConnection

from consent.mapping import row_of, row_of_event
from consent.model import Consent, Event
from consent.tables import consent_events, consent_locators, consents

_NEVER_SAVED = frozenset(
    {"uscc", "consent_id", "client_id", "purpose", "requested_at", "uses", "amends", "channel"}
)


async def insert(connection: AsyncConnection, consent: Consent, event: Event) -> None:
    """Insert a new consent, its first event and its locator row."""
    locator = {name: getattr(consent, name) for name in ("consent_id", "uscc", "client_id")}
    await connection.execute(consent_locators.insert(), locator)
    await connection.execute(consents.insert(), row_of(consent))
    await connection.execute(consent_events.insert(), row_of_event(event))


async def save(connection: AsyncConnection, before: Consent, after: Consent, event: Event) -> bool:
    """Replace `before` by `after`, with its event; false if its version has changed meanwhile.

    Nor is it saved with fewer uses allowed than were spent meanwhile.
    """
    changed = {name: value for name, value in row_of(after).items() if name not in _NEVER_SAVED}
    saved = await connection.execute(
        consents.update()
        .where(
            consents.c.uscc == before.uscc,
            consents.c.consent_id == before.consent_id,
            consents.c.version == before.version,
            true() if after.max_uses is None else consents.c.uses <= after.max_uses,
        )
        .values(changed)
        .returning(consents.c.version)
    )
    if saved.scalar_one_or_none() is None:
        return False
    await connection.execute(consent_events.insert(), row_of_event(event))
    return True
