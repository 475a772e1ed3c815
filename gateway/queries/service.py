"""A query, from what was asked to what is told. Nothing leaves before the commit.

Fields = agreement ∩ consent ∩ purpose ∩ catalogue, and of these only what the clocks still allow.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from gateway.access.authentication import Caller
from gateway.access.errors import (
    GatewayError,
    IdempotencyConflictError,
    TemporarilyUnavailableError,
    conflict_error,
)
from gateway.access.subject_uscc import with_warnings
from gateway.access.timestamps import on_the_wire
from gateway.db.engine import to_json
from gateway.disclosure.commit import Committed, PendingDisclosure, commit, log_refusal
from gateway.disclosure.idempotency import AnswerStore, IdempotencyKey, KeyConflict, StoredAnswer
from gateway.disclosure.ids import new_id
from gateway.queries.authorization import Authorization, authorize
from gateway.queries.cursor import Cursors
from gateway.queries.pagination import RecordPage, page_of, record_out
from gateway.queries.read_query import QueryInputs, read_inputs
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import withheld
from gateway.runtime import Runtime
from gateway.transparency.inclusion_promise import log_promise, merge_by
from gateway.transparency.log_leaf import Disclosure, leaf_hash, new_salt, result_digest

# Each turn means that somebody else committed in between; so many in a row is an outage.
TURNS = 20
CHANGED = "What this Idempotency-Key was answered with has changed since; use a new key."


async def answer_query(
    runtime: Runtime,
    caller: Caller,
    ask: QueryRequest,
    key: IdempotencyKey | None,
    cursors: Cursors,
) -> str | GatewayError:
    """The answer to `ask` as JSON text, or why not; either is in the log before this returns."""
    keeping = _keeping(runtime, caller, ask)
    for _ in range(TURNS):
        now = runtime.now()
        found = await read_inputs(
            runtime.hot, caller, ask, key, catalogue=runtime.catalogue, now=now
        )
        kept = keeping.found(key, found.kept, now)
        if isinstance(kept, KeyConflict):
            conflict = conflict_error(kept)
            await log_refusal(runtime.hot, _refusal(caller, ask, conflict, now))
            return conflict
        ground = authorize(runtime, caller, ask, found, now, repeated=kept is not None)
        if isinstance(ground, GatewayError):
            await log_refusal(runtime.hot, _refusal(caller, ask, ground, now))
            return ground
        runtime.quotas.note(caller.client_id, ground.agreement.version)
        if isinstance(kept, StoredAnswer):
            if _still_true(runtime, ask, found, ground, kept, now):
                return _with_uses(kept.answer, kept.uses_left)
            changed = IdempotencyConflictError(CHANGED)
            await log_refusal(runtime.hot, _refusal(caller, ask, changed, now))
            return changed
        telling = _telling(runtime, caller, ask, found, ground, key, cursors, now)
        committed = await commit(runtime.hot, telling)
        if isinstance(committed, Committed):
            spent = telling.consent_version is not None
            return _with_uses(
                telling.answer, committed.uses_left if spent else ground.granted.uses_left
            )
    return TemporarilyUnavailableError(retry_after=1)


def _still_true(
    runtime: Runtime,
    ask: QueryRequest,
    found: QueryInputs,
    ground: Authorization,
    kept: StoredAnswer,
    now: datetime,
) -> bool:
    """Whether every record that was told then may be told now, field by field, and is no more
    disputed."""
    told = orjson.loads(kept.answer)["records"]
    page = page_of(runtime, replace(ask, page_size=sys.maxsize), found, ground, now)
    now_told = {_identity(record_out(record, fields)) for record, fields in page.records}
    return all(_identity(each) in now_told for each in told)


def _identity(told: Mapping[str, Any]) -> tuple[str, int, bytes, str | None]:
    """A record as it is told: which, in which version, with which fields (a new catalogue may have
    taken one away), and since when disputed."""
    since = told["objection"]["since"] if "objection" in told else None
    fields = orjson.dumps(told["fields"], option=orjson.OPT_SORT_KEYS)
    return told["record_id"], told["version"], fields, since


def _telling(
    runtime: Runtime,
    caller: Caller,
    ask: QueryRequest,
    found: QueryInputs,
    ground: Authorization,
    key: IdempotencyKey | None,
    cursors: Cursors,
    now: datetime,
) -> PendingDisclosure:
    """What would be told now, and what it costs: one use for the first page, none for the others."""
    page = page_of(runtime, ask, found, ground, now)
    disclosure = Disclosure(
        disclosure_id=new_id("dsc"),
        uscc=ask.uscc,
        client_id=caller.client_id,
        kind="query",
        outcome="told",
        purpose=ask.purpose,
        consent_id=ground.granted.consent_id,
        agreement_version=ground.agreement.version,
        asked=list(ask.datasets),
        relied_on=[(record.record_id, record.version) for record, _ in page.records],
        at=now,
    )
    salt = new_salt()
    core = _document(runtime, caller, ask, ground, page, cursors, disclosure)
    disclosure = replace(disclosure, result_digest=result_digest(core))
    core["log_promise"] = log_promise(
        leaf_hash(disclosure, salt),
        runtime.settings.issuer,
        on_the_wire(merge_by(now)),
    )
    first = ask.cursor is None
    text = to_json(core)
    return PendingDisclosure(
        disclosure=disclosure,
        salt=salt,
        consent_version=ground.granted.version if first else None,
        held_version=None if first else ground.granted.version,
        key=key,
        answer=text,
        kept=_keeping(runtime, caller, ask).sealed(key, text),
    )


def _document(
    runtime: Runtime,
    caller: Caller,
    ask: QueryRequest,
    ground: Authorization,
    page: RecordPage,
    cursors: Cursors,
    disclosure: Disclosure,
) -> dict[str, Any]:
    granted = ground.granted
    cursor = None
    if page.after is not None:
        cursor = cursors.write(consent_id=granted.consent_id, ask=ask.digest, after=page.after)
    document = {
        "disclosure_id": disclosure.disclosure_id,
        "enterprise": {"uscc": ask.uscc},
        "purpose": ask.purpose,
        "recipient": caller.client_id,
        "as_of": on_the_wire(disclosure.at),
        "consent": {
            "consent_id": granted.consent_id,
            "valid_until": on_the_wire(granted.valid_until),
            "uses_left": None,
        },
        "records": [record_out(record, fields) for record, fields in page.records],
        "withheld": withheld(ground.scope, runtime.catalogue),
        "page": {"cursor": cursor},
    }
    return with_warnings(document, ask.uscc)


def _with_uses(text: str, uses_left: int | None) -> str:
    """The answer with the uses that its commit left: the same bytes whenever it is repeated."""
    document = orjson.loads(text)
    document["consent"]["uses_left"] = uses_left
    return to_json(document)


def _refusal(caller: Caller, ask: QueryRequest, error: GatewayError, now: datetime) -> Disclosure:
    return Disclosure(
        disclosure_id=new_id("dsc"),
        uscc=ask.uscc,
        client_id=caller.client_id,
        kind="query",
        outcome="refused",
        reason=error.code,
        purpose=ask.purpose,
        asked=list(ask.datasets),
        at=now,
    )


def _keeping(runtime: Runtime, caller: Caller, ask: QueryRequest) -> AnswerStore:
    return AnswerStore(vault=runtime.vault, uscc=ask.uscc, client_id=caller.client_id)
