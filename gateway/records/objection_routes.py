"""Routes of a source for objections to its own records (`/v1/objections`)."""

import re
from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Request, Response

from gateway.access.errors import (
    ConflictError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
)
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.access.serializers.objection import WholeObjectionOut
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import lifecycle, serializers, service, store
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    ObjectionOutcome,
    ObjectionRefused,
    RefusalReason,
    Role,
    Status,
)
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.ingest import Source
from gateway.prefix_router import PrefixRouter
from gateway.records.objection_schemas import (
    DecisionIn,
    ExtensionIn,
    ObjectionsOut,
)
from gateway.records.source_authentication import authenticate_source, read_source_call
from gateway.rfc3339 import Day
from gateway.runtime import Runtime, UsingRuntime

OBJECTION_ID: Final = re.compile(r"obj_[a-z2-7]{26}")
REFUSAL_SENTENCES: Final = {
    RefusalReason.NOT_NOW: "The objection is not waiting for this; read it again.",
    RefusalReason.ALREADY_EXTENDED: "The time was extended before; that is possible once.",
    RefusalReason.TOO_LATE: "The last day has passed; decide now.",
    RefusalReason.NOT_LATER: "until lies after the present last day and no later than latest_on.",
    RefusalReason.NOT_CORRECTED: "Correct or withdraw the record first, then uphold the objection.",
    RefusalReason.MUST_CORRECT: "A review has found for the enterprise: correct the record and uphold.",
    RefusalReason.MOVED: "Somebody else acted at the same moment; read it again.",
}

router = PrefixRouter(prefix="/v1/objections", tags=["objections"])


@router.get("", response_model=ObjectionsOut)
async def list_objections(
    request: Request,
    runtime: UsingRuntime,
    status: Annotated[Status | None, Query()] = None,
    due: Annotated[Day | None, Query(description="due on this day or before")] = None,
    after: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9_]*$")] = "",
) -> Response:
    """List the objections to this department's records, by id, a page at a time."""
    source = await authenticate_source(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await store.of_source(
            connection, source.source_id, status=status, due_until=due, after=after
        )
    now = runtime.now()
    more = found[-1].objection_id if len(found) == store.PAGE else None
    return json_response(
        {"objections": [serializers.summary(each, now=now) for each in found], "after": more}
    )


@router.get("/{objection_id}", response_model=WholeObjectionOut)
async def get_objection(objection_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Show one objection with its text and its history."""
    return await _respond(runtime, await authenticate_source(request, runtime), objection_id)


@router.post(
    "/{objection_id}/decision",
    response_model=WholeObjectionOut,
    openapi_extra=request_body(DecisionIn),
)
async def decide_objection(objection_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Decide an objection, with reasons that the enterprise is told."""
    source, asked = await read_source_call(request, runtime, DecisionIn)
    now = runtime.now()
    outcome, reasons = ObjectionOutcome(asked.outcome), _read_reason(asked.reasons, now)
    verb = service.source_decision(
        runtime.catalogue, actor=_actor(source), outcome=outcome, reasons=reasons, now=now
    )
    done = await _apply(runtime, objection_id, verb)
    if isinstance(done, ObjectionRefused) and not await _is_repeated(
        runtime, source, objection_id, outcome, reasons
    ):
        raise _error(done)
    return await _respond(runtime, source, objection_id)


@router.post(
    "/{objection_id}/extension",
    response_model=WholeObjectionOut,
    openapi_extra=request_body(ExtensionIn),
)
async def extend_objection(objection_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Take more time, once, with a reason that the enterprise is told."""
    source, asked = await read_source_call(request, runtime, ExtensionIn)
    now = runtime.now()
    actor, reason = _actor(source), _read_reason(asked.reason, now)
    done = await _apply(
        runtime,
        objection_id,
        lambda objection, _: lifecycle.extend(
            objection, actor=actor, reason=reason, until=asked.until, now=now
        ),
    )
    if isinstance(done, ObjectionRefused):
        raise _error(done)
    return await _respond(runtime, source, objection_id)


def _actor(source: Source) -> Actor:
    return Actor(role=Role.SOURCE, name=f"client:{source.source_id}", party=source.source_id)


async def _apply(
    runtime: Runtime, objection_id: str, verb: service.ObjectionVerb
) -> Objection | ObjectionRefused:
    if not OBJECTION_ID.fullmatch(objection_id):
        raise NotFoundError
    async with runtime.engine.begin() as connection:
        return await service.apply_act(connection, objection_id, verb)


async def _is_repeated(
    runtime: Runtime, source: Source, objection_id: str, outcome: ObjectionOutcome, reasons: str
) -> bool:
    """True if this exact decision was made before; a repeated call changes nothing and succeeds."""
    async with runtime.engine.connect() as connection:
        found = await store.by_id(connection, objection_id)
    made = found and (found.source_id, found.outcome, found.reasons)
    return made == (source.source_id, outcome, reasons)


async def _respond(runtime: Runtime, source: Source, objection_id: str) -> Response:
    if not OBJECTION_ID.fullmatch(objection_id):
        raise NotFoundError
    async with runtime.engine.begin() as connection:
        found = await service.find_document(
            connection, objection_id, now=runtime.now(), source_id=source.source_id
        )
    if found is None:
        raise NotFoundError
    return json_response(found)


def _read_reason(typed: str, now: datetime) -> str:
    """The text as stored, with personal numbers masked."""
    written = read_text(typed, today=day_of(now))
    if isinstance(written, InvalidText):
        raise InvalidRequestError("Reasons have 2 to 1,500 characters.")
    return written.text


def _error(refused: ObjectionRefused) -> GatewayError:
    sentence = REFUSAL_SENTENCES.get(refused.reason)
    return NotFoundError() if sentence is None else ConflictError(sentence)
