"""Consent record (ISO/IEC TS 27560 in W3C DPV), deterministic, to be signed by the caller.

Structure: ISO/IEC TS 27560:2023 (header, processing, parties, events), written as JSON-LD in the
W3C Data Privacy Vocabulary, profile `dpv-27560#record`. Bytes are JSON with
sorted keys, no blanks and no numbers but integers, which RFC 8785 would write in the same way.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from consent.model import (
    PURPOSE_NAMES,
    Act,
    Consent,
    Event,
    Purpose,
    Scope,
    SeparateConsents,
    Status,
    status_at,
)

PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record"
CONTEXT: Mapping[str, str] = MappingProxyType(
    {
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "loc": "https://w3id.org/dpv/loc#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xq": "urn:xinqiao:",
    }
)
DISCLOSURES_KEPT = "P10Y"  # the log of disclosures (ISO 8601 duration)
_SHANGHAI = timezone(timedelta(hours=8))

DPV_PURPOSES: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.LOAN_APPROVAL: "dpv:EstablishContractualAgreement",
        Purpose.POST_LOAN_MANAGEMENT: "dpv:CustomerSolvencyMonitoring",
        Purpose.MERCHANT_ONBOARDING: "dpv:IdentityVerification",
        Purpose.MERCHANT_REVIEW: "dpv:Verification",
        Purpose.SUPPLIER_CHECK: "dpv:VendorSelectionAssessment",
        Purpose.TENDER: "dpv:VendorSelectionAssessment",
        Purpose.INSURANCE_UNDERWRITING: "dpv:EstablishContractualAgreement",
        Purpose.CREDIT_SERVICE: "dpv:RequestedServiceProvision",
        Purpose.PUBLIC_INTEREST: "dpv:PublicBenefit",
    }
)

# DPV has no term for a pause: the general one says that processing may not rest on the consent.
DPV_STATUS: Mapping[Status, str] = MappingProxyType(
    {
        Status.REQUESTED: "dpv:ConsentRequested",
        Status.ACTIVE: "dpv:ConsentGiven",
        Status.REFUSED: "dpv:ConsentRefused",
        Status.PAUSED: "dpv:ConsentStatusInvalidForProcessing",
        Status.WITHDRAWN: "dpv:ConsentWithdrawn",
        Status.EXPIRED: "dpv:ConsentExpired",
        Status.EXHAUSTED: "dpv:ConsentExpired",
        Status.SUPERSEDED: "dpv:ConsentExpired",
    }
)

# For requests that ended without a decision.
DPV_STATUS_UNDECIDED: Mapping[Status, str] = MappingProxyType(
    {
        Status.EXPIRED: "dpv:ConsentRequestDeferred",
        Status.SUPERSEDED: "dpv:ConsentRequestDeferred",
        Status.WITHDRAWN: "dpv:ConsentRevoked",
    }
)

DPV_STATUS_AFTER: Mapping[Act, str] = MappingProxyType(
    {
        Act.REQUESTED: "dpv:ConsentRequested",
        Act.GRANTED: "dpv:ConsentGiven",
        Act.REFUSED: "dpv:ConsentRefused",
        Act.PAUSED: "dpv:ConsentStatusInvalidForProcessing",
        Act.RESUMED: "dpv:RenewedConsentGiven",
        Act.WITHDRAWN: "dpv:ConsentWithdrawn",
        Act.GIVEN_UP: "dpv:ConsentRevoked",
        Act.SUPERSEDED: "dpv:ConsentExpired",
        Act.AMENDED: "dpv:RenewedConsentGiven",
        Act.COOL_DOWN_ENDED: "dpv:ConsentRefused",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party of the record: id (USCC or client id), name, address, contact."""

    identifier: str
    name: str
    address: str
    contact: str


def consent_record(
    consent: Consent,
    events: Sequence[Event],
    *,
    controller: Party,
    recipient: Party,
    withdraw_at: str,
    text_digest: bytes | None,
    now: datetime,
) -> dict[str, Any]:
    """The record as of `now`. `withdraw_at` is the address of the withdrawal page."""
    return {
        "@context": dict(CONTEXT),
        "@id": f"xq:consent:{consent.consent_id}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": PROFILE,
        "dct:identifier": consent.consent_id,
        "dct:hasVersion": consent.version,
        "dct:created": record_time(consent.requested_at),
        "dct:modified": record_time(events[-1].at if events else consent.requested_at),
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": consent.uscc},
        "dpv:hasNotice": _notice(consent, text_digest),
        "dpv:hasProcess": _process(consent, controller, recipient, withdraw_at),
        "dpv:hasEntity": [
            _party("dpv:DataController", controller),
            _party("dpv:Recipient", recipient),
        ],
        "dpv:hasConsentStatus": _dpv_status(consent, events, now),
        "xq:status": status_at(consent, now).value,
        "xq:uses": consent.uses,
        "xq:events": [_event(event) for event in events],
    }


def record_bytes(record: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a record."""
    return json.dumps(
        record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def record_digest(written: bytes) -> bytes:
    """SHA-256 of a record's canonical bytes."""
    return hashlib.sha256(written).digest()


def _dpv_status(consent: Consent, events: Sequence[Event], now: datetime) -> str:
    """DPV status; a consent given up by the client was not withdrawn by the data subject."""
    status = status_at(consent, now)
    if consent.decided_at is None and status in DPV_STATUS_UNDECIDED:
        return DPV_STATUS_UNDECIDED[status]
    if status is Status.WITHDRAWN and events and events[-1].what is Act.GIVEN_UP:
        return DPV_STATUS_AFTER[Act.GIVEN_UP]
    return DPV_STATUS[status]


def _process(
    consent: Consent, controller: Party, recipient: Party, withdraw_at: str
) -> dict[str, Any]:
    return {
        "@type": "dpv:Process",
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent",
        "dpv:hasJurisdiction": "loc:CN",
        "dpv:hasPurpose": _purpose(consent.purpose),
        "dpv:hasProcessing": ["dpv:Disclose", "dpv:Store"],
        **_data(consent.scope, consent.fields),
        **_separate(consent.scope.separate_consents),
        **_term(consent.scope),
        "dpv:hasDataController": controller.identifier,
        "dpv:hasRecipient": recipient.identifier,
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": "loc:CN"},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": DISCLOSURES_KEPT},
            *_retention(consent, recipient),
        ],
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": withdraw_at},
    }


def _purpose(purpose: Purpose) -> dict[str, Any]:
    name = PURPOSE_NAMES[purpose]
    return {
        "@id": f"xq:purpose:{purpose.value}",
        "@type": DPV_PURPOSES[purpose],
        "dct:title": [
            {"@language": "zh", "@value": name.zh},
            {"@language": "en", "@value": name.en},
        ],
    }


def _data(scope: Scope, fields: Sequence[str] | None = None) -> dict[str, Any]:
    datasets = [
        _datum("dataset", code) | ({} if fields is None else {"xq:fields": _behind(code, fields)})
        for code in scope.datasets
    ]
    questions = [_datum("question", tag) for tag in scope.questions]
    return {"dpv:hasPersonalData": datasets + questions}


def _separate(separate: SeparateConsents | None) -> dict[str, Any]:
    """Separate consents in a process or event; no member before a decision."""
    if separate is None:
        return {}
    given = [{"dct:identifier": each.item, "xq:giver": each.giver.value} for each in separate]
    return {"xq:separateConsents": given}


def _retention(consent: Consent, recipient: Party) -> list[dict[str, Any]]:
    """The recipient's retention after the end of use, where it was shown."""
    if consent.retention_days is None:
        return []
    return [
        {
            "@type": "dpv:StorageDeletion",
            "dpv:hasRecipient": recipient.identifier,
            "xq:afterEndOfUse": f"P{consent.retention_days}D",
        }
    ]


def _behind(dataset: str, fields: Sequence[str]) -> list[str]:
    return [name for code, _, name in (each.rpartition(".") for each in fields) if code == dataset]


def _datum(kind: str, code: str) -> dict[str, Any]:
    return {
        "@id": f"xq:{kind}:{code}",
        "@type": "dpv:PersonalData",
        "dct:identifier": code,
        "dpv:hasNecessity": "dpv:Optional",
    }


def _term(scope: Scope) -> dict[str, Any]:
    until = {"@type": "dpv:UntilTimeDuration", "rdf:value": record_time(scope.valid_until)}
    if scope.max_uses is None:
        return {"dpv:hasDuration": [until]}
    times = {"@type": "dpv:FixedOccurrencesDuration", "rdf:value": scope.max_uses}
    return {"dpv:hasDuration": [until, times]}


def _notice(consent: Consent, text_digest: bytes | None) -> dict[str, Any]:
    notice = {
        "@type": "dpv:ConsentNotice",
        "dct:hasVersion": consent.text_version,
        "dct:language": consent.language,
        "xq:textSha256": text_digest.hex() if text_digest else None,
    }
    return {key: value for key, value in notice.items() if value is not None}


def _party(role: str, party: Party) -> dict[str, Any]:
    return {
        "@id": party.identifier,
        "@type": role,
        "dct:identifier": party.identifier,
        "dpv:hasName": party.name,
        "dpv:hasAddress": party.address,
        "dpv:hasContact": party.contact,
    }


def _event(event: Event) -> dict[str, Any]:
    known = {
        "dct:identifier": event.seq,
        "dct:date": record_time(event.at),
        "dpv:hasConsentStatus": DPV_STATUS_AFTER[event.what],
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent",
        "dpv:isImplementedByEntity": event.actor,
        "dpv:hasIndicationMethod": event.channel.value,
        "dct:valid": record_time(event.scope.valid_until),
        "xq:act": event.what.value,
        "xq:identityTokenSha256": hex_or_none(event.identity_token_digest),
        "xq:textVersion": event.text_version,
        "xq:textSha256": hex_or_none(event.text_digest),
        "dct:language": event.language,
        **_data(event.scope),
        **_separate(event.scope.separate_consents),
        **_term(event.scope),
    }
    return {key: value for key, value in known.items() if value is not None}


def hex_or_none(digest: bytes | None) -> str | None:
    """A digest in hexadecimal, if there is one."""
    return None if digest is None else digest.hex()


def record_time(moment: datetime) -> str:
    """RFC 3339 time in the offset of Shanghai."""
    return moment.astimezone(_SHANGHAI).isoformat()
