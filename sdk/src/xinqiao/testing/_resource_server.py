"""The fake resource server: answers under /v1 from the test's data, unsigned."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import httpx2

from xinqiao._core.strict import parse_date, parse_json, parse_time
from xinqiao._core.uscc import is_code, warnings_of
from xinqiao.testing._enterprises import FakeConsent, FakeEnterprise

from ._feed import FakeDisclosure, FakeFeed
from ._log import FakeLog
from ._signing import json_response, problem

Body: TypeAlias = Mapping[str, Any]
_CATALOGUE = "2026.1"
MERGE_DELAY = timedelta(seconds=10)


@dataclass(slots=True, kw_only=True)
class FakeResourceServer:
    """Enterprises, consents, and answers stored by idempotency key."""

    recipient: str
    log: FakeLog
    enterprises: dict[str, FakeEnterprise] = field(default_factory=dict)
    consents: dict[str, FakeConsent] = field(default_factory=dict)
    questions: tuple[str, ...] = ()
    retention_days: int = 0
    feed: FakeFeed = field(default_factory=FakeFeed)
    given: dict[str, tuple[tuple[str, bytes], int, bytes]] = field(default_factory=dict)
    ended: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Records that are told no more, with the codes of their enterprises, by id."""

    def take_record(self, record_id: str) -> tuple[str, Mapping[str, Any]]:
        """Take a record out of its file; raises KeyError for an id that no file has."""
        for uscc, enterprise in self.enterprises.items():
            for record in enterprise.records:
                if record["record_id"] == record_id:
                    left = tuple(each for each in enterprise.records if each is not record)
                    self.enterprises[uscc] = replace(enterprise, records=left)
                    return uscc, record
        raise KeyError(record_id)

    def put_record(self, uscc: str, record: Mapping[str, Any]) -> None:
        """Put a record at the end of its enterprise's file."""
        enterprise = self.enterprises[uscc]
        self.enterprises[uscc] = replace(enterprise, records=(*enterprise.records, record))

    def answer(self, request: httpx2.Request, *, now: float) -> httpx2.Response:
        """Answer one authorised call; the same idempotency key and body get the same bytes."""
        when = datetime.fromtimestamp(int(now), UTC)
        key = request.headers.get("idempotency-key")
        if key is None:
            return self._answer(request, when)
        call = (request.url.path, request.content)
        if key in self.given:
            first, status, content = self.given[key]
            if first != call:
                return problem(409, "idempotency_conflict")
            told = {"Content-Type": "application/json"}
            refusal = self._refuse_repeat(request, content, when)
            return refusal or httpx2.Response(status, content=content, headers=told)
        response = self._answer(request, when)
        if response.status_code < 300:  # noqa: PLR2004 - success
            self.given[key] = (call, response.status_code, response.content)
        return response

    def _refuse_repeat(
        self, request: httpx2.Request, content: bytes, when: datetime
    ) -> httpx2.Response | None:
        """Refuse to repeat a query whose consent has ended, or whose records have changed since."""
        if request.url.path != "/v1/queries":
            return None
        body, told = parse_json(request.content), parse_json(content)
        consent = self._consent_for(body)
        refusal = "not_available" if consent is None else consent.refusal(when)
        if refusal not in {None, "consent_exhausted"}:
            return problem(403, str(refusal), warnings=warnings_of(body["enterprise"]["uscc"]))
        held = {
            (record["record_id"], record.get("version", 1))
            for enterprise in self.enterprises.values()
            for record in enterprise.records
        }
        same = all((record["record_id"], record["version"]) in held for record in told["records"])
        return None if same else problem(409, "idempotency_conflict")

    def _answer(self, request: httpx2.Request, when: datetime) -> httpx2.Response:
        routes: dict[tuple[str, str], Callable[[Body, datetime], httpx2.Response]] = {
            ("POST", "/v1/verifications"): self._verification,
            ("POST", "/v1/queries"): self._query,
            ("POST", "/v1/consents"): self._consent_request,
            ("GET", "/v1/changes"): self._changes,
            ("POST", "/v1/changes/ack"): self._acknowledge,
            ("GET", "/v1/questions"): self._questions,
        }
        path = request.url.path
        if (request.method, path) in routes:
            try:
                body: Body = dict(request.url.params)
                body = _read(request.content) if request.method == "POST" else body
            except (ValueError, TypeError, AttributeError):
                return problem(400, "invalid_request")
            is_well_formed = "enterprise" not in body or is_code(body["enterprise"]["uscc"])
            answer = routes[(request.method, path)]
            return answer(body, when) if is_well_formed else problem(400, "invalid_uscc")
        if path == "/v1/consents" and request.method == "GET":
            return self._consents(request.url.params.get("status"))
        if path.startswith("/v1/consents/"):
            return self._consent(request.method, path.removeprefix("/v1/consents/"))
        if path.startswith("/v1/receipts/"):
            receipt = self.log.receipt(path.removeprefix("/v1/receipts/"))
            return problem(404, "not_found") if receipt is None else json_response(200, receipt)
        return problem(404, "not_found")

    def _verification(self, body: Body, when: datetime) -> httpx2.Response:
        uscc = body["enterprise"]["uscc"]
        known = self.enterprises.get(uscc, FakeEnterprise(uscc=uscc))
        if not all(map(_has_well_formed_value, body["questions"])):
            return problem(400, "invalid_request")
        answers = []
        for item in body["questions"]:
            value = known.answer(item["question"], item.get("value"))
            answers.append({"question": item["question"], "answer": value})
        head = self._head(body, when) | {"verification_id": _new("ver")}
        return json_response(200, head | {"catalogue_version": _CATALOGUE, "answers": answers})

    def _query(self, body: Body, when: datetime) -> httpx2.Response:
        consent = self._consent_for(body)
        warnings = warnings_of(body["enterprise"]["uscc"])
        if consent is None:
            return problem(403, "not_available", warnings=warnings)
        cursor = body.get("page", {}).get("cursor")
        refusal = consent.refusal(when)
        if refusal is not None and (cursor is None or refusal != "consent_exhausted"):
            return problem(403, refusal, warnings=warnings)
        if cursor is None:
            consent.spend()
        return json_response(200, self._page(body, consent, when, start=int(cursor or 0)))

    def _page(self, body: Body, consent: FakeConsent, when: datetime, start: int) -> dict[str, Any]:
        allowed = set(body["datasets"]) & set(consent.datasets)
        file = self.enterprises.get(consent.uscc, FakeEnterprise(uscc=consent.uscc))
        records = [record for record in file.records if record["dataset"] in allowed]
        end = start + body.get("page", {}).get("size", 50)
        head = self._head(body, when)
        told = [
            self._complete(consent.allowed(record), consent, when) for record in records[start:end]
        ]
        self.feed.disclosed[head["disclosure_id"]] = FakeDisclosure(
            consent_id=consent.consent_id,
            asked=frozenset(body["datasets"]),
            record_ids=frozenset(record["record_id"] for record in told),
        )
        return head | {
            "recipient": self.recipient,
            "consent": {
                "consent_id": consent.consent_id,
                "uses_left": consent.uses_left,
                "separate_consents": [dict(each) for each in consent.separate_consents],
            },
            "records": told,
            "withheld": [
                {"dataset": name, "reason": "not_in_consent"}
                for name in body["datasets"]
                if name not in allowed
            ]
            + [
                {"dataset": name, "fields": fields, "reason": "not_in_consent"}
                for name in sorted(allowed)
                if (fields := _fields_of(name, consent.unseparated))
            ],
            "page": {"cursor": str(end) if end < len(records) else None},
        }

    def _complete(
        self, record: Mapping[str, Any], consent: FakeConsent, when: datetime
    ) -> dict[str, Any]:
        own = record.get("use_until")
        ends = [consent.valid_until, None if own is None else parse_time(own)]
        use_until = min((end for end in ends if end is not None), default=None)
        kept = timedelta(days=self.retention_days)
        return {
            "version": 1,
            "source": {"name": "Fake department"},
            "source_time": when.isoformat(),
            "catalogue_version": _CATALOGUE,
            "fields": {},
            **record,
            "use_until": use_until and use_until.isoformat(),
            "delete_by": use_until and (use_until + kept).isoformat(),
        }

    def _changes(self, query: Body, _: datetime) -> httpx2.Response:
        page = self.feed.page(query.get("after", "0"), query.get("wait", "0"))
        return problem(400, "invalid_request") if page is None else json_response(200, page)

    def _acknowledge(self, body: Body, when: datetime) -> httpx2.Response:
        if self.feed.page(body["cursor"]) is None:
            return problem(400, "invalid_request")
        told = {"cursor": body["cursor"], "acknowledged_at": when.isoformat()}
        return json_response(200, told)

    def _consent_for(self, body: Body) -> FakeConsent | None:
        found = [
            consent
            for consent in self.consents.values()
            if consent.uscc == body["enterprise"]["uscc"]
            and consent.purpose == body["purpose"]
            and body.get("consent_id", consent.consent_id) == consent.consent_id
        ]
        return found[-1] if found else None

    def _consent_request(self, body: Body, _: datetime) -> httpx2.Response:
        consent = FakeConsent(
            consent_id=_new("con"),
            uscc=body["enterprise"]["uscc"],
            purpose=body["purpose"],
            datasets=tuple(body.get("datasets", ())),
            questions=tuple(body.get("questions", ())),
            valid_until=None
            if body.get("valid_until") is None
            else parse_time(body["valid_until"]),
            max_uses=body.get("max_uses"),
            uses_left=body.get("max_uses"),
            status="requested",
        )
        self.consents[consent.consent_id] = consent
        return json_response(
            201,
            {
                "consent_id": consent.consent_id,
                "status": "requested",
                "capture_url": f"https://gateway.test/portal/asked/{consent.consent_id}",
            },
        )

    def _consents(self, status: str | None) -> httpx2.Response:
        chosen = [c for c in self.consents.values() if status in {None, c.status}]
        return json_response(200, {"consents": [c.document() for c in chosen]})

    def _consent(self, method: str, consent_id: str) -> httpx2.Response:
        consent = self.consents.get(consent_id)
        if consent is None:
            return problem(404, "not_found")
        if method == "DELETE":
            consent.status = "withdrawn"
            return json_response(204, None)
        return json_response(200, consent.document())

    def _questions(self, _: Body, __: datetime) -> httpx2.Response:
        told = {
            key if isinstance(key, str) else key[0]
            for enterprise in self.enterprises.values()
            for key in enterprise.answers
        }
        entries = [{"question": tag} for tag in sorted(told | set(self.questions))]
        return json_response(200, {"catalogue_version": _CATALOGUE, "questions": entries})

    def _head(self, body: Body, when: datetime) -> dict[str, Any]:
        disclosure_id = _new("dis")
        promise = {
            "leaf_hash": self.log.append(disclosure_id),
            "log": self.log.url,
            "merge_by": (when + MERGE_DELAY).isoformat(),
        }
        warnings = warnings_of(body["enterprise"]["uscc"])
        return {
            **({"warnings": warnings} if warnings else {}),
            "disclosure_id": disclosure_id,
            "enterprise": {"uscc": body["enterprise"]["uscc"]},
            "purpose": body["purpose"],
            "as_of": when.isoformat(),
            "log_promise": promise,
        }


#: The groups, each with its members.
GROUPS: Final = {
    "three_elements.v1": {"name", "legal_representative"},
    "four_elements.v1": {"name", "legal_representative", "id_number"},
}


def _has_well_formed_value(item: Body) -> bool:
    """True if a question's value is a text, or of a group an object of texts with just its members."""
    value, members = item.get("value"), GROUPS.get(item["question"])
    if members is None:
        return value is None or isinstance(value, str)
    return (
        isinstance(value, dict)
        and value.keys() == members
        and all(isinstance(text, str) and text.strip() for text in value.values())
    )


def _fields_of(dataset: str, items: Iterable[str]) -> list[str]:
    split = (item.partition(".") for item in items)
    return sorted(name for code, _, name in split if code == dataset)


def _read(content: bytes) -> Body:
    """Parse a body as strictly as the gateway, dates and times included."""
    body: Body = parse_json(content)
    for day in body.get("filter", {}).values():
        parse_date(day)
    if body.get("valid_until") is not None:
        parse_time(body["valid_until"])
    return body


def _new(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(8)}"
