"""Offline verification of a consent record: signature, events, log leaves and receipts.

Checks, in this order:

1. the JWT is a consent record, signed by a trusted response key that was in force then
2. it holds this record and this text, and the text is the one that the record names; beside them there
   are receipts of its leaves, each once, and nothing else
3. the events have no gap, and what holds now is what the last of them left
4. each event's leaf is SHA-256(salt ‖ row), and its person SHA-256(person's salt ‖ person)
5. each leaf's receipt leads to a checkpoint of the issuer's log, signed by a trusted log key
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from xinqiao._core.signatures.jose import verify_gateway_jwt
from xinqiao._core.signatures.keys import Jwks, KeySet, read_document
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import ReadOnlyDict, Serializable
from xinqiao._core.wire.strict import parse_hex, parse_time, same_json
from xinqiao.errors import EvidenceInvalid, ProtocolError, ReceiptInvalid

from .answer import FORMAT, Evidence, verify_evidence
from .receipts import receipt_fault

TYP: Final = "consent-record+jwt"
FORM: Final = "consent_event.v2"
FORM_UNSEPARATED: Final = "consent_event.v1"
"""Of events without separate consents: requests, and events of before there were any."""
FORM_OF_KEPT: Final = "consent_kept.v1"
_MEMBERS: Final = frozenset({"record", "text", "jwt", "receipts"})
_RECEIPT: Final = frozenset(
    {
        "disclosure_id",
        "log",
        "leaf_hash",
        "leaf_index",
        "tree_size",
        "inclusion_proof",
        "checkpoint",
    }
)
_SEPARATE: Final = "xq:separateConsents"
_TIMES: Final = "dpv:FixedOccurrencesDuration"
_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord(Serializable):
    """A verified consent record; `proven` and `unproven` list its events by number.

    An event has no proof in its first seconds, if it is older than the log of consents, or if its
    salt was erased.
    """

    consent_id: str
    issued_at: datetime
    proven: tuple[int, ...]
    unproven: tuple[int, ...]
    kept_proven: bool | None = None
    """Whether the log proves that a new legal representative kept it; None if none did."""
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Leaf:
    name: str
    digest: str | None
    """None where the salt was erased: the leaf cannot be recomputed then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogReceipts:
    """Receipts enclosed with a record, with the log's address and keys to verify them."""

    receipts: Mapping[str, Reader]
    address: str
    keys: KeySet

    def proves(self, leaf: _Leaf) -> bool:
        """True if a receipt proves this leaf; raises `ReceiptInvalid` if a receipt is wrong."""
        receipt = self.receipts.get(leaf.name)
        if receipt is None:
            return False
        try:
            digest = leaf.digest or receipt.text("leaf_hash")
            fault = receipt_fault(receipt, digest, log=self.address, log_keys=self.keys.log)
        except ProtocolError as error:
            raise ReceiptInvalid(error.detail) from None
        if fault is not None:
            raise ReceiptInvalid(fault)
        return leaf.digest is not None


def verify_consent_record(
    source: Mapping[str, Any] | str | Path | Evidence, *, keys: Jwks | KeySet
) -> ConsentRecord:
    """Verify a consent's record offline, the client's copy or the enterprise's.

    `source` is what the gateway gave, as a mapping, a text or a file, or evidence of it; `keys` its JWK set,
    obtained by another way, with the log's keys in it. Raises `EvidenceInvalid` with a sentence that
    says what differs, and `ReceiptInvalid` where a receipt does not show its leaf.
    """
    trusted = KeySet.read(keys)
    document = _read_source(source, trusted)
    claims = verify_gateway_jwt(document.get("jwt"), trusted, typ=TYP)
    try:
        _check_signed_parts(document, claims)
        record = claims["record"]
        _check_events(record)
        leaves = {_seq(event): _event_leaf(record, event) for event in record["xq:events"]}
        kept = _kept_leaf(record) if "xq:kept" in record else None
        known = {each.name for each in (*leaves.values(), kept) if each is not None}
        log = _LogReceipts(
            receipts=_read_receipts(document, known=known),
            address=f"{claims['iss']}/log",
            keys=trusted,
        )
        shown = {seq: log.proves(leaf) for seq, leaf in leaves.items()}
        return ConsentRecord(
            consent_id=_text(record, "dct:identifier"),
            issued_at=utc_time(claims["iat"]),
            proven=tuple(seq for seq, proven in shown.items() if proven),
            unproven=tuple(seq for seq, proven in shown.items() if not proven),
            kept_proven=None if kept is None else log.proves(kept),
            record=ReadOnlyDict(record),
        )
    except _UNREADABLE:
        raise EvidenceInvalid("The record cannot be read.", reason="malformed") from None


def _read_source(
    source: Mapping[str, Any] | str | Path | Evidence, keys: KeySet
) -> Mapping[str, Any]:
    found = source.to_dict() if isinstance(source, Evidence) else read_document(source, "record")
    if found.get("format") == FORMAT:
        found = verify_evidence(found, keys=keys).json()
    if not isinstance(found, Mapping):
        raise EvidenceInvalid("This is no consent's record.", reason="malformed")
    return found


def _check_signed_parts(document: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    if not document.keys() <= _MEMBERS:
        raise EvidenceInvalid(
            "Beside the record stands what nobody has signed.", reason="malformed"
        )
    for part in ("record", "text"):
        if not same_json(document.get(part), claims[part]):
            raise EvidenceInvalid(f"The {part} is not the one that was signed.", reason=part)
    named = claims["record"]["dpv:hasNotice"].get("xq:textSha256")
    pairs = zip(claims["text"]["zh"], claims["text"]["en"], strict=True)
    shown = "\n".join(f"{zh}\n{en}" for zh, en in pairs)
    if shown and hashlib.sha256(shown.encode()).hexdigest() != named:
        raise EvidenceInvalid("The text is not the one that the record names.", reason="text")


def _read_receipts(document: Mapping[str, Any], *, known: AbstractSet[str]) -> Mapping[str, Reader]:
    """Parse the receipts, by leaf name; refuse doubled ones, foreign leaves and unknown members."""
    given = document.get("receipts", [])
    if not isinstance(given, list):
        raise TypeError(given)
    receipts = {each["disclosure_id"]: Reader.of(each, "a receipt") for each in given}
    if len(receipts) != len(given) or not receipts.keys() <= known:
        raise ReceiptInvalid("There are two receipts of one leaf, or one of no leaf of the record.")
    if any(each.members.keys() != _RECEIPT for each in receipts.values()):
        raise ReceiptInvalid("A receipt holds more than the log says, or less.")
    return receipts


def _check_events(record: Mapping[str, Any]) -> None:
    events = record["xq:events"]
    for event in events:
        for name in ("dct:date", "xq:act"):
            _text(event, name)
    if [_seq(event) for event in events] != list(range(1, record["dct:hasVersion"] + 1)):
        raise EvidenceInvalid("The record lacks an event.", reason="events")
    if not same_json(_scope(events[-1]), _scope(record["dpv:hasProcess"])):
        raise EvidenceInvalid(
            "What the record allows is not what was decided last.", reason="scope"
        )


def _scope(part: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Any, Any]:
    """Data, duration and separate consents, without `xq:fields`, which events do not have.

    An event of before there were separate consents has none, and its process an empty list.
    """
    data = [
        {name: value for name, value in each.items() if name != "xq:fields"}
        for each in part["dpv:hasPersonalData"]
    ]
    return data, part["dpv:hasDuration"], part.get(_SEPARATE, [])


def _event_leaf(record: Mapping[str, Any], event: Mapping[str, Any]) -> _Leaf:
    """The event's log leaf, recomputed unless its salt was erased."""
    what, name = f"Event {_seq(event)}", f"{record['dct:identifier']}-{_seq(event)}"
    if "xq:leaf" not in event:
        return _Leaf(name, None)
    return _recompute_leaf(event, _row(record, event), name, what)


def _kept_leaf(record: Mapping[str, Any]) -> _Leaf:
    kept = record["xq:kept"]
    since = parse_time(kept["dct:date"]) - datetime(1970, 1, 1, tzinfo=UTC)
    name = f"{record['dct:identifier']}-k{since // timedelta(microseconds=1)}"
    if "xq:leaf" not in kept:
        return _Leaf(name, None)
    row = {
        **_parties(record),
        "form": FORM_OF_KEPT,
        "person": kept["xq:leaf"]["xq:personSha256"],
        "at": kept["dct:date"],
    }
    return _recompute_leaf(kept, row, name, "That it was kept")


def _recompute_leaf(
    event: Mapping[str, Any], row: Mapping[str, Any], name: str, what: str
) -> _Leaf:
    given = event["xq:leaf"]
    if given["dct:identifier"] != name:
        raise EvidenceInvalid("A leaf belongs to another event.", reason="leaf")
    if "xq:personSalt" in given:
        person = {
            "actor": event["dpv:isImplementedByEntity"],
            "identity_token_digest": event.get("xq:identityTokenSha256"),
        }
        if _salted_hash(given["xq:personSalt"], person) != given["xq:personSha256"]:
            raise EvidenceInvalid(f"{what} is not what its person did.", reason="person")
    digest = given["xq:leafSha256"]
    if _salted_hash(given["xq:salt"], row) != digest:
        raise EvidenceInvalid(f"{what} is not what its leaf says.", reason="leaf")
    return _Leaf(name, digest)


def _row(record: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    times = [each for each in event["dpv:hasDuration"] if each["@type"] == _TIMES]
    return {
        **_parties(record),
        **_form(event),
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


def _form(event: Mapping[str, Any]) -> dict[str, Any]:
    """Form of the event's leaf, with the separate consents that the newer one holds."""
    if _SEPARATE not in event:
        return {"form": FORM_UNSEPARATED}
    given = [
        {"item": each["dct:identifier"], "giver": each["xq:giver"]} for each in event[_SEPARATE]
    ]
    return {"form": FORM, "separate_consents": given}


def _parties(record: Mapping[str, Any]) -> dict[str, Any]:
    process = record["dpv:hasProcess"]
    return {
        "uscc": record["dpv:hasDataSubject"]["dct:identifier"],
        "consent_id": record["dct:identifier"],
        "client_id": process["dpv:hasRecipient"],
        "purpose": process["dpv:hasPurpose"]["@id"].rpartition(":")[2],
    }


def _codes(event: Mapping[str, Any], kind: str) -> list[str]:
    data = event["dpv:hasPersonalData"]
    return [each["dct:identifier"] for each in data if each["@id"].startswith(kind)]


def _salted_hash(salt: str, row: Mapping[str, Any]) -> str:
    """SHA-256(salt ‖ row in RFC 8785 form); keys are ASCII, numbers integers, so sorting suffices."""
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(parse_hex(salt) + text.encode()).hexdigest()


def _seq(event: Mapping[str, Any]) -> int:
    seq = event["dct:identifier"]
    if type(seq) is not int:
        raise TypeError(seq)
    return seq


def _text(part: Mapping[str, Any], name: str) -> str:
    if not isinstance(part[name], str):
        raise TypeError(part[name])
    return str(part[name])
