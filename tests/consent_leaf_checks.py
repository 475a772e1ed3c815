"""Independent verification of consent log leaves, from the published description alone."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import consent
from consent import Consent, Person, Refused, Transition
from consent import store as consents
from gateway.access.serializers.signed_consent_record import signed_record
from gateway.signing.keys import KeyRing
from tests.log_builders import open_note, raw_key
from tests.reference_merkle import root_from_path
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.gateway_fixture import Caller, GatewayFixture  # which counts leaves itself

Act = Callable[..., Transition | Refused]
SCOPE: Final = "consents"
NAMED: Final = ("registration.name", "penalty.document_number", "penalty.fine")
_ODD: Final = text("""
    SELECT v.consent_id, v.seq, l.leaf_id
    FROM consent_event v
    FULL JOIN consent_leaf l ON l.uscc = v.uscc AND l.leaf_id = v.consent_id || '-' || v.seq
    LEFT JOIN pending_leaf p ON p.uscc = l.uscc AND p.disclosure_id = l.leaf_id
    LEFT JOIN log_entry e ON e.uscc = l.uscc AND e.disclosure_id = l.leaf_id
    WHERE (v.uscc IS NULL AND l.leaf_id !~ '-k[0-9]+$' OR l.uscc IS NULL
           OR coalesce(e.leaf_hash, p.leaf_hash) IS DISTINCT FROM l.leaf_hash)
      AND (CAST(:usccs AS text[]) IS NULL OR coalesce(v.uscc, l.uscc) = ANY(:usccs))""")

_PLACES: Final = {"dct:identifier": "seq", "xq:act": "what", "dpv:hasIndicationMethod": "channel"}


async def without_their_leaf(
    engine: AsyncEngine, usccs: Sequence[str] | None = None
) -> list[tuple[Any, ...]]:
    """Consent events without a log leaf, and leaves without an event."""
    async with engine.connect() as connection:
        found = await connection.execute(_ODD, {"usccs": None if usccs is None else list(usccs)})
        return [tuple(row) for row in found]


def jcs(value: Any) -> bytes:
    """Canonical JSON (RFC 8785) for values without floats and non-ASCII keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def person_of(event: Mapping[str, Any]) -> str:
    """Digest of the acting person, from a record that shows the person."""
    person = {
        "actor": event["dpv:isImplementedByEntity"],
        "identity_token_digest": event.get("xq:identityTokenSha256"),
    }
    return hashlib.sha256(
        bytes.fromhex(event["xq:leaf"]["xq:personSalt"]) + jcs(person)
    ).hexdigest()


def computed_leaves(record: Mapping[str, Any]) -> Iterator[str]:
    """Leaf of each event, computed from the record."""
    for event in record["xq:events"]:
        given = event["xq:leaf"]
        data = [each["@id"].removeprefix("xq:") for each in event["dpv:hasPersonalData"]]
        times = [
            each["rdf:value"]
            for each in event["dpv:hasDuration"]
            if each["@type"] == "dpv:FixedOccurrencesDuration"
        ]
        row = {
            **_form(event),
            "uscc": record["dpv:hasDataSubject"]["dct:identifier"],
            "consent_id": record["dct:identifier"],
            "client_id": record["dpv:hasProcess"]["dpv:hasRecipient"],
            "purpose": record["dpv:hasProcess"]["dpv:hasPurpose"]["@id"].rpartition(":")[2],
            **{name: event[place] for place, name in _PLACES.items()},
            "person": person_of(event) if "xq:personSalt" in given else given["xq:personSha256"],
            "at": event["dct:date"],
            "datasets": [one.removeprefix("dataset:") for one in data if one.startswith("d")],
            "questions": [one.removeprefix("question:") for one in data if one.startswith("q")],
            "valid_until": event["dct:valid"],
            "max_uses": times[0] if times else None,
            "text_version": event.get("xq:textVersion"),
            "text_digest": event.get("xq:textSha256"),
            "language": event.get("dct:language"),
        }
        yield hashlib.sha256(bytes.fromhex(given["xq:salt"]) + jcs(row)).hexdigest()


def _form(event: Mapping[str, Any]) -> dict[str, Any]:
    """Form of the row, and the separate consents that the newer one has."""
    if "xq:separateConsents" not in event:
        return {"form": "consent_event.v1"}
    given = [
        {"item": each["dct:identifier"], "giver": each["xq:giver"]}
        for each in event["xq:separateConsents"]
    ]
    return {"form": "consent_event.v2", "separate_consents": given}


def stated_leaves(record: Mapping[str, Any]) -> list[str]:
    """Leaves as stated in the record."""
    return [event["xq:leaf"]["xq:leafSha256"] for event in record["xq:events"]]


def assert_in_the_log(receipt: Mapping[str, Any], leaf: str, keys: KeyRing, origin: str) -> None:
    """Assert that the receipt proves this leaf under the log's signature."""
    head = open_note(receipt["checkpoint"], origin=origin, public_key=raw_key(keys))
    proof = [bytes.fromhex(step) for step in receipt["inclusion_proof"]]
    entry = bytes.fromhex(leaf)
    assert receipt["leaf_hash"] == leaf
    assert receipt["tree_size"] == head.size
    assert root_from_path(entry, receipt["leaf_index"], head.size, proof) == head.root


def to_penalties(held: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """A scope of one dataset with three uses."""
    less = replace(held.scope, datasets=("penalty",), max_uses=3)
    return consent.narrow(held, scope=less, person=person, now=now)


async def make_eventful_consent(gateway: "GatewayFixture", bank: "Caller") -> str:
    """Id of a consent with almost every kind of event."""
    consent_id = await gateway.grant(bank, gateway.uscc("clean"), named=NAMED)
    acts: tuple[Act, ...] = (consent.pause, consent.resume, to_penalties, consent.withdraw)
    for each in acts:
        await gateway.act(each, consent_id)
    return consent_id


async def record_of(bank: "Caller", consent_id: str) -> dict[str, Any]:
    """The signed record as downloaded by the client."""
    answer = await bank.send(f"/v1/consents/{consent_id}/record", b"", method="GET", scope=SCOPE)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def wait_for_merged_record(bank: "Caller", consent_id: str) -> dict[str, Any]:
    """The same record once all its leaves are in the log."""
    async with asyncio.timeout(PATIENCE):
        while True:
            made = await record_of(bank, consent_id)
            if len(made["receipts"]) == len(made["record"]["xq:events"]):
                return made
            await asyncio.sleep(0.2)


async def enterprise_record(gateway: "GatewayFixture", consent_id: str) -> dict[str, Any]:
    """The signed record as downloaded by the enterprise."""
    async with gateway.runtime.engine.connect() as connection:
        held = await consents.by_id(connection, consent_id)
        assert held is not None
        return await signed_record(connection, gateway.runtime, held, reader="enterprise")
