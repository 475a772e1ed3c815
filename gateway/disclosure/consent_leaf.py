"""Each event of a consent is a leaf of the log: SHA-256(salt ‖ canonical row), RFC 8785. Pure.

The row names the person who acted by SHA-256(person's salt ‖ canonical person) only: so the client
can recompute the leaf of an event without learning who at the enterprise decided.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from consent import Consent, Event
from gateway.transparency.log_leaf import new_salt

FORM: Final = "consent_event.v1"
FORM_OF_KEPT: Final = "consent_kept.v1"
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAF_ID: Final = re.compile(r"(cst_[a-z2-7]{26})-[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Salts:
    """What makes a leaf say nothing to whoever lacks them; 32 random bytes each."""

    row: bytes
    person: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLeaf:
    """That a new legal representative lets a predecessor's consent go on. The client is not told."""

    actor: str
    identity_token_digest: bytes
    at: datetime


def new_salts() -> Salts:
    """The salts for one leaf."""
    return Salts(row=new_salt(), person=new_salt())


def leaf_id(event: Event) -> str:
    """The name of the event's leaf in the log and in receipts: `cst_…-1`, `cst_…-2`, …."""
    return f"{event.consent_id}-{event.seq}"


def kept_leaf_id(consent_id: str, kept: StoredLeaf) -> str:
    """The name of that decision's leaf: `cst_…-k` and its time in microseconds."""
    since = kept.at - _EPOCH
    return f"{consent_id}-k{since // timedelta(microseconds=1)}"


def consent_in(name: str) -> str | None:
    """The id of the consent of whose event this is the leaf's name; of anything else nothing."""
    found = _LEAF_ID.fullmatch(name)
    return found[1] if found else None


def leaf_hash(consent: Consent, event: Event, salts: Salts) -> bytes:
    """The 32 bytes that enter the log."""
    person = person_digest(event, salts.person)
    return hashlib.sha256(salts.row + canonical(consent, event, person)).digest()


def kept_leaf_hash(consent: Consent, kept: StoredLeaf, salts: Salts) -> bytes:
    """The same for a consent that is kept."""
    row = {
        "form": FORM_OF_KEPT,
        "uscc": consent.uscc,
        "consent_id": consent.consent_id,
        "client_id": consent.client_id,
        "purpose": consent.purpose.value,
        "person": person_digest(kept, salts.person).hex(),
        "at": as_written(kept.at),
    }
    return hashlib.sha256(salts.row + _jcs(row)).digest()


def person_digest(event: Event | StoredLeaf, salt: bytes) -> bytes:
    """Who acted, and the digest of the identity provider's signed token, behind a salt."""
    person = {"actor": event.actor, "identity_token_digest": _hex(event.identity_token_digest)}
    return hashlib.sha256(salt + _jcs(person)).digest()


def canonical(consent: Consent, event: Event, person: bytes) -> bytes:
    """The row: digests in hexadecimal, times with the offset of Shanghai as in the record."""
    return _jcs(
        {
            "form": FORM,
            "uscc": event.uscc,
            "consent_id": event.consent_id,
            "client_id": consent.client_id,
            "purpose": consent.purpose.value,
            "seq": event.seq,
            "what": event.what.value,
            "person": person.hex(),
            "channel": event.channel.value,
            "at": as_written(event.at),
            "datasets": list(event.scope.datasets),
            "questions": list(event.scope.questions),
            "valid_until": as_written(event.scope.valid_until),
            "max_uses": event.scope.max_uses,
            "text_version": event.text_version,
            "text_digest": _hex(event.text_digest),
            "language": event.language,
        }
    )


def _jcs(row: Mapping[str, object]) -> bytes:
    """RFC 8785: the keys are ASCII and the only numbers are integers, so sorting is all of it."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def as_written(moment: datetime) -> str:
    """A time as rows and records have it: RFC 3339, in the province's own offset."""
    return moment.astimezone(_SHANGHAI).isoformat()
