"""The fake resource server: answers under /v1 from the test's data, unsigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx2

from xinqiao._core.wire.closed_lists import QUESTION_RULES
from xinqiao._core.wire.strict import parse_json
from xinqiao._core.wire.uscc import normalise
from xinqiao.testing._rules.http_rules import (
    METHODS,
    problem_of,
    read_body,
    unreadable,
    wrong_parameter,
)
from xinqiao.testing._rules.lifetimes import MERGE
from xinqiao.testing._rules.published import BUNDLES, CATALOGUE_VERSION
from xinqiao.testing._rules.request_rules import Body, Wrong, query_problem, verification_problem
from xinqiao.testing._state.enterprises import FakeConsent, FakeEnterprise
from xinqiao.testing._state.feed import FakeDisclosure
from xinqiao.testing._state.ids import new_id

from .bundles import expand
from .consent_endpoints import FakeRefusal, refuse_if, refuse_outside
from .outcomes import query_of_path
from .query_server import FakeQueryServer
from .signing import json_response
from .verifications import FakeVerifications, rests_on_consent
from .watches import WATCHES, FakeWatches

UNKNOWN_CURSOR: Final = "Give a cursor that this feed has given you."
_ANOTHERS: Final = "This token was given for the consent of another enterprise."
_ENDED: Final = (
    "The consent that this token was given for has ended; ask the enterprise for a new one."
)

_NO_LEAF: Final = (
    "The log holds no such disclosure or event of yours. A fresh one is merged within "
    f"{MERGE.seconds} seconds: ask again."
)
_POSTS: Final = frozenset({"/v1/verifications", "/v1/queries", "/v1/consents", "/v1/changes/ack"})
#: States of a consent in which a token that was given for it can be used.
_BINDING: Final = frozenset({"active", "paused", "exhausted"})


@dataclass(slots=True, kw_only=True)
class FakeResourceServer(FakeQueryServer):
    """Answers to verifications, queries and reads, stored by idempotency key."""

    verifications: FakeVerifications = field(default_factory=FakeVerifications)
    watches: FakeWatches = field(init=False)

    def __post_init__(self) -> None:
        """The lists are under the client's agreement."""
        self.watches = FakeWatches(agreement=self.agreement)

    def answer(
        self, request: httpx2.Request, *, now: float, bound: str | None = None
    ) -> httpx2.Response:
        """Answer one authorised call; `bound`: id of the consent that its token was given for."""
        when, path = datetime.fromtimestamp(int(now), UTC), request.url.path
        self.notify_expired(when)
        if path == WATCHES or path.startswith(f"{WATCHES}/"):
            return self.watches.answer(request, when)
        if request.method not in METHODS.get(path, {request.method}):
            return problem_of("method_not_allowed")
        if request.method != "POST" or path not in _POSTS:
            return wrong_parameter(request) or self._by_id(request, path, when)
        return self._posted(request, path, when, bound)

    def _posted(
        self, request: httpx2.Request, path: str, when: datetime, bound: str | None
    ) -> httpx2.Response:
        posts: dict[str, Callable[[httpx2.Request, Body, datetime], httpx2.Response]] = {
            "/v1/verifications": self._verification,
            "/v1/queries": self._query,
            "/v1/consents": self._consent_request,
            "/v1/changes/ack": self._acknowledge,
        }
        wrong = unreadable(request)
        if wrong is None and path != "/v1/changes/ack" and not self.stored.pin(request, when):
            wrong = Wrong("idempotency_conflict")
        if wrong is not None:
            return problem_of(wrong.code, detail=wrong.detail)
        body = read_body(request)
        if isinstance(body, httpx2.Response):
            return body
        try:
            expanded = self._expanded(body, path)
            return posts[path](request, self._under(bound, expanded, path, when), when)
        except FakeRefusal as refused:
            wrong = refused.wrong
            return problem_of(wrong.code, body, detail=wrong.detail, retry_after=wrong.retry_after)

    def _expanded(self, body: Body, path: str) -> Body:
        """A body with what its bundle stands for."""
        found = body if path == "/v1/changes/ack" else expand(body, path, self.agreement)
        if isinstance(found, Wrong):
            raise FakeRefusal(found)
        return found

    def _under(self, bound: str | None, body: Body, path: str, when: datetime) -> Body:
        """A body that asks under the consent of its token, if it has one."""
        if bound is None or path not in {"/v1/verifications", "/v1/queries"}:
            return body
        consent = self.consents.held[bound]
        refuse_if(query_problem(body) if path == "/v1/queries" else verification_problem(body))
        if normalise(body["enterprise"]["uscc"]) != consent.uscc:
            raise FakeRefusal(Wrong("not_available", _ANOTHERS))
        if body.get("consent_id", bound) not in {bound, None}:
            raise FakeRefusal(Wrong("not_available"))
        if path == "/v1/verifications" and consent.status_at(when) not in _BINDING:
            raise FakeRefusal(Wrong("invalid_token", _ENDED))
        return {**body, "consent_id": bound}

    def _by_id(self, request: httpx2.Request, path: str, when: datetime) -> httpx2.Response:
        query = query_of_path(path)
        if query is not None:
            return self._outcome(request, query, when)
        return self._read_only(request, path, when)

    def _read_only(self, request: httpx2.Request, path: str, when: datetime) -> httpx2.Response:
        if path in _PUBLISHED:
            return json_response(200, _PUBLISHED[path]())
        if path == "/v1/changes":
            return self._changes(request)
        if path == "/v1/consents":
            values = request.url.params
            return self._consents(values.get("status"), values.get("after", ""), when)
        if path.startswith("/v1/consents/"):
            return self._consent(request, path.removeprefix("/v1/consents/"), when)
        receipt = self.log.receipt(path.removeprefix("/v1/receipts/"))
        if receipt is not None and path.startswith("/v1/receipts/"):
            return json_response(200, receipt)
        return problem_of("not_found", detail=_NO_LEAF if "/receipts/" in path else None)

    def _changes(self, request: httpx2.Request) -> httpx2.Response:
        values = request.url.params
        after = values.get("after", "0")
        page = self.feed.page(after, values.get("wait", "0"))
        if page is not None:
            return json_response(200, page)
        is_cursor = self.feed.page(after) is not None
        return problem_of("invalid_request", detail=None if is_cursor else UNKNOWN_CURSOR)

    # Verifications

    def _verification(self, request: httpx2.Request, body: Body, when: datetime) -> httpx2.Response:
        refuse_if(verification_problem(body))
        asked = body["questions"]
        tags = [each["question"] for each in asked]
        refuse_outside(self.agreement.missing(purpose=body["purpose"], questions=tags), "Your")
        stored = self.stored.find(request)
        uscc = normalise(body["enterprise"]["uscc"])
        consent = self._usable_consent(body, when, repeated=stored is not None)
        enterprise = self.files.enterprises.get(uscc, FakeEnterprise(uscc=uscc))
        answers = self.verifications.answers(asked, enterprise, consent, when)
        if stored is not None and parse_json(stored.content)["answers"] == answers:
            return stored.response()
        if consent is not None and rests_on_consent(asked, consent):
            consent = self._usable_consent(body, when, repeated=False)
            if consent is None:  # answered anew, and no use is left
                answers = self.verifications.answers(asked, enterprise, None, when)
            else:
                consent.spend()
        head = self._head(body, when) | {"verification_id": new_id("vrf")}
        if consent is not None and rests_on_consent(asked, consent):
            self.feed.disclosed[head["disclosure_id"]] = FakeDisclosure(
                consent_id=consent.consent_id, asked=frozenset(tags), record_ids=frozenset()
            )
        told = json_response(
            200, head | {"catalogue_version": CATALOGUE_VERSION, "answers": answers}
        )
        return told if stored is not None else self.stored.store(request, told)

    def _usable_consent(self, body: Body, when: datetime, *, repeated: bool) -> FakeConsent | None:
        consent = self.consents.find(body)
        refusal = "not_available" if consent is None else consent.refusal(when)
        spent = repeated and refusal == "consent_exhausted"
        return consent if refusal is None or spent else None

    # The feed

    def _acknowledge(self, _: httpx2.Request, body: Body, when: datetime) -> httpx2.Response:
        if self.feed.page(body["cursor"]) is None:
            raise FakeRefusal(Wrong("invalid_request", UNKNOWN_CURSOR))
        told = {"cursor": body["cursor"], "acknowledged_at": when.isoformat()}
        return json_response(200, told)


def _questions() -> dict[str, Any]:
    """The catalogue of questions, in its rules; the gateway's has titles and meanings too."""
    entries = [
        {
            "question": tag,
            "value": {"type": rule.value}
            | ({} if rule.value == "none" else {"required": not rule.optional})
            | ({"one_of": list(rule.one_of)} if rule.one_of else {})
            | ({"members": list(rule.members)} if rule.members else {}),
            "needs_consent": rule.needs_consent,
        }
        for tag, rule in QUESTION_RULES.items()
    ]
    return {"catalogue_version": CATALOGUE_VERSION, "questions": entries}


_PUBLISHED: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "/v1/questions": _questions,
    "/v1/bundles": lambda: {"bundles": list(BUNDLES.values())},
}
