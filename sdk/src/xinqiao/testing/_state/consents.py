"""Consents of the fake gateway's client: requests, decisions, the one that a call rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any, Final

from xinqiao._core.wire.dates import CHINA, end_of_term
from xinqiao._core.wire.strict import parse_time
from xinqiao._core.wire.uscc import normalise
from xinqiao.testing._rules import lifetimes
from xinqiao.testing._rules.request_rules import Wrong
from xinqiao.testing._state.enterprises import FakeConsent

from .ids import new_id

_NOTHING_TO_AMEND: Final = (
    "amends names no consent of yours with this enterprise and for this purpose."
)
_COOLING_DOWN: Final = "The enterprise refused a short while ago; ask again from {} on."


@dataclass(slots=True, kw_only=True)
class FakeConsents:
    """Consents by id, in the order of their requests; and of their grants."""

    held: dict[str, FakeConsent] = field(default_factory=dict)

    def request(self, body: Mapping[str, Any], when: datetime) -> FakeConsent | Wrong:
        """A new request, or what is wrong with it: an unknown consent to amend, or a cool-down."""
        uscc, amends = normalise(body["enterprise"]["uscc"]), body.get("amends")
        if amends is not None:
            running = self.held.get(amends)
            if running is None or (running.uscc, running.purpose) != (uscc, body["purpose"]):
                return Wrong("not_found", _NOTHING_TO_AMEND)
            if running.status_at(when) not in {"active", "paused"}:
                return Wrong(running.refusal(when) or "not_available")
        cooled_down = self.cooled_down_at(uscc, body["purpose"])
        if cooled_down is not None and when < cooled_down:
            return Wrong(
                "cooling_down",
                _COOLING_DOWN.format(cooled_down.astimezone(CHINA).isoformat(timespec="seconds")),
                retry_after=ceil((cooled_down - when).total_seconds()),
            )
        until = term_of(body.get("valid_until"), when)
        return self.keep(
            FakeConsent(
                consent_id=new_id("cst"),
                uscc=uscc,
                purpose=body["purpose"],
                datasets=tuple(dict.fromkeys(body.get("datasets", ()))),
                questions=tuple(dict.fromkeys(body.get("questions", ()))),
                valid_until=until,
                max_uses=body.get("max_uses"),
                uses_left=body.get("max_uses"),
                status="requested",
                answer_by=min(when + lifetimes.CONSENT_REQUEST, until),
                amends=amends,
            )
        )

    def keep(self, consent: FakeConsent) -> FakeConsent:
        """Keep a consent, the last of all."""
        self.held.pop(consent.consent_id, None)
        self.held[consent.consent_id] = consent
        return consent

    def grant(self, consent_id: str, when: datetime) -> FakeConsent:
        """Grant a request, in the place of what is open for the same purpose.

        One that amends changes the running consent, which keeps its id and uses.
        """
        asked = self.held[consent_id]
        if asked.amends is None:
            for each in self.held.values():
                is_open = each.status_at(when) in {"requested", "active", "paused"}
                if is_open and (each.uscc, each.purpose) == (asked.uscc, asked.purpose):
                    each.status = "superseded"
            asked.status, asked.decided_at = "active", when
            return self.keep(asked)
        running = self.held[asked.amends]
        spent = (running.max_uses or 0) - (running.uses_left or 0)
        running.datasets, running.questions = asked.datasets, asked.questions
        running.valid_until, running.max_uses = asked.valid_until, asked.max_uses
        running.uses_left = None if asked.max_uses is None else max(0, asked.max_uses - spent)
        asked.status = "superseded"
        return running

    def refuse(self, consent_id: str, when: datetime) -> None:
        """Refuse a request: the same is not asked for again within the cool-down."""
        consent = self.held[consent_id]
        consent.status, consent.decided_at = "refused", when
        consent.cool_down_until = when + lifetimes.COOL_DOWN

    def cooled_down_at(self, uscc: str, purpose: str) -> datetime | None:
        """When the last refusal of the same has cooled down."""
        ends = (
            each.cool_down_until
            for each in self.held.values()
            if (each.uscc, each.purpose) == (uscc, purpose) and each.cool_down_until is not None
        )
        return max(ends, default=None)

    def give_up(self, consent: FakeConsent, when: datetime) -> None:
        """Give a consent up; what is over already stays as it is."""
        if consent.status_at(when) in {"requested", "active", "paused"}:
            consent.status = "withdrawn"

    def find(self, body: Mapping[str, Any]) -> FakeConsent | None:
        """The consent that a call rests on: the one that it names, or the one given last."""
        uscc, named = normalise(body["enterprise"]["uscc"]), body.get("consent_id")
        found = [
            each
            for each in self.held.values()
            if (each.uscc, each.purpose) == (uscc, body["purpose"])
            and (each.was_given if named is None else each.consent_id == named)
        ]
        return found[-1] if found else None


def term_of(valid_until: str | None, when: datetime) -> datetime:
    """The end of the term asked for, by default of the 90th day."""
    if valid_until is not None:
        return parse_time(valid_until)
    return end_of_term((when + lifetimes.DEFAULT_TERM).astimezone(CHINA).date())
