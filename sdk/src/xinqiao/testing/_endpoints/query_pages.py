"""Pages of the fake gateway's queries: datasets told and withheld, filter, cursors, terms of use."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from xinqiao._core.wire.closed_lists import DECISION_DAYS, NEVER_TOLD, PURPOSES_OF
from xinqiao._core.wire.strict import parse_time
from xinqiao.testing._rules.lifetimes import QUERY_CURSOR
from xinqiao.testing._state.enterprises import FakeAgreement, FakeConsent

#: Never told as a whole; of the others that are named in `NEVER_TOLD` a field or more.
_CLOSED: Final = frozenset({"supervision"})
#: Told where they are published, though they are named.
_TOLD_IF_PUBLISHED: Final = frozenset({"complaint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCursor:
    """Cursor: where a page ends, of which query and under which consent."""

    query: str
    consent_id: str
    start: int
    ends_at: datetime


@dataclass(slots=True, kw_only=True)
class FakeCursors:
    """Cursors given, by their text."""

    given: dict[str, FakeCursor] = field(default_factory=dict)

    def write(
        self, body: Mapping[str, Any], consent: FakeConsent, start: int, now: datetime
    ) -> str:
        """A new cursor of this query."""
        text = secrets.token_urlsafe(24)
        self.given[text] = FakeCursor(
            query=_query_of(body),
            consent_id=consent.consent_id,
            start=start,
            ends_at=now + QUERY_CURSOR,
        )
        return text

    def read(self, body: Mapping[str, Any], now: datetime) -> FakeCursor | None:
        """The cursor in a query, if it is of this query and not too old."""
        found = self.given.get(body["page"]["cursor"])
        known = found is not None and found.query == _query_of(body) and now < found.ends_at
        return found if known else None


def reasons_withheld(
    body: Mapping[str, Any],
    *,
    agreement: FakeAgreement,
    consent: FakeConsent,
    unavailable: Iterable[str],
) -> dict[str, str]:
    """Why each dataset that is not told is withheld, by dataset; the first that lacks it."""
    purpose, reasons = body["purpose"], dict[str, str]()
    for name in body["datasets"]:
        if not agreement.covers(purpose=purpose, datasets=[name]):
            reasons[name] = "not_in_agreement"
        elif name not in consent.datasets:
            reasons[name] = "not_in_consent"
        elif purpose not in PURPOSES_OF.get(name, (purpose,)):
            reasons[name] = "not_for_purpose"
        elif name in _CLOSED:
            reasons[name] = "class_never"
        elif name in unavailable:
            reasons[name] = "source_unavailable"
    return reasons


def withheld(
    datasets: Iterable[str], reasons: Mapping[str, str], consent: FakeConsent
) -> list[dict[str, Any]]:
    """The member `withheld`: fields of a closed class, without consent or licence; then datasets."""
    told = [name for name in datasets if name not in reasons]
    in_part = [
        {"dataset": name, "fields": list(NEVER_TOLD[name]), "reason": "class_never"}
        for name in told
        if name in NEVER_TOLD
    ]
    in_part += [
        {"dataset": name, "fields": fields, "reason": "not_in_consent"}
        for name in sorted(told)
        if (fields := _fields_of(name, consent.unseparated))
    ]
    in_part += [
        {"dataset": name, "fields": fields, "reason": "not_licensed"}
        for name in told
        if (fields := _fields_of(name, consent.unlicensed))
    ]
    return [*in_part, *({"dataset": name, "reason": why} for name, why in reasons.items())]


def _fields_of(dataset: str, items: Iterable[str]) -> list[str]:
    split = (item.partition(".") for item in items)
    return sorted(name for code, _, name in split if code == dataset)


def passes_filter(record: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """True where a record was decided within the days asked for; without a day only where none are."""
    wanted = body.get("filter", {})
    first, last = wanted.get("decided_from"), wanted.get("decided_to")
    if first is None and last is None:
        return True
    day = record.get("fields", {}).get(DECISION_DAYS.get(record["dataset"], ""))
    return day is not None and (first or day) <= day <= (last or day)


def complete_record(
    record: Mapping[str, Any],
    valid_until: datetime | None,
    when: datetime,
    *,
    catalogue: str,
    retention_days: int,
) -> dict[str, Any]:
    """A record with its provenance and terms of use, without fields that no client is told."""
    own, dataset = record.get("use_until"), record["dataset"]
    ends = [valid_until, None if own is None else parse_time(own)]
    use_until = min((end for end in ends if end is not None), default=None)
    closed = () if dataset in _TOLD_IF_PUBLISHED else NEVER_TOLD.get(dataset, ())
    fields = record.get("fields", {})
    if isinstance(fields, Mapping):
        fields = {name: value for name, value in fields.items() if name not in closed}
    return {
        "version": 1,
        "source": {"name": "Fake department"},
        "source_time": when.isoformat(),
        "catalogue_version": catalogue,
        **record,
        "fields": fields,
        "use_until": use_until and use_until.isoformat(),
        "delete_by": use_until and (use_until + timedelta(days=retention_days)).isoformat(),
    }


def _query_of(body: Mapping[str, Any]) -> str:
    same = (body["enterprise"]["uscc"], body["purpose"], body["datasets"], body.get("filter", {}))
    return json.dumps(same)
