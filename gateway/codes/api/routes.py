"""Routes of `/v1/enterprise-codes`: a registering authority issues, lists, reissues and revokes codes."""

from typing import Annotated, Final

import structlog
from fastapi import Query, Request, Response

from gateway.access.errors import InvalidUsccError, NotAvailableError, Refusal, raise_if_refused
from gateway.access.http.body import parse_body, read_body, read_call
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.access.subject_uscc import parse_subject
from gateway.codes import store
from gateway.codes.api import service
from gateway.codes.api.authority import Authority, authenticate_authority, authorize_authority
from gateway.codes.api.schemas import (
    CodeIn,
    EnterpriseCodeOut,
    EnterpriseCodesOut,
    ReissueIn,
    RevokeIn,
    code_json,
)
from gateway.codes.api.service import Issued
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

PAGE: Final = 100
CREATED: Final = 201
UNREAL: Final = "uscc is not a unified social credit code."

router = PrefixRouter(prefix="/v1/enterprise-codes", tags=["codes"])
log = structlog.get_logger("gateway.codes")


@router.post(
    "", status_code=CREATED, response_model=EnterpriseCodeOut, openapi_extra=request_body(CodeIn)
)
async def issue_enterprise_code(request: Request, runtime: UsingRuntime) -> Response:
    """Issue a code for one sticker of an enterprise that the caller has registered."""
    caller = await authenticate_authority(request, runtime)
    came = await read_call(request, CodeIn)
    named = None if isinstance(came.parsed, Refusal) else came.parsed.enterprise.uscc
    uscc = parse_subject(named) if named is not None else None
    authority = await authorize_authority(request, runtime, caller, uscc=uscc, key=came.key)
    body = raise_if_refused(came.parsed)
    if uscc is None:
        raise InvalidUsccError(f"enterprise.{UNREAL}")
    issued = await service.issue(runtime, authority, body, uscc, came.key)
    return _answer(runtime, authority, "code_issued", issued, status=CREATED)


@router.get("", response_model=EnterpriseCodesOut)
async def list_enterprise_codes(
    request: Request,
    runtime: UsingRuntime,
    uscc: Annotated[str, Query(max_length=64)],
    after: Annotated[str, Query(max_length=26, pattern=r"^[A-Z2-7]*$")] = "",
) -> Response:
    """List the codes of an enterprise that the caller has registered, a page at a time."""
    caller = await authenticate_authority(request, runtime)
    parsed = parse_subject(uscc)
    authority = await authorize_authority(request, runtime, caller, uscc=parsed)
    if parsed is None:
        raise InvalidUsccError(UNREAL)
    async with runtime.engine.connect() as connection:
        registration = await authority.find_enterprise(connection, parsed)
        if registration is None:
            raise NotAvailableError(service.NOT_REGISTERED)
        found = await store.page_of_codes(connection, parsed, after=after, limit=PAGE)
    more = found[-1].code_id if len(found) == PAGE else None
    issuer, now = runtime.settings.issuer, runtime.now()
    return json_response(
        {"codes": [code_json(each, registration, issuer, now) for each in found], "after": more}
    )


@router.get("/{code_id}", response_model=EnterpriseCodeOut)
async def get_enterprise_code(code_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Show one code of an enterprise that the caller has registered."""
    caller = await authenticate_authority(request, runtime)
    authority = await authorize_authority(request, runtime, caller)
    async with runtime.engine.connect() as connection:
        code, registration = await service.find_own(connection, authority, code_id)
    return json_response(code_json(code, registration, runtime.settings.issuer, runtime.now()))


@router.post(
    "/{code_id}/reissue",
    status_code=CREATED,
    response_model=EnterpriseCodeOut,
    openapi_extra=request_body(ReissueIn),
)
async def reissue_enterprise_code(
    code_id: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Issue a code in the place of one, which from then on says that it was replaced."""
    caller = await authenticate_authority(request, runtime)
    came = await read_call(request, ReissueIn)
    authority = await authorize_authority(request, runtime, caller, key=came.key)
    body = raise_if_refused(came.parsed)
    issued = await service.reissue(runtime, authority, code_id, body, came.key)
    return _answer(runtime, authority, "code_reissued", issued, status=CREATED)


@router.post(
    "/{code_id}/revoke",
    response_model=EnterpriseCodeOut,
    openapi_extra=request_body(RevokeIn, required=False),
)
async def revoke_enterprise_code(code_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Revoke a code; one that was revoked or replaced before stays as it is."""
    caller = await authenticate_authority(request, runtime)
    authority = await authorize_authority(request, runtime, caller)
    raw = await read_body(request)
    if raw:
        raise_if_refused(parse_body(request, raw, RevokeIn))
    revoked = await service.revoke(runtime, authority, code_id)
    return _answer(runtime, authority, "code_revoked", revoked)


def _answer(
    runtime: Runtime, authority: Authority, event: str, done: Issued, *, status: int = 200
) -> Response:
    """The answer to an act, and its line in the service's log, without the enterprise."""
    code, registration = done
    log.info(event, client_id=authority.client_id, code_id=code.code_id)
    document = code_json(code, registration, runtime.settings.issuer, runtime.now())
    return json_response(document, status)
