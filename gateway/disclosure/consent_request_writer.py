"""Write a requested consent, for a request by link or by redirect.

A repeated request replaces the open one of the same client, purpose and channel.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import ANSWER_WITHIN, Channel, Consent, Refused, Request, Status, store
from gateway.disclosure import consent_log_writer


async def write_consent_request(
    connection: AsyncConnection,
    asked: Request,
    *,
    consent_id: str,
    channel: Channel,
    answer_within: timedelta = ANSWER_WITHIN,
    amends: Consent | None = None,
    now: datetime,
) -> Consent | Refused:
    """The requested consent, written; or a refusal, as during the cool-down (R9).

    The caller has waited for its turn (`consent.store.in_turn`).
    """
    if asked.uscc is None:
        raise ValueError("a consent is requested of an enterprise")
    relation = asked.client_id, asked.uscc, asked.purpose
    refusal = await store.last_refusal(connection, *relation)
    requested = consent.request(
        asked,
        consent_id=consent_id,
        channel=channel,
        now=now,
        answer_within=answer_within,
        previous_refusals=[refusal] if refusal else [],
        amends=amends,
    )
    if isinstance(requested, Refused):
        return requested
    for older in await store.open_for(connection, *relation):
        if older.status is Status.REQUESTED and older.channel is channel:
            given_up = consent.give_up(older, client_id=asked.client_id, now=now)
            if not isinstance(given_up, Refused):
                await consent_log_writer.save(connection, older, given_up)
    await consent_log_writer.insert(connection, requested)
    return requested.consent
