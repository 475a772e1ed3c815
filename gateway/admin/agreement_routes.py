"""HTTP routes for agreements: versions, proposals, approval by digest, end."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from gateway.access.errors import InvalidRequestError, NotFoundError
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.admin import agreement_service, serializers
from gateway.admin.agreement_service import InForce, Proposed
from gateway.admin.answer_schemas import (
    AgreementOut,
    AgreementVersionOut,
    InForceOut,
    ProposalOut,
    ProposalsOut,
)
from gateway.admin.operator_calls import known_shape, read_act, reader, run_act
from gateway.admin.schemas import ApprovalIn, ByOperator, ProposalIn
from gateway.clients.client_details import details_of, versions_of
from gateway.clients.proposals import proposals_for
from gateway.clients.terms import TermsError
from gateway.limits.quotas import QuotasError
from gateway.runtime import UsingRuntime

router = APIRouter(prefix="/agreements/{client_id}")


@router.get("", response_model=AgreementOut)
async def get_agreement(client_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Every version of a client's agreement, the newest first; the newest counts."""
    await reader(request, runtime)
    async with runtime.engine.connect() as connection:
        if await details_of(connection, known_shape(client_id)) is None:
            raise NotFoundError
        versions = await versions_of(connection, client_id)
    return json_response({"versions": [serializers.version(each) for each in versions]})


@router.get("/proposals", response_model=ProposalsOut)
async def list_agreement_proposals(
    client_id: str,
    request: Request,
    runtime: UsingRuntime,
    status: Annotated[Literal["open", "approved", "rejected", "superseded"] | None, Query()] = None,
) -> Response:
    """What was proposed for a client, the newest first."""
    await reader(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await proposals_for(connection, known_shape(client_id), status=status)
    return json_response({"proposals": [serializers.proposal(each) for each in found]})


@router.post(
    "/proposals",
    status_code=201,
    response_model=ProposalOut,
    openapi_extra=request_body(ProposalIn),
    responses={200: {"description": "In force: it only narrows.", "model": InForceOut}},
)
async def propose_agreement(client_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Propose the next version (201); one that only narrows counts at once (200)."""
    operator, asked = await read_act(request, runtime, ProposalIn)
    try:
        terms = asked.agreement.to_terms()
    except (TermsError, QuotasError) as error:
        raise InvalidRequestError(str(error)) from None
    known = known_shape(client_id)
    outcome: InForce | Proposed = await run_act(
        runtime, operator, agreement_service.put, known, terms
    )
    if isinstance(outcome, Proposed):
        return json_response(serializers.proposal(outcome.proposal), 201)
    return json_response(_in_force(outcome))


@router.post(
    "/proposals/{proposal_id}/approve",
    response_model=InForceOut,
    openapi_extra=request_body(ApprovalIn),
)
async def approve_agreement(
    client_id: str, proposal_id: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Put a proposal into force: as another operator, and by the digest of what was read."""
    operator, asked = await read_act(request, runtime, ApprovalIn)
    digest = bytes.fromhex(asked.digest)
    known, client = known_shape(proposal_id), known_shape(client_id)
    put = await run_act(
        runtime, operator, agreement_service.approve, known, digest, client_id=client
    )
    return json_response(_in_force(put))


@router.post(
    "/proposals/{proposal_id}/reject",
    response_model=ProposalOut,
    openapi_extra=request_body(ByOperator, required=False),
)
async def reject_agreement(
    client_id: str, proposal_id: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Reject a proposal, or take one's own back."""
    operator, _ = await read_act(request, runtime, ByOperator)
    known, client = known_shape(proposal_id), known_shape(client_id)
    rejected = await run_act(runtime, operator, agreement_service.reject, known, client_id=client)
    return json_response(serializers.proposal(rejected))


@router.post(
    "/end",
    response_model=AgreementVersionOut,
    openapi_extra=request_body(ByOperator, required=False),
)
async def end_agreement(client_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """End an agreement, from its client's next request on."""
    operator, _ = await read_act(request, runtime, ByOperator)
    known = known_shape(client_id)
    ended = await run_act(runtime, operator, agreement_service.end, known)
    return json_response(serializers.version(ended))


def _in_force(put: InForce) -> dict[str, object]:
    return {"status": "in_force", "version": put.version, "digest": put.digest.hex()}
