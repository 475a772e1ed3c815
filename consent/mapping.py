"""Mapping between consents, events, requests and their rows or JSON."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from consent.model import (
    Act,
    Channel,
    Consent,
    Event,
    Giver,
    Purpose,
    Request,
    Scope,
    SeparateConsent,
    SeparateConsents,
    Status,
)

Row = Mapping[str, Any]

_COLUMNS = tuple(field.name for field in fields(Consent))
_EVENT_COLUMNS = tuple(field.name for field in fields(Event) if field.name != "scope")


def row_of(consent: Consent) -> dict[str, Any]:
    """Columns of table `consent`."""
    return asdict(consent) | {
        "purpose": consent.purpose.value,
        "status": consent.status.value,
        "channel": consent.channel.value,
        "datasets": list(consent.datasets),
        "questions": list(consent.questions),
        "fields": None if consent.fields is None else list(consent.fields),
        "separate_consents": separate_to_json(consent.separate_consents),
    }


def separate_to_json(separate: SeparateConsents) -> list[dict[str, str]]:
    """Separate consents as a JSON array, as stored."""
    return [{"item": each.item, "giver": each.giver.value} for each in separate]


def _separate_of(found: list[dict[str, str]]) -> SeparateConsents:
    return tuple(SeparateConsent(item=each["item"], giver=Giver(each["giver"])) for each in found)


def consent_of(row: Row) -> Consent:
    """A consent from the columns of its row; columns newer than this code are ignored."""
    return Consent(
        **{name: row[name] for name in _COLUMNS}
        | {
            "purpose": Purpose(row["purpose"]),
            "status": Status(row["status"]),
            "channel": Channel(row["channel"]),
            "datasets": tuple(row["datasets"]),
            "questions": tuple(row["questions"]),
            "fields": None if row["fields"] is None else tuple(row["fields"]),
            "separate_consents": _separate_of(row["separate_consents"]),
        }
    )


def request_to_json(request: Request) -> dict[str, Any]:
    """A request as a JSON object; `valid_until` in RFC 3339."""
    return asdict(request) | {
        "purpose": request.purpose.value,
        "datasets": list(request.datasets),
        "questions": list(request.questions),
        "valid_until": request.valid_until.isoformat(),
    }


def request_from_json(document: Mapping[str, Any]) -> Request:
    """Parse the output of `request_to_json`; other members are ignored."""
    return Request(
        client_id=document["client_id"],
        uscc=document["uscc"],
        purpose=Purpose(document["purpose"]),
        datasets=tuple(document["datasets"]),
        questions=tuple(document["questions"]),
        valid_until=datetime.fromisoformat(document["valid_until"]),
        max_uses=document["max_uses"],
        amends=document.get("amends"),
    )


def row_of_event(event: Event) -> dict[str, Any]:
    """Columns of table `consent_event`."""
    columns = {name: getattr(event, name) for name in _EVENT_COLUMNS} | asdict(event.scope)
    separate = event.scope.separate_consents
    return columns | {
        "separate_consents": None if separate is None else separate_to_json(separate),
        "what": event.what.value,
        "channel": event.channel.value,
        "datasets": list(event.scope.datasets),
        "questions": list(event.scope.questions),
    }


def event_of(row: Row) -> Event:
    """An event from the columns of its row."""
    scope = Scope(
        datasets=tuple(row["datasets"]),
        questions=tuple(row["questions"]),
        valid_until=row["valid_until"],
        max_uses=row["max_uses"],
        separate_consents=None
        if row["separate_consents"] is None
        else _separate_of(row["separate_consents"]),
    )
    return Event(
        **{name: row[name] for name in _EVENT_COLUMNS}
        | {"what": Act(row["what"]), "channel": Channel(row["channel"]), "scope": scope}
    )
