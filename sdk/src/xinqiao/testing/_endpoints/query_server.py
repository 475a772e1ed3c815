"""The fake gateway's queries: pages of records under a consent, and the outcomes told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx2

from xinqiao._core.wire.strict import parse_json
from xinqiao._core.wire.uscc import normalise, warnings_of
from xinqiao.testing._rules.http_rules import problem_of, read_body
from xinqiao.testing._rules.lifetimes import MERGE
from xinqiao.testing._rules.published import CATALOGUE_VERSION
from xinqiao.testing._rules.request_rules import Body, Wrong, query_problem
from xinqiao.testing._state.credit_files import FakeFiles
from xinqiao.testing._state.enterprises import FakeConsent, FakeEnterprise
from xinqiao.testing._state.feed import FakeDisclosure
from xinqiao.testing._state.ids import new_id
from xinqiao.testing._state.transparency_log import FakeLog

from . import query_pages
from .consent_endpoints import FakeConsentServer, FakeRefusal, refuse_if, refuse_outside
from .outcomes import FakeOutcomes
from .signing import json_response

_CHANGED: Final = "What this Idempotency-Key was answered with has changed since; use a new key."
_CURSOR: Final = (
    "page.cursor is not from this query, or older than 15 minutes; begin at the first page."
)


@dataclass(slots=True, kw_only=True)
class FakeQueryServer(FakeConsentServer):
    """Credit files with their consents, and the cursors and outcomes of what was queried."""

    recipient: str
    log: FakeLog
    files: FakeFiles = field(default_factory=FakeFiles)
    unavailable: set[str] = field(default_factory=set)
    """Datasets whose source is unavailable."""
    retention_days: int = 0
    outcomes: FakeOutcomes = field(default_factory=FakeOutcomes)
    cursors: query_pages.FakeCursors = field(default_factory=query_pages.FakeCursors)

    def _query(self, request: httpx2.Request, body: Body, when: datetime) -> httpx2.Response:
        refuse_if(query_problem(body))
        cursor = None
        if body.get("page", {}).get("cursor") is not None:
            cursor = self.cursors.read(body, when)
            refuse_if(Wrong("invalid_request", _CURSOR) if cursor is None else None)
        stored = self.stored.find(request)
        purpose, datasets = body["purpose"], body["datasets"]
        refuse_outside(self.agreement.missing(purpose=purpose), "Your")
        outside = self.agreement.missing(purpose=purpose, datasets=datasets)
        refuse_outside(outside if len(outside) == len(datasets) else (), "Your")
        spends = cursor is None and stored is None
        consent = self._consent_of(body, when, cursor, spends=spends)
        if stored is not None:
            same = self.files.hold(parse_json(stored.content)["records"])
            refuse_if(None if same else Wrong("idempotency_conflict", _CHANGED))
            return stored.response()
        if spends:
            consent.spend()
        start = 0 if cursor is None else cursor.start
        page = self._page(body, consent, when, start)
        return self.stored.store(request, json_response(200, page))

    def _consent_of(
        self, body: Body, when: datetime, cursor: query_pages.FakeCursor | None, *, spends: bool
    ) -> FakeConsent:
        """The consent that allows a query, in part at least."""
        consent = self.consents.find(body)
        if consent is None or (cursor is not None and cursor.consent_id != consent.consent_id):
            raise FakeRefusal(Wrong("not_available"))
        refusal = consent.refusal(when)
        if refusal is not None and (spends or refusal != "consent_exhausted"):
            raise FakeRefusal(Wrong(refusal))
        if set(body["datasets"]).isdisjoint(consent.datasets):
            raise FakeRefusal(Wrong("not_available"))
        return consent

    def _page(self, body: Body, consent: FakeConsent, when: datetime, start: int) -> dict[str, Any]:
        reasons = query_pages.reasons_withheld(
            body, agreement=self.agreement, consent=consent, unavailable=self.unavailable
        )
        file = self.files.enterprises.get(consent.uscc, FakeEnterprise(uscc=consent.uscc))
        records = [
            record
            for record in file.records
            if record["dataset"] in body["datasets"]
            and record["dataset"] not in reasons
            and query_pages.passes_filter(record, body)
        ]
        end = start + body.get("page", {}).get("size", 50)
        told = [
            query_pages.complete_record(
                consent.allowed(record),
                consent.valid_until,
                when,
                catalogue=CATALOGUE_VERSION,
                retention_days=self.retention_days,
            )
            for record in records[start:end]
        ]
        head = self._head(body, when)
        self.outcomes.queries[head["disclosure_id"]] = when
        self.feed.disclosed[head["disclosure_id"]] = FakeDisclosure(
            consent_id=consent.consent_id,
            asked=frozenset(body["datasets"]),
            record_ids=frozenset(record["record_id"] for record in told),
        )
        cursor = self.cursors.write(body, consent, end, when) if end < len(records) else None
        until = consent.valid_until
        named = body.get("bundle")
        bundle = {"name": named, "datasets": list(body["datasets"])}
        return head | {
            **({} if named is None else {"bundle": bundle}),
            "recipient": self.recipient,
            "consent": {
                "consent_id": consent.consent_id,
                "valid_until": until and until.isoformat(),
                "uses_left": consent.uses_left,
                "separate_consents": [dict(each) for each in consent.separate_consents],
            },
            "records": told,
            "withheld": query_pages.withheld(body["datasets"], reasons, consent),
            "page": {"cursor": cursor},
        }

    def _outcome(self, request: httpx2.Request, query: str, when: datetime) -> httpx2.Response:
        if request.method != "PUT":
            return problem_of("method_not_allowed")
        body = read_body(request)
        if isinstance(body, httpx2.Response):
            return body
        told = self.outcomes.tell(query, body, when, self.log)
        if isinstance(told, Wrong):
            return problem_of(told.code, detail=told.detail)
        return json_response(200, told)

    def _head(self, body: Body, when: datetime) -> dict[str, Any]:
        disclosure_id, uscc = new_id("dsc"), body["enterprise"]["uscc"]
        promise = {
            "leaf_hash": self.log.append(disclosure_id),
            "log": self.log.url,
            "merge_by": (when + MERGE).isoformat(),
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
