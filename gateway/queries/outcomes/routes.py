"""Routes of outcomes: what became of the application for which a client made a query.

Only the enterprise sees it: no feed, no other client, no later answer has it.
"""

from datetime import timedelta
from functools import cache
from typing import Annotated, Final

from fastapi import Path, Request, Response

from gateway.access.authentication import authenticate
from gateway.access.client_entitlement import authorize_call
from gateway.access.errors import raise_if_refused
from gateway.access.http.body import read_call
from gateway.access.http.json_response import json_response
from gateway.access.http.query_parameters import check_query_parameters
from gateway.access.openapi.operations import problem_response, request_body
from gateway.access.request_signature import keep_signed
from gateway.access.serializers.timestamps import format_time
from gateway.db.engine import to_json
from gateway.disclosure.application_outcomes.model import OUTCOME_WORDS, REASON_WORDS
from gateway.disclosure.application_outcomes.store import LoggedOutcome
from gateway.disclosure.signed_requests import part_of
from gateway.prefix_router import PrefixRouter
from gateway.queries.outcomes.schemas import (
    DISCLOSURE_PATTERN,
    NamedOut,
    OutcomeIn,
    OutcomeOut,
    OutcomesOut,
)
from gateway.queries.outcomes.service import tell_outcome
from gateway.runtime import Runtime, UsingRuntime
from gateway.transparency.disclosure_leaf import MERGE_SECONDS

router = PrefixRouter(prefix="/v1", tags=["query"])

SCOPE: Final = "query"
DisclosureId = Annotated[str, Path(pattern=DISCLOSURE_PATTERN)]


@router.put(
    "/queries/{disclosure_id}/outcome",
    response_model=OutcomeOut,
    response_model_exclude_none=True,
    openapi_extra=request_body(OutcomeIn),
    responses={404: problem_response("404"), 409: problem_response("409")},
)
async def tell_query_outcome(
    disclosure_id: DisclosureId, request: Request, runtime: UsingRuntime
) -> Response:
    """Tell the enterprise what became of the application for which a query was made.

    Within 90 days; it can be replaced once. The enterprise alone sees it, with your reasons.
    """
    caller = await authenticate(request, runtime, scope=SCOPE)
    came = await read_call(request, OutcomeIn)
    await authorize_call(request, runtime, caller)
    body = raise_if_refused(came.parsed)
    told = await tell_outcome(runtime, caller, disclosure_id, body)
    newest, earlier = raise_if_refused(told)
    await keep_signed(
        request, runtime,
        client_id=caller.client_id,
        subject_id=part_of(disclosure_id, f"outcome{newest.told.version}"),
        uscc=newest.told.uscc,
    )  # fmt: skip
    document = OutcomeOut.of(
        newest.told, None if earlier is None else earlier.told, _promise(runtime, newest)
    )
    return json_response(document.model_dump(mode="json", exclude_none=True))


@router.get("/outcomes", response_model=OutcomesOut)
async def list_outcomes(request: Request) -> Response:
    """The closed lists of outcomes and of reasons, in words."""
    check_query_parameters(request)
    return Response(_published(), media_type="application/json")


@cache
def _published() -> str:
    lists = OutcomesOut(
        outcomes=[NamedOut(name=n, zh=w.zh, en=w.en) for n, w in OUTCOME_WORDS.items()],
        reasons=[NamedOut(name=n, zh=w.zh, en=w.en) for n, w in REASON_WORDS.items()],
    )
    return to_json(lists.model_dump())


def _promise(runtime: Runtime, logged: LoggedOutcome) -> dict[str, str]:
    return {
        "leaf_hash": logged.leaf_hash.hex(),
        "log": f"{runtime.settings.issuer}/log",
        "merge_by": format_time(logged.told.at + timedelta(seconds=MERGE_SECONDS)),
    }
