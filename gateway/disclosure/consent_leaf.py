"""Log leaf of a consent event: SHA-256(salt ‖ canonical row), RFC 8785. Pure.

The row holds the acting person only as SHA-256(person's salt ‖ canonical person), so that the client
can recompute the leaf without learning who at the enterprise decided.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from consent import Consent, Event
from consent.mapping import separate_to_json
from consent.record import hex_or_none, record_time
from gateway.transparency.disclosure_leaf import new_salt

EVENT_FORM: Final = "consent_event.v2"
EVENT_FORM_UNSEPARATED: Final = "consent_event.v1"
"""Form of events without `separate_consents`: requests, and events of before there were any."""
KEPT_FORM: Final = "consent_kept.v1"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAF_ID: Final = re.compile(r"(cst_[a-z2-7]{26})-[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Salts:
    """The salts of one leaf, 32 random bytes each; without them a leaf discloses nothing."""

    row: bytes
    person: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptConsent:
    """The decision of a new legal representative to keep a predecessor's consent. Not shown to clients."""

    actor: str
    identity_token_digest: bytes
    at: datetime


def new_salts() -> Salts:
    """New salts for one leaf."""
    return Salts(row=new_salt(), person=new_salt())


def leaf_id(event: Event) -> str:
    """The id of the event's leaf in the log and in receipts: `cst_…-1`, `cst_…-2`, …."""
    return f"{event.consent_id}-{event.seq}"


def kept_leaf_id(consent_id: str, kept: KeptConsent) -> str:
    """The id of the leaf of a decision to keep: `cst_…-k` and its time in microseconds."""
    since = kept.at - _EPOCH
    return f"{consent_id}-k{since // timedelta(microseconds=1)}"


def consent_of_leaf(leaf: str) -> str | None:
    """The consent's id in the id of an event's leaf; `None` for any other id."""
    found = _LEAF_ID.fullmatch(leaf)
    return found[1] if found else None


def leaf_hash(consent: Consent, event: Event, salts: Salts) -> bytes:
    """The leaf hash of a consent event: the 32 bytes that enter the log."""
    person = person_digest(event, salts.person)
    return hashlib.sha256(salts.row + canonical(consent, event, person)).digest()


def kept_leaf_hash(consent: Consent, kept: KeptConsent, salts: Salts) -> bytes:
    """The leaf hash of a decision to keep a consent."""
    row = {
        "form": KEPT_FORM,
        "uscc": consent.uscc,
        "consent_id": consent.consent_id,
        "client_id": consent.client_id,
        "purpose": consent.purpose.value,
        "person": person_digest(kept, salts.person).hex(),
        "at": record_time(kept.at),
    }
    return hashlib.sha256(salts.row + _jcs(row)).digest()


def person_digest(event: Event | KeptConsent, salt: bytes) -> bytes:
    """Salted digest of the acting person and of the identity provider's signed token."""
    person = {
        "actor": event.actor,
        "identity_token_digest": hex_or_none(event.identity_token_digest),
    }
    return hashlib.sha256(salt + _jcs(person)).digest()


def canonical(consent: Consent, event: Event, person: bytes) -> bytes:
    """The canonical row: digests in hexadecimal, times with the offset of Shanghai as in the record."""
    separate = event.scope.separate_consents
    separated = {} if separate is None else {"separate_consents": separate_to_json(separate)}
    return _jcs(
        {
            "form": EVENT_FORM_UNSEPARATED if separate is None else EVENT_FORM,
            **separated,
            "uscc": event.uscc,
            "consent_id": event.consent_id,
            "client_id": consent.client_id,
            "purpose": consent.purpose.value,
            "seq": event.seq,
            "what": event.what.value,
            "person": person.hex(),
            "channel": event.channel.value,
            "at": record_time(event.at),
            "datasets": list(event.scope.datasets),
            "questions": list(event.scope.questions),
            "valid_until": record_time(event.scope.valid_until),
            "max_uses": event.scope.max_uses,
            "text_version": event.text_version,
            "text_digest": hex_or_none(event.text_digest),
            "language": event.language,
        }
    )


def _jcs(row: Mapping[str, object]) -> bytes:
    """Canonical JSON (RFC 8785): keys are ASCII and numbers integers, so sorting suffices."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
