"""A consent as a record that its enterprise and its client keep: what was asked, shown and decided.

ISO/IEC TS 27560 in the W3C Data Privacy Vocabulary, signed as a JWT whose payload holds the record.
Nothing in a client's copy says which person acted for the enterprise. Each event has what recomputes
its leaf in the log (`disclosure.consent_leaf`), and a receipt once it is merged.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Consent, Event
from consent import store as consents
from consent.record import Party, consent_record
from gateway.clients.tables import ClientRow
from gateway.disclosure import consent_writer
from gateway.disclosure.consent_leaf import (
    StoredLeaf,
    as_written,
    kept_leaf_id,
    leaf_id,
    person_digest,
)
from gateway.disclosure.consent_writer import WrittenLeaf
from gateway.runtime import Runtime
from gateway.signing import jws
from gateway.transparency.receipts import receipts_of, written

TYP: Final = "consent-record+jwt"
OPERATOR: Final = "信桥 Xinqiao"

Reader = Literal["enterprise", "client"]


async def signed_record(
    connection: AsyncConnection,
    runtime: Runtime,
    held: Consent,
    *,
    reader: Reader,
) -> dict[str, Any]:
    """`record`, `text` (what was shown before the last decision) and `jwt`, which holds both.

    The key stands at `/.well-known/jwks.json`, use `response`. Beside them `receipts`, by the time.
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
    merged = [written(each, of=name, log=f"{issuer}/log") for name, each in receipts.items()]
    return {"record": record, "text": held_text, "jwt": signed, "receipts": merged}


def _for(reader: Reader, event: Event, held: Consent) -> Event:
    """In a client's copy the enterprise itself has acted, whoever it was."""
    if _sees_person(reader, event, held):
        return event
    return replace(event, actor=held.uscc, identity_token_digest=None)


def _sees_person(reader: Reader, event: Event, held: Consent) -> bool:
    return reader == "enterprise" or event.actor == held.client_id


async def _with_leaves(
    connection: AsyncConnection,
    record: dict[str, Any],
    held: Consent,
    events: Sequence[Event],
    reader: Reader,
) -> list[str]:
    """Put beside each event what recomputes its leaf; the names of these leaves.

    That a new legal representative kept the consent stands in the enterprise's copy only.
    """
    kept = await consent_writer.kept_of(connection, held) if reader == "enterprise" else None
    names = [leaf_id(event) for event in events]
    names += [kept_leaf_id(held.consent_id, kept)] if kept else []
    leaves = await consent_writer.leaves_of(connection, held.uscc, names)
    record["xq:events"] = [
        each | _leaf(event, leaves.get(leaf_id(event)), sees=_sees_person(reader, event, held))
        for each, event in zip(record["xq:events"], events, strict=True)
    ]
    if kept:
        record["xq:kept"] = {
            "dct:date": as_written(kept.at),
            "dpv:isImplementedByEntity": kept.actor,
            "xq:identityTokenSha256": kept.identity_token_digest.hex(),
            **_leaf(kept, leaves.get(names[-1]), sees=True),
        }
    return names


def _leaf(of: Event | StoredLeaf, leaf: WrittenLeaf | None, *, sees: bool) -> dict[str, Any]:
    """What recomputes the leaf; the salt of the person only for who sees the person."""
    if leaf is None:
        return {}
    salt = leaf.salts.person
    shown = {"xq:personSalt": salt.hex()} if sees else {}
    return {
        "xq:leaf": {
            "dct:identifier": leaf.leaf_id,
            "xq:leafSha256": leaf.leaf_hash.hex(),
            "xq:salt": leaf.salts.row.hex(),
            "xq:personSha256": person_digest(of, salt).hex(),
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
