"""Consents under /v1 of the fake gateway: requests by link, lists, states, and giving up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, get_args

import httpx2

from xinqiao._core.wire.closed_lists import ConsentStatus
from xinqiao.testing._rules.http_rules import problem_of
from xinqiao.testing._rules.lifetimes import EXPIRY_NOTICE
from xinqiao.testing._rules.request_rules import Body, Wrong, consent_problem, term_problem
from xinqiao.testing._state.consents import FakeConsents
from xinqiao.testing._state.enterprises import FakeAgreement
from xinqiao.testing._state.feed import FakeFeed, is_wait
from xinqiao.testing._state.stored_answers import StoredAnswers

from .signing import json_response

_LONGEST_LOOK: Final = 30
"""The longest `wait` at a consent, in seconds."""
_PAGE: Final = 100
_LONGEST_CURSOR: Final = 64


class FakeRefusal(Exception):
    """A refusal of a well-formed call."""

    def __init__(self, wrong: Wrong) -> None:
        """Carry the code of its problem, and its sentence."""
        super().__init__(wrong.code)
        self.wrong = wrong


def refuse_if(wrong: Wrong | None) -> None:
    """Refuse a call that something is wrong with."""
    if wrong is not None:
        raise FakeRefusal(wrong)


def refuse_outside(names: Iterable[str], whose: str) -> None:
    """Refuse a call that asks for what the agreement does not cover."""
    if outside := ", ".join(names):
        raise FakeRefusal(
            Wrong("not_in_agreement", f"{whose} agreement does not cover: {outside}.")
        )


@dataclass(slots=True, kw_only=True)
class FakeConsentServer:
    """The part of the fake resource server that answers for consents."""

    agreement: FakeAgreement = field(default_factory=FakeAgreement)
    consents: FakeConsents = field(default_factory=FakeConsents)
    feed: FakeFeed = field(default_factory=FakeFeed)
    stored: StoredAnswers = field(default_factory=StoredAnswers)

    def notify_expired(self, now: datetime) -> None:
        """Give notice of the consents whose term has ended, once each, within thirty days of the end."""
        ended = [
            (each.valid_until, each.consent_id)
            for each in self.consents.held.values()
            if each.was_given and each.status_at(now) == "expired" and each.valid_until is not None
        ]
        for end, consent_id in sorted(ended):
            if now - EXPIRY_NOTICE < end and consent_id not in self.feed.expired:
                self.feed.expired.add(consent_id)
                self.feed.tell_consent("consent_expired", end, consent_id=consent_id)

    def _consent_request(
        self, request: httpx2.Request, body: Body, when: datetime
    ) -> httpx2.Response:
        refuse_if(consent_problem(body))
        datasets, questions = body.get("datasets", ()), body.get("questions", ())
        outside = self.agreement.missing(
            purpose=body["purpose"], datasets=datasets, questions=questions
        )
        refuse_outside(outside, "This client's")
        refuse_if(term_problem(body, when))
        made = self.stored.find(request)
        if made is not None:
            return made.response()
        consent = self.consents.request(body, when)
        if isinstance(consent, Wrong):
            raise FakeRefusal(consent)
        told = {
            "consent_id": consent.consent_id,
            "status": "requested",
            "capture_url": f"https://gateway.test/portal/asked/{consent.consent_id}",
            "expires_at": consent.answer_by and consent.answer_by.isoformat(),
        }
        return self.stored.store(request, json_response(201, told))

    def _consents(self, status: str | None, after: str, when: datetime) -> httpx2.Response:
        """A page by id, as the gateway gives it: a full one names the next, which may be empty."""
        if status not in {None, *get_args(ConsentStatus)} or len(after) > _LONGEST_CURSOR:
            return problem_of("invalid_request")
        chosen = [
            consent
            for consent_id, consent in sorted(self.consents.held.items())
            if consent_id > after and status in {None, consent.status_at(when)}
        ][:_PAGE]
        more = chosen[-1].consent_id if len(chosen) == _PAGE else None
        told = {"consents": [each.document(when) for each in chosen], "after": more}
        return json_response(200, told)

    def _consent(self, request: httpx2.Request, consent_id: str, when: datetime) -> httpx2.Response:
        if request.method not in {"GET", "DELETE"}:
            return problem_of("method_not_allowed")
        if not is_wait(request.url.params.get("wait", "0"), _LONGEST_LOOK):
            return problem_of("invalid_request")
        consent = self.consents.held.get(consent_id)
        if consent is None:
            return problem_of("not_found")
        if request.method == "DELETE":
            self.consents.give_up(consent, when)
            return json_response(204, None)
        return json_response(200, consent.document(when))
