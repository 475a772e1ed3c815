"""Verification over HTTP."""

from fastapi import APIRouter, Request, Response

from gateway.access.admission_control import admit
from gateway.access.authentication import authenticate
from gateway.access.body import read_call
from gateway.access.errors import GatewayError
from gateway.access.openapi import reads
from gateway.access.refused_request import RefusedRequest
from gateway.db.engine import to_json
from gateway.disclosure.commit import log_refusal
from gateway.runtime import UsingRuntime
from gateway.verifications.request import ask_of
from gateway.verifications.schemas import VerificationIn, VerificationOut
from gateway.verifications.service import answer_verification
from verification import as_document

router = APIRouter(prefix="/v1", tags=["verification"])


@router.post("/verifications", response_model=VerificationOut, openapi_extra=reads(VerificationIn))
async def verify(request: Request, runtime: UsingRuntime) -> Response:
    """Answer yes/no questions about one enterprise."""
    caller = await authenticate(request, runtime, scope="verify")
    came = await read_call(request, VerificationIn)
    ask = came.parsed if isinstance(came.parsed, GatewayError) else ask_of(came.parsed)
    uscc = None if isinstance(ask, GatewayError) else ask.uscc
    await admit(request, runtime, caller, uscc=uscc, key=came.key)
    if isinstance(ask, GatewayError):
        raise ask
    if isinstance(ask, RefusedRequest):
        await log_refusal(runtime.hot, ask.refusal(caller, runtime.now()))
        raise ask.error
    told = await answer_verification(runtime, caller, ask, came.key)
    if isinstance(told, GatewayError):
        raise told
    return Response(told.text, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/questions")
async def questions() -> Response:
    """The published catalogue of questions."""
    return Response(to_json(as_document()), media_type="application/json")
