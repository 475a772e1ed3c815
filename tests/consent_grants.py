"""Consents as enterprises grant them: requested and granted by the domain's functions, with leaves."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import Channel, DisplayedText, Person, Request
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.separate_consent import needed_separate_consents
from gateway.disclosure import consent_log_writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A request that is granted as it was asked.

    `kind` is the enterprise's; `separate` the items consented to separately, by default every one that
    needs it; `named` the fields that its page listed, as `dataset.field`.
    """

    asked: Request
    kind: str
    separate: Sequence[str] | None = None
    named: Sequence[str] | None = None
    retention_days: int | None = None


async def insert_granted(
    connection: AsyncConnection, given: Grant, catalogue: Catalogue, *, now: datetime
) -> str:
    """Insert the request and its grant; the consent's id."""
    asked = given.asked
    requested = consent.request(
        asked,
        consent_id=consent_id_from(secrets.token_bytes(RANDOM_BYTES)),
        channel=Channel.LINK,
        now=now,
    )
    assert isinstance(requested, consent.Transition)
    needed = needed_separate_consents(asked.datasets, asked.questions, catalogue, given.kind)
    separate = tuple(
        each for each in needed if given.separate is None or each.item in given.separate
    )
    granted = consent.grant(
        requested.consent,
        scope=replace(requested.consent.scope, separate_consents=separate),
        person=person_of(requested.consent.uscc),
        shown=DisplayedText(
            text_version="2026.1",
            language="zh",
            fields=None if given.named is None else tuple(given.named),
            retention_days=given.retention_days,
        ),
        now=now,
    )
    assert isinstance(granted, consent.Transition)
    await consent_log_writer.insert(connection, requested)
    assert await consent_log_writer.save(connection, requested.consent, granted)
    return granted.consent.consent_id


def person_of(uscc: str) -> Person:
    """A signed-in person who acts for an enterprise."""
    return Person(
        subject="a-person",
        uscc=uscc,
        channel=Channel.PORTAL,
        identity_token_digest=hashlib.sha256(b"a test's identity token").digest(),
    )
