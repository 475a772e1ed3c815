"""Demo database seeding: province, clients, accounts, a consent, objections, then the kit.

The kit is written last: without it the database is seeded again from the start.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import Channel, DisplayedText, Person, Purpose, Request, Scope, Transition
from consent.consent_text import TEXT_VERSION
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.access.serializers.timestamps import SHANGHAI
from gateway.clients.registry import put_agreement, register_client
from gateway.codes.store import issue
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.separate_consent import needed_separate_consents
from gateway.disclosure import consent_log_writer
from gateway.portal.consents.decision_form import dataset_fields
from gateway.runtime import Runtime
from gateway.synthetic.demo.clients import (
    DEMO_CLIENTS,
    DemoClient,
    new_keys,
    registration_of,
    terms_of,
)
from gateway.synthetic.demo.enterprise_list import listed
from gateway.synthetic.demo.kit_subjects import SubjectChoice, accounts, person_entry, subject_entry
from gateway.synthetic.demo.objections import raise_for_marks
from gateway.synthetic.demo.state import DemoFolder, DemoState, open_private, write_private
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from gateway.synthetic.load import Loaded, load

CONSENT_DATASETS: Final = ("registration", "licence", "penalty", "public_rating", "tax_and_social")
CONSENT_QUESTIONS: Final = ("rating_at_least.v1", "paid_social_insurance_on_time.v1")
CONSENT_TERM: Final = timedelta(days=180)
CONSENT_USES: Final = 1_000

Kit = dict[str, Any]


async def seed_demo(
    runtime: Runtime, folder: DemoFolder, state: DemoState, on_progress: Callable[[Loaded], None]
) -> Kit:
    """Seed the empty database; write the accounts and the kit."""
    now = runtime.now()
    choice = SubjectChoice()
    stream = province(
        state.seed,
        state.entities,
        today=now.astimezone(SHANGHAI).date(),
        catalogue=runtime.catalogue,
    )
    with open_private(folder.enterprises) as file:
        await load(
            runtime.background,
            choice.watch(listed(stream, file)),
            vault=runtime.vault,
            catalogue=runtime.catalogue,
            on_progress=on_progress,
        )
    people = await accounts(len(choice.chosen))
    async with runtime.background.begin() as connection:
        clients = await _clients(connection, runtime.settings.issuer, now)
        subjects = [
            subject_entry(entity, person, await _code(connection, runtime, entity, now))
            for entity, person in zip(choice.chosen, people, strict=True)
        ]
        active = await _consent(connection, choice.chosen, now)
        await raise_for_marks(connection, runtime.catalogue)
    entries = [person_entry(*each) for each in zip(choice.chosen, people, strict=True)]
    write_private(folder.people, json.dumps(entries, ensure_ascii=False))
    kit: Kit = {
        "synthetic": True,
        "issuer": runtime.settings.issuer,
        "clients": clients,
        "subjects": subjects,
        "consents": {"active": active},
    }
    write_private(folder.kit, json.dumps(kit, ensure_ascii=False, indent=1))
    return kit


async def _clients(connection: AsyncConnection, issuer: str, now: datetime) -> Kit:
    """Register the demo clients with agreements; the private keys go into the kit only."""
    redirect_uris = [f"{issuer}/demo/callback", "http://127.0.0.1:8421/callback"]
    entries: Kit = {}
    for client in DEMO_CLIENTS:
        private, public = await asyncio.to_thread(new_keys, client)
        registration = registration_of(client, public, redirect_uris)
        await register_client(connection, registration, now=now)
        await put_agreement(connection, client.client_id, terms_of(client, now))
        entries[client.key] = {
            "client_id": client.client_id,
            "name": client.name_zh,
            "private_jwks": private,
            "redirect_uris": list(registration.redirect_uris),
            "scope": " ".join(client.scopes),
            "purposes": sorted(client.purposes),
        }
    return entries


async def _code(
    connection: AsyncConnection, runtime: Runtime, entity: SyntheticEnterprise, now: datetime
) -> str:
    issued = await issue(connection, entity.enterprise.uscc, entity.sign_name, now=now)
    return f"{runtime.settings.issuer}/E/{issued.code_id}"


async def _consent(
    connection: AsyncConnection, chosen: list[SyntheticEnterprise], now: datetime
) -> Kit:
    """Store a consent of a clean enterprise to the bank, through the ordinary lifecycle."""
    bank, entity = DEMO_CLIENTS[0], next(e for e in chosen if "clean" in e.traits)
    requested, granted = _request_and_grant(bank, entity, now)
    await consent_log_writer.insert(connection, requested)
    await consent_log_writer.save(connection, requested.consent, granted)
    return {
        "consent_id": granted.consent.consent_id,
        "client": bank.key,
        "client_id": bank.client_id,
        "uscc": entity.uscc,
        "purpose": Purpose.LOAN_APPROVAL.value,
        "datasets": list(CONSENT_DATASETS),
        "questions": list(CONSENT_QUESTIONS),
    }


def _request_and_grant(
    client: DemoClient, entity: SyntheticEnterprise, now: datetime
) -> tuple[Transition, Transition]:
    uscc, kind, catalogue = entity.uscc, entity.enterprise.kind, load_catalogue()
    terms: dict[str, Any] = {
        "datasets": CONSENT_DATASETS,
        "questions": CONSENT_QUESTIONS,
        "valid_until": now + CONSENT_TERM,
        "max_uses": CONSENT_USES,
    }
    requested = consent.request(
        Request(client_id=client.client_id, uscc=uscc, purpose=Purpose.LOAN_APPROVAL, **terms),
        consent_id=consent_id_from(secrets.token_bytes(RANDOM_BYTES)),
        channel=Channel.LINK,
        now=now,
    )
    if not isinstance(requested, Transition):
        raise TypeError(requested)
    person = Person(
        subject="demo-seed",
        uscc=uscc,
        channel=Channel.LINK,
        identity_token_digest=hashlib.sha256(b"synthetic: given when the demo was built").digest(),
    )
    shown = DisplayedText(
        text_version=TEXT_VERSION,
        language="zh",
        fields=dataset_fields(CONSENT_DATASETS, catalogue, kind),
        retention_days=client.retention_days,
    )
    separate = needed_separate_consents(CONSENT_DATASETS, CONSENT_QUESTIONS, catalogue, kind)
    scope = Scope(**terms, separate_consents=separate)
    granted = consent.grant(requested.consent, scope=scope, person=person, shown=shown, now=now)
    if not isinstance(granted, Transition):
        raise TypeError(granted)
    return requested, granted
