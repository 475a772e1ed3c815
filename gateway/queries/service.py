"""Answers a query: read, authorize, select records, commit. Nothing leaves before the commit.

Fields = agreement ∩ consent ∩ purpose ∩ catalogue, and of these what retention clocks still allow.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from gateway.access.answer_loop import (
    AdmittedCall,
    answer_until_committed,
    commit_call,
    pending_disclosure,
)
from gateway.access.errors import IdempotencyConflictError, Refusal, conflict_refusal
from gateway.access.serializers.consent import serialize_separate_consents
from gateway.access.serializers.timestamps import format_time
from gateway.access.subject_uscc import with_warnings
from gateway.disclosure.commit import Committed, PendingDisclosure
from gateway.disclosure.idempotency import KeyConflict, StoredAnswer
from gateway.disclosure.ids import new_id
from gateway.disclosure.items import DisclosedItem
from gateway.queries.authorization import Authorization, authorize
from gateway.queries.cursor import Cursors
from gateway.queries.pagination import RecordPage, page_of, serialize_record
from gateway.queries.read_query import QueryInputs, read_inputs
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import withheld
from gateway.transparency.disclosure_leaf import Disclosure, result_digest

_IDENTITY = ("record_id", "version", "fields", "objection", "use_until", "delete_by")
_USES = b'"uses_left":'
_NO_USES = _USES + b"null"
CHANGED = "What this Idempotency-Key was answered with has changed since; use a new key."


QueryCall = AdmittedCall[QueryRequest]


async def answer_query(call: QueryCall, cursors: Cursors) -> bytes | Refusal:
    """The answer as JSON, or a refusal; either is in the log before this returns."""
    return await answer_until_committed(call, lambda now: _attempt(call, cursors, now))


async def _attempt(call: QueryCall, cursors: Cursors, now: datetime) -> bytes | Refusal | None:
    inputs = await read_inputs(call, now)
    if isinstance(inputs, Refusal):
        return inputs
    stored = call.answers.find(call.key, inputs.stored_answer, now)
    if isinstance(stored, KeyConflict):
        return conflict_refusal(stored)
    authorization = authorize(call, inputs, now, repeated=stored is not None)
    if isinstance(authorization, Refusal):
        return authorization
    if isinstance(stored, StoredAnswer):
        return _repeated(call, inputs, authorization, stored, now)
    pending = _pending(call, cursors, inputs, authorization, now)
    committed = await commit_call(call, pending)
    if not isinstance(committed, Committed):
        return None
    spent = pending.consent_version is not None
    return _with_uses(
        pending.answer, committed.uses_left if spent else authorization.granted.uses_left
    )


def _repeated(
    call: QueryCall,
    inputs: QueryInputs,
    authorization: Authorization,
    stored: StoredAnswer,
    now: datetime,
) -> bytes | Refusal:
    """The stored answer, if it may still be given."""
    if _still_true(call, inputs, authorization, stored, now):
        return _with_uses(stored.answer, stored.uses_left)
    return Refusal(IdempotencyConflictError, CHANGED)


def _still_true(
    call: QueryCall,
    inputs: QueryInputs,
    authorization: Authorization,
    stored: StoredAnswer,
    now: datetime,
) -> bool:
    """True where every record of a stored answer may still be disclosed, in the same way."""
    disclosed = orjson.loads(stored.answer)["records"]
    whole = replace(call.request, page_size=1 + len(inputs.records))
    page = page_of(call.runtime, whole, inputs, authorization, now)
    now_told = {_identity(serialize_record(each)) for each in page.records}
    return all(_identity(each) in now_told for each in disclosed)


def _identity(record: Mapping[str, Any]) -> bytes:
    """Id, version, disclosed fields, objection and term of use of a record in an answer."""
    return orjson.dumps([record.get(name) for name in _IDENTITY], option=orjson.OPT_SORT_KEYS)


def _pending(
    call: QueryCall,
    cursors: Cursors,
    inputs: QueryInputs,
    authorization: Authorization,
    now: datetime,
) -> PendingDisclosure:
    """The answer and disclosure, and what they cost: one use for the first page, none for others."""
    request = call.request
    page = page_of(call.runtime, request, inputs, authorization, now)
    disclosure_id = new_id("dsc")
    document = _document(call, cursors, authorization, page, disclosure_id, now)
    disclosure = Disclosure(
        disclosure_id=disclosure_id,
        uscc=request.uscc,
        client_id=call.caller.client_id,
        kind="query",
        outcome="told",
        purpose=request.purpose,
        consent_id=authorization.granted.consent_id,
        agreement_version=authorization.agreement.version,
        asked=list(authorization.asked),
        relied_on=[(each.record.record_id, each.record.version) for each in page.records],
        result_digest=result_digest(document),
        at=now,
    )
    first = request.cursor is None
    return pending_disclosure(
        call,
        disclosure,
        document,
        key=call.key,
        consent_version=authorization.granted.version if first else None,
        held_version=None if first else authorization.granted.version,
        items=_items(authorization, page),
    )


def _items(authorization: Authorization, page: RecordPage) -> list[DisclosedItem]:
    """Each dataset asked for, with the records of this page, or why it is withheld."""
    counts = Counter(each.record.dataset for each in page.records)
    reasons = authorization.scope.reasons
    return [
        DisclosedItem(code=code, withheld=reasons[code])
        if code in reasons
        else DisclosedItem(code=code, records=counts[code])
        for code in authorization.asked
    ]


def _document(
    call: QueryCall,
    cursors: Cursors,
    authorization: Authorization,
    page: RecordPage,
    disclosure_id: str,
    now: datetime,
) -> dict[str, Any]:
    request, granted = call.request, authorization.granted
    cursor = None
    if page.last is not None:
        cursor = cursors.write(
            consent_id=granted.consent_id, query_digest=request.digest, position=page.last
        )
    document = {
        "disclosure_id": disclosure_id,
        "enterprise": {"uscc": request.uscc},
        "purpose": request.purpose,
        **_bundle(request, authorization),
        "recipient": call.caller.client_id,
        "as_of": format_time(now),
        "consent": {
            "consent_id": granted.consent_id,
            "valid_until": format_time(granted.valid_until),
            "uses_left": None,
            "separate_consents": serialize_separate_consents(granted.separate_consents),
        },
        "records": [serialize_record(each) for each in page.records],
        "withheld": withheld(authorization.scope, call.runtime.catalogue),
        "page": {"cursor": cursor},
    }
    return with_warnings(document, request.warnings)


def _bundle(request: QueryRequest, authorization: Authorization) -> dict[str, Any]:
    """The member `bundle`, where one was named: what it stood for."""
    if request.bundle is None:
        return {}
    return {"bundle": {"name": request.bundle, "datasets": authorization.asked}}


def _with_uses(answer: bytes, uses_left: int | None) -> bytes:
    """The answer with the uses left after its commit.

    The first member of this name is the consent's, and no text can hold one: its quotes would be escaped.
    """
    return answer.replace(_NO_USES, _USES + orjson.dumps(uses_left), 1)
