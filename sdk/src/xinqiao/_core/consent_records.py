"""A consent's record, held against the log: what was done to a consent can be changed by nobody.

What must hold, in this order:

1. the JWT is a consent record, signed by a trusted response key that was in force then
2. it holds this record and this text, and the text is the one that the record names
3. the events have no gap, and what holds now is what the last of them left
4. each event's leaf is SHA-256(salt ‖ row), and its person SHA-256(person's salt ‖ person)
5. each leaf's receipt leads to a checkpoint of the issuer's log, signed by a trusted log key
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from xinqiao.errors import EvidenceInvalid, ProtocolError, ReceiptInvalid

from .evidence import FORMAT, Evidence, verify_evidence
from .jose import opened
from .keys import Jwks, KeySet, read_json
from .reading import Reader
from .receipts import fault_of
from .retry import http_time

TYP: Final = "consent-record+jwt"
FORM: Final = "consent_event.v1"
_TIMES: Final = "dpv:FixedOccurrencesDuration"
_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """A verified record. The log proves the events in `proven`; `unproven` it does not show yet.

    Events are named by number. One has no proof while it is younger than some seconds, if it is
    older than the log of consents, or if its salt was erased.
    """

    consent_id: str
    issued_at: datetime
    proven: tuple[int, ...]
    unproven: tuple[int, ...]
    record: Mapping[str, Any] = field(repr=False)


def verify_consent_record(
    source: Mapping[str, Any] | str | Path | Evidence, *, keys: Jwks | KeySet
) -> ConsentRecord:
    """Verify a consent's record offline, the client's copy or the enterprise's.

    `source` is what the gateway gave, as a mapping or a file, or evidence of it; `keys` its JWK set,
    obtained by another way, with the log's keys in it. Raises `EvidenceInvalid` with a sentence that
    says what differs, and `ReceiptInvalid` where a receipt does not show its leaf.
    """
    trusted = KeySet.read(keys)
    document = _document(source, trusted)
    claims = opened(str(document.get("jwt")), trusted, typ=TYP)
    try:
        _same(document, claims)
        record = claims["record"]
        _whole(record)
        leaves = {_seq(event): _leaf(record, event) for event in record["xq:events"]}
        receipts = {each["disclosure_id"]: each for each in document.get("receipts", ())}
        origin = f"{urlsplit(claims['iss']).netloc}/log"
        proven = []
        for seq, leaf in leaves.items():
            receipt = receipts.get(_name(record, seq))
            if leaf is not None and receipt is not None:
                _shown(receipt, leaf, origin, trusted)
                proven.append(seq)
        return ConsentRecord(
            consent_id=record["dct:identifier"],
            issued_at=http_time(claims["iat"]),
            proven=tuple(proven),
            unproven=tuple(seq for seq in leaves if seq not in proven),
            record=record,
        )
    except _UNREADABLE:
        raise EvidenceInvalid("The record cannot be read.", reason="malformed") from None


def _document(source: Mapping[str, Any] | str | Path | Evidence, keys: KeySet) -> Mapping[str, Any]:
    found = source.to_dict() if isinstance(source, Evidence) else read_json(source, "record")
    if found.get("format") == FORMAT:
        found = verify_evidence(found, keys=keys).json()
    if not isinstance(found, Mapping):
        raise EvidenceInvalid("This is no consent's record.", reason="malformed")
    return found


def _same(document: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    for part in ("record", "text"):
        if document.get(part) != claims[part]:
            raise EvidenceInvalid(f"The {part} is not the one that was signed.", reason=part)
    named = claims["record"]["dpv:hasNotice"].get("xq:textSha256")
    pairs = zip(claims["text"]["zh"], claims["text"]["en"], strict=True)
    shown = "\n".join(f"{zh}\n{en}" for zh, en in pairs)
    if shown and hashlib.sha256(shown.encode()).hexdigest() != named:
        raise EvidenceInvalid("The text is not the one that the record names.", reason="text")


def _whole(record: Mapping[str, Any]) -> None:
    events = record["xq:events"]
    if [_seq(event) for event in events] != list(range(1, record["dct:hasVersion"] + 1)):
        raise EvidenceInvalid("The record lacks an event.", reason="events")
    last, now = events[-1], record["dpv:hasProcess"]
    if any(last[name] != now[name] for name in ("dpv:hasPersonalData", "dpv:hasDuration")):
        raise EvidenceInvalid(
            "What the record allows is not what was decided last.", reason="scope"
        )


def _leaf(record: Mapping[str, Any], event: Mapping[str, Any]) -> str | None:
    """The event's leaf hash, after it was worked out anew; nothing where its salt was erased."""
    given = event.get("xq:leaf")
    if given is None:
        return None
    if given["dct:identifier"] != _name(record, _seq(event)):
        raise EvidenceInvalid("A leaf belongs to another event.", reason="leaf")
    if "xq:personSalt" in given:
        person = {
            "actor": event["dpv:isImplementedByEntity"],
            "identity_token_digest": event.get("xq:identityTokenSha256"),
        }
        _expect(given["xq:personSalt"], person, given["xq:personSha256"], "person", _seq(event))
    _expect(given["xq:salt"], _row(record, event), given["xq:leafSha256"], "leaf", _seq(event))
    return str(given["xq:leafSha256"])


def _row(record: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    process = record["dpv:hasProcess"]
    times = [each for each in event["dpv:hasDuration"] if each["@type"] == _TIMES]
    return {
        "form": FORM,
        "uscc": record["dpv:hasDataSubject"]["dct:identifier"],
        "consent_id": record["dct:identifier"],
        "client_id": process["dpv:hasRecipient"],
        "purpose": process["dpv:hasPurpose"]["@id"].rpartition(":")[2],
        "seq": _seq(event),
        "what": event["xq:act"],
        "person": event["xq:leaf"]["xq:personSha256"],
        "channel": event["dpv:hasIndicationMethod"],
        "at": event["dct:date"],
        "datasets": _codes(event, "xq:dataset:"),
        "questions": _codes(event, "xq:question:"),
        "valid_until": event["dct:valid"],
        "max_uses": times[0]["rdf:value"] if times else None,
        "text_version": event.get("xq:textVersion"),
        "text_digest": event.get("xq:textSha256"),
        "language": event.get("dct:language"),
    }


def _codes(event: Mapping[str, Any], kind: str) -> list[str]:
    data = event["dpv:hasPersonalData"]
    return [each["dct:identifier"] for each in data if each["@id"].startswith(kind)]


def _expect(salt: str, row: Mapping[str, Any], digest: str, what: str, seq: int) -> None:
    """RFC 8785: the keys are ASCII and the only numbers are integers, so sorting is all of it."""
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest() != digest:
        raise EvidenceInvalid(f"Event {seq} is not the one of its {what}.", reason=what)


def _shown(receipt: object, leaf: str, origin: str, keys: KeySet) -> None:
    try:
        fault = fault_of(Reader.of(receipt, "a receipt"), leaf, origin=origin, log_keys=keys.log)
    except ProtocolError as error:
        raise ReceiptInvalid(error.detail) from None
    if fault is not None:
        raise ReceiptInvalid(fault)


def _seq(event: Mapping[str, Any]) -> int:
    return int(event["dct:identifier"])


def _name(record: Mapping[str, Any], seq: int) -> str:
    return f"{record['dct:identifier']}-{seq}"
