"""Signed consent record (ISO/IEC TS 27560, W3C Data Privacy Vocabulary) for enterprise or client.

A JWT whose payload holds the record. A client's copy never names the person who acted for the
enterprise. Each event carries what recomputes its leaf in the log (`disclosure.consent_leaf`), and a
receipt once it is merged.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Consent, Event
from consent import store as consents
from consent.record import Party, consent_record, record_time
from gateway.clients.tables import ClientRow
from gateway.disclosure import consent_log_writer
from gateway.disclosure.consent_leaf import KeptConsent, kept_leaf_id, leaf_id, person_digest
from gateway.disclosure.consent_log_writer import WrittenLeaf
from gateway.runtime import Runtime
from gateway.signing import jws
from gateway.transparency.receipts import receipt_document, receipts_of

TYP: Final = "consent-record+jwt"
OPERATOR: Final = "信桥 Xinqiao"

Audience = Literal["enterprise", "client"]


async def signed_record(
    connection: AsyncConnection, runtime: Runtime, held: Consent, *, reader: Audience
) -> dict[str, Any]:
    """`record`, `text` (shown before the last decision), `jwt` with both, and `receipts` by time.

    The key is in `/.well-known/jwks.json`, use `response`.
    """
    events = await consents.events_of(connection, held.uscc, held.consent_id)
    shown = next((each.text_digest for each in reversed(events) if each.text_digest), None)
    text = await consents.text_of(connection, shown) if shown else ()
    now, issuer = runtime.now(), runtime.settings.issuer
    record = consent_record(
        held,
        [_for(reader, each, held) for each in events],
        controller=Party(
            identifier=issuer, name=OPERATOR, address=issuer, contact=f"{issuer}/portal"
        ),
        recipient=await _recipient(connection, held.client_id),
        withdraw_at=f"{issuer}/portal/consents/{held.consent_id}/withdraw",
        text_digest=shown,
        now=now,
    )
    names = await _with_leaves(connection, record, held, events, reader)
    held_text = {"zh": [each.zh for each in text], "en": [each.en for each in text]}
    claims = {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "sub": held.consent_id,
        "record": record,
        "text": held_text,
    }
    signed = jws.sign(claims, typ=TYP, key=runtime.keys.current("response", now))
    receipts = await receipts_of(runtime.hot, held.uscc, names)
    merged = [
        receipt_document(each, leaf_id=name, log=f"{issuer}/log") for name, each in receipts.items()
    ]
    return {"record": record, "text": held_text, "jwt": signed, "receipts": merged}


def _for(reader: Audience, event: Event, held: Consent) -> Event:
    """The event as this reader sees it: a client's copy names the enterprise as actor."""
    if _sees_person(reader, event, held):
        return event
    return replace(event, actor=held.uscc, identity_token_digest=None)


def _sees_person(reader: Audience, event: Event, held: Consent) -> bool:
    return reader == "enterprise" or event.actor == held.client_id


async def _with_leaves(
    connection: AsyncConnection,
    record: dict[str, Any],
    held: Consent,
    events: Sequence[Event],
    reader: Audience,
) -> list[str]:
    """Add to each event what recomputes its leaf; the names of these leaves.

    Only the enterprise's copy shows that a new legal representative kept the consent.
    """
    kept = await consent_log_writer.read_kept(connection, held) if reader == "enterprise" else None
    names = [leaf_id(event) for event in events]
    names += [kept_leaf_id(held.consent_id, kept)] if kept else []
    leaves = await consent_log_writer.read_leaves(connection, held.uscc, names)
    record["xq:events"] = [
        each | _leaf(event, leaves.get(leaf_id(event)), sees=_sees_person(reader, event, held))
        for each, event in zip(record["xq:events"], events, strict=True)
    ]
    if kept:
        record["xq:kept"] = {
            "dct:date": record_time(kept.at),
            "dpv:isImplementedByEntity": kept.actor,
            "xq:identityTokenSha256": kept.identity_token_digest.hex(),
            **_leaf(kept, leaves.get(names[-1]), sees=True),
        }
    return names


def _leaf(event: Event | KeptConsent, leaf: WrittenLeaf | None, *, sees: bool) -> dict[str, Any]:
    """The leaf's salts and digests; the person's salt only where the reader `sees` the person."""
    if leaf is None:
        return {}
    salt = leaf.salts.person
    shown = {"xq:personSalt": salt.hex()} if sees else {}
    return {
        "xq:leaf": {
            "dct:identifier": leaf.leaf_id,
            "xq:leafSha256": leaf.leaf_hash.hex(),
            "xq:salt": leaf.salts.row.hex(),
            "xq:personSha256": person_digest(event, salt).hex(),
            **shown,
        }
    }


async def _recipient(connection: AsyncConnection, client_id: str) -> Party:
    named = select(col(ClientRow.name_zh), col(ClientRow.name_en), col(ClientRow.contact))
    found = (
        await connection.execute(named.where(col(ClientRow.client_id) == client_id))
    ).one_or_none()
    if found is None:
        return Party(identifier=client_id, name=client_id, address="", contact="")
    zh, en, contact = found
    return Party(identifier=client_id, name=f"{zh}（{en}）", address="", contact=contact or "")
