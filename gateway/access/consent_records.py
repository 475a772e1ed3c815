"""A consent as a record that its enterprise and its client keep: what was asked, shown and decided.

ISO/IEC TS 27560 in the W3C Data Privacy Vocabulary, signed as a JWT whose payload holds the record.
Nothing in a client's copy says which person acted for the enterprise.
"""

from dataclasses import replace
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Consent, Event
from consent import store as consents
from consent.record import Party, consent_record
from gateway.clients.tables import ClientRow
from gateway.runtime import Runtime
from gateway.signing import jws

TYP: Final = "consent-record+jwt"
OPERATOR: Final = "信桥 Xinqiao"

Reader = Literal["enterprise", "client"]


async def signed_record(
    conn: AsyncConnection,
    runtime: Runtime,
    held: Consent,
    *,
    reader: Reader,
) -> dict[str, Any]:
    """`record`, `text` (what was shown before the last decision) and `jwt`, which holds both.

    The key stands at `/.well-known/jwks.json`, use `response`.
    """
    events = await consents.events_of(conn, held.uscc, held.consent_id)
    shown = next((each.text_digest for each in reversed(events) if each.text_digest), None)
    text = await consents.text_of(conn, shown) if shown else ()
    now, issuer = runtime.now(), runtime.settings.issuer
    record = consent_record(
        held,
        [_for(reader, each, held) for each in events],
        controller=Party(
            identifier=issuer, name=OPERATOR, address=issuer, contact=f"{issuer}/portal"
        ),
        recipient=await _recipient(conn, held.client_id),
        withdraw_at=f"{issuer}/portal/consents/{held.consent_id}/withdraw",
        text_digest=shown,
        now=now,
    )
    held_text = {"zh": [each.zh for each in text], "en": [each.en for each in text]}
    claims = {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "sub": held.consent_id,
        "record": record,
        "text": held_text,
    }
    signed = jws.sign(claims, typ=TYP, key=runtime.keys.current("response", now))
    return {"record": record, "text": held_text, "jwt": signed}


def _for(reader: Reader, event: Event, held: Consent) -> Event:
    """In a client's copy the enterprise itself has acted, whoever it was."""
    if reader == "enterprise" or event.actor == held.client_id:
        return event
    return replace(event, actor=held.uscc, identity_token_digest=None)


async def _recipient(conn: AsyncConnection, client_id: str) -> Party:
    named = select(col(ClientRow.name_zh), col(ClientRow.name_en), col(ClientRow.contact))
    found = (await conn.execute(named.where(col(ClientRow.client_id) == client_id))).one_or_none()
    if found is None:
        return Party(identifier=client_id, name=client_id, address="", contact="")
    zh, en, contact = found
    return Party(identifier=client_id, name=f"{zh}（{en}）", address="", contact=contact or "")
