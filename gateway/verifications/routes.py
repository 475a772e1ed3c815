"""Routes `POST /v1/verifications` and `GET /v1/questions`."""

from fastapi import Request, Response

from gateway.access.answer_loop import parse_and_admit
from gateway.access.authentication import authenticate
from gateway.access.errors import raise_if_refused
from gateway.access.http.body import read_call
from gateway.access.http.json_response import json_response
from gateway.access.http.query_parameters import check_query_parameters
from gateway.access.openapi.operations import request_body
from gateway.db.engine import to_json
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime
from gateway.verifications.question_schemas import QuestionsOut
from gateway.verifications.request import parse_request
from gateway.verifications.schemas import VerificationIn, VerificationOut
from gateway.verifications.service import answer_verification
from verification import as_document

router = PrefixRouter(prefix="/v1", tags=["verification"])


@router.post(
    "/verifications", response_model=VerificationOut, openapi_extra=request_body(VerificationIn)
)
async def verify(request: Request, runtime: UsingRuntime) -> Response:
    """Answer yes/no questions about one enterprise."""
    caller = await authenticate(request, runtime, scope="verify")
    came = await read_call(request, VerificationIn)
    call = await parse_and_admit(request, runtime, caller, came, parse_request)
    return json_response(raise_if_refused(await answer_verification(call)))


@router.get("/questions", response_model=QuestionsOut)
async def list_questions(request: Request) -> Response:
    """The published catalogue of questions."""
    check_query_parameters(request)
    return Response(to_json(as_document()), media_type="application/json")
