"""The fake resource server: answers under /v1 from the test's data, unsigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args

import httpx2

from xinqiao._core.closed_lists import QUESTION_RULES, ConsentStatus
from xinqiao._core.strict import parse_json
from xinqiao._core.uscc import normalise, warnings_of
from xinqiao.testing._enterprises import FakeAgreement, FakeConsent, FakeEnterprise

from . import _queries
from ._consents import FakeConsents
from ._feed import FakeDisclosure, FakeFeed, is_wait
from ._http_rules import METHODS, problem_of, read_body, unreadable, wrong_parameter
from ._ids import new_id
from ._log import FakeLog
from ._mistakes import known
from ._published import CATALOGUE_VERSION
from ._request_rules import Body, consent_problem, query_problem, verification_problem
from ._signing import json_response
from ._stored_answers import StoredAnswers, UsedKey
from ._verifications import FakeVerifications, rests_on_consent

MERGE_DELAY: Final = timedelta(seconds=10)
_LONGEST_LOOK: Final = 30
"""The longest `wait` at a consent, in seconds."""
_CONSENTS_PAGE: Final = 100
_LONGEST_CURSOR: Final = 64
#: States of a consent in which a token that was given for it can be used.
_BINDING: Final = frozenset({"active", "paused", "exhausted"})


class FakeRefusal(Exception):
    """A refusal of a well-formed call, by the code of its problem."""

    def __init__(self, code: str) -> None:
        """Carry the code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRecord:
    """A record that is told no more, the code of its enterprise, and the kind of its notice."""

    uscc: str
    record: Mapping[str, Any]
    kind: str


@dataclass(slots=True, kw_only=True)
class FakeResourceServer:
    """Enterprises, consents, and answers stored by idempotency key."""

    recipient: str
    log: FakeLog
    agreement: FakeAgreement = field(default_factory=FakeAgreement)
    enterprises: dict[str, FakeEnterprise] = field(default_factory=dict)
    consents: FakeConsents = field(default_factory=FakeConsents)
    unavailable: set[str] = field(default_factory=set)
    """Datasets whose source is unavailable."""
    retention_days: int = 0
    feed: FakeFeed = field(default_factory=FakeFeed)
    stored: StoredAnswers = field(default_factory=StoredAnswers)
    verifications: FakeVerifications = field(default_factory=FakeVerifications)
    cursors: _queries.FakeCursors = field(default_factory=_queries.FakeCursors)
    ended: dict[str, EndedRecord] = field(default_factory=dict)
    """Records that are told no more, by id."""

    @property
    def record_ids(self) -> list[str]:
        """Ids of the records in all files."""
        return [each["record_id"] for file in self.enterprises.values() for each in file.records]

    def find_record(self, record_id: str) -> tuple[str, Mapping[str, Any]]:
        """A record of a file, with the code of its enterprise."""
        known(record_id, self.record_ids, "id of a record in a file")
        return next(
            (uscc, record)
            for uscc, enterprise in self.enterprises.items()
            for record in enterprise.records
            if record["record_id"] == record_id
        )

    def drop_record(self, record_id: str) -> None:
        """Take a record out of its file."""
        uscc, _ = self.find_record(record_id)
        enterprise = self.enterprises[uscc]
        left = tuple(each for each in enterprise.records if each["record_id"] != record_id)
        self.enterprises[uscc] = replace(enterprise, records=left)

    def put_record(self, uscc: str, record: Mapping[str, Any]) -> None:
        """Put a record at the end of its enterprise's file."""
        enterprise = self.enterprises[uscc]
        self.enterprises[uscc] = replace(enterprise, records=(*enterprise.records, record))

    def answer(
        self, request: httpx2.Request, *, now: float, bound: str | None = None
    ) -> httpx2.Response:
        """Answer one authorised call; `bound`: id of the consent that its token was given for."""
        when, path = datetime.fromtimestamp(int(now), UTC), request.url.path
        posts: dict[str, Callable[[httpx2.Request, Body, datetime], httpx2.Response]] = {
            "/v1/verifications": self._verification,
            "/v1/queries": self._query,
            "/v1/consents": self._consent_request,
            "/v1/changes/ack": self._acknowledge,
        }
        if request.method not in METHODS.get(path, {request.method}):
            return problem_of("method_not_allowed")
        if request.method != "POST" or path not in posts:
            return wrong_parameter(request) or self._read_only(request, path, when)
        refusal = unreadable(request)
        if refusal is None and path != "/v1/changes/ack" and not self.stored.pin(request, when):
            refusal = "idempotency_conflict"
        if refusal is not None:
            return problem_of(refusal)
        body = read_body(request)
        if isinstance(body, httpx2.Response):
            return body
        try:
            return posts[path](request, self._under(bound, body, path, when), when)
        except FakeRefusal as refused:
            return problem_of(refused.code, body)

    def _under(self, bound: str | None, body: Body, path: str, when: datetime) -> Body:
        """A body that asks under the consent of its token, if it has one."""
        if bound is None or path not in {"/v1/verifications", "/v1/queries"}:
            return body
        consent = self.consents.held[bound]
        _refuse_if(query_problem(body) if "datasets" in body else verification_problem(body))
        own = normalise(body["enterprise"]["uscc"]) == consent.uscc
        if not own or body.get("consent_id", bound) not in {bound, None}:
            raise FakeRefusal("not_available")
        if path == "/v1/verifications" and consent.status_at(when) not in _BINDING:
            raise FakeRefusal("invalid_token")
        return {**body, "consent_id": bound}

    def _read_only(self, request: httpx2.Request, path: str, when: datetime) -> httpx2.Response:
        if path == "/v1/questions":
            return _questions()
        if path == "/v1/changes":
            values = request.url.params
            page = self.feed.page(values.get("after", "0"), values.get("wait", "0"))
            return problem_of("invalid_request") if page is None else json_response(200, page)
        if path == "/v1/consents":
            values = request.url.params
            return self._consents(values.get("status"), values.get("after", ""), when)
        if path.startswith("/v1/consents/"):
            return self._consent(request, path.removeprefix("/v1/consents/"), when)
        if path.startswith("/v1/receipts/"):
            receipt = self.log.receipt(path.removeprefix("/v1/receipts/"))
            return problem_of("not_found") if receipt is None else json_response(200, receipt)
        return problem_of("not_found")

    # Verifications

    def _verification(self, request: httpx2.Request, body: Body, when: datetime) -> httpx2.Response:
        _refuse_if(verification_problem(body))
        asked = body["questions"]
        tags = [each["question"] for each in asked]
        if not self.agreement.covers(purpose=body["purpose"], questions=tags):
            raise FakeRefusal("not_in_agreement")
        stored = self.stored.find(request)
        uscc = normalise(body["enterprise"]["uscc"])
        consent = self._usable_consent(body, when, repeated=stored is not None)
        enterprise = self.enterprises.get(uscc, FakeEnterprise(uscc=uscc))
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

    # Queries

    def _query(self, request: httpx2.Request, body: Body, when: datetime) -> httpx2.Response:
        _refuse_if(query_problem(body))
        cursor = None
        if body.get("page", {}).get("cursor") is not None:
            cursor = self.cursors.read(body, when)
            _refuse_if("invalid_request" if cursor is None else None)
        stored = self.stored.find(request)
        purpose, datasets = body["purpose"], body["datasets"]
        if not any(self.agreement.covers(purpose=purpose, datasets=[name]) for name in datasets):
            raise FakeRefusal("not_in_agreement")
        spends = cursor is None and stored is None
        consent = self._consent_of(body, when, cursor, spends=spends)
        if stored is not None:
            _refuse_if(None if self._holds_all(stored) else "idempotency_conflict")
            return stored.response()
        if spends:
            consent.spend()
        start = 0 if cursor is None else cursor.start
        page = self._page(body, consent, when, start)
        return self.stored.store(request, json_response(200, page))

    def _consent_of(
        self, body: Body, when: datetime, cursor: _queries.FakeCursor | None, *, spends: bool
    ) -> FakeConsent:
        """The consent that allows a query, in part at least."""
        consent = self.consents.find(body)
        if consent is None or (cursor is not None and cursor.consent_id != consent.consent_id):
            raise FakeRefusal("not_available")
        refusal = consent.refusal(when)
        if refusal is not None and (spends or refusal != "consent_exhausted"):
            raise FakeRefusal(refusal)
        if set(body["datasets"]).isdisjoint(consent.datasets):
            raise FakeRefusal("not_available")
        return consent

    def _holds_all(self, stored: UsedKey) -> bool:
        """Whether every record of a stored answer is still the same."""
        held = {
            (record["record_id"], record.get("version", 1))
            for enterprise in self.enterprises.values()
            for record in enterprise.records
        }
        told = parse_json(stored.content)["records"]
        return all((record["record_id"], record["version"]) in held for record in told)

    def _page(self, body: Body, consent: FakeConsent, when: datetime, start: int) -> dict[str, Any]:
        reasons = _queries.reasons_withheld(
            body, agreement=self.agreement, consent=consent, unavailable=self.unavailable
        )
        file = self.enterprises.get(consent.uscc, FakeEnterprise(uscc=consent.uscc))
        records = [
            record
            for record in file.records
            if record["dataset"] in body["datasets"]
            and record["dataset"] not in reasons
            and _queries.passes_filter(record, body)
        ]
        end = start + body.get("page", {}).get("size", 50)
        told = [
            _queries.complete_record(
                consent.allowed(record),
                consent,
                when,
                catalogue=CATALOGUE_VERSION,
                retention_days=self.retention_days,
            )
            for record in records[start:end]
        ]
        head = self._head(body, when)
        self.feed.disclosed[head["disclosure_id"]] = FakeDisclosure(
            consent_id=consent.consent_id,
            asked=frozenset(body["datasets"]),
            record_ids=frozenset(record["record_id"] for record in told),
        )
        cursor = self.cursors.write(body, consent, end, when) if end < len(records) else None
        until = consent.valid_until
        return head | {
            "recipient": self.recipient,
            "consent": {
                "consent_id": consent.consent_id,
                "valid_until": until and until.isoformat(),
                "uses_left": consent.uses_left,
                "separate_consents": [dict(each) for each in consent.separate_consents],
            },
            "records": told,
            "withheld": _queries.withheld(body["datasets"], reasons, consent),
            "page": {"cursor": cursor},
        }

    # Consents and the feed

    def _consent_request(
        self, request: httpx2.Request, body: Body, when: datetime
    ) -> httpx2.Response:
        _refuse_if(consent_problem(body, when))
        datasets, questions = body.get("datasets", ()), body.get("questions", ())
        if not self.agreement.covers(
            purpose=body["purpose"], datasets=datasets, questions=questions
        ):
            raise FakeRefusal("not_in_agreement")
        made = self.stored.find(request)
        if made is not None:
            return made.response()
        consent = self.consents.request(body, when)
        if isinstance(consent, str):
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
        ][:_CONSENTS_PAGE]
        more = chosen[-1].consent_id if len(chosen) == _CONSENTS_PAGE else None
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

    def _acknowledge(self, _: httpx2.Request, body: Body, when: datetime) -> httpx2.Response:
        if self.feed.page(body["cursor"]) is None:
            raise FakeRefusal("invalid_request")
        told = {"cursor": body["cursor"], "acknowledged_at": when.isoformat()}
        return json_response(200, told)

    def _head(self, body: Body, when: datetime) -> dict[str, Any]:
        disclosure_id, uscc = new_id("dsc"), body["enterprise"]["uscc"]
        promise = {
            "leaf_hash": self.log.append(disclosure_id),
            "log": self.log.url,
            "merge_by": (when + MERGE_DELAY).isoformat(),
        }
        warnings = warnings_of(uscc)
        return {
            **({"warnings": warnings} if warnings else {}),
            "disclosure_id": disclosure_id,
            "enterprise": {"uscc": normalise(uscc)},
            "purpose": body["purpose"],
            "as_of": when.isoformat(),
            "log_promise": promise,
        }


def _questions() -> httpx2.Response:
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
    return json_response(200, {"catalogue_version": CATALOGUE_VERSION, "questions": entries})


def _refuse_if(code: str | None) -> None:
    if code is not None:
        raise FakeRefusal(code)
