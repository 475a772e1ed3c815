"""HTTP routes for clients and the audit log: list, register, rotate keys, change state."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.access.errors import InvalidRequestError, NotFoundError
from gateway.access.http.json_response import json_response
from gateway.access.openapi.operations import request_body
from gateway.admin import client_service, serializers
from gateway.admin.answer_schemas import ActsOut, ClientOut, ClientsOut
from gateway.admin.audit_log import ActContext, find_acts
from gateway.admin.client_key_rotation import read_rotation
from gateway.admin.client_service import State
from gateway.admin.errors import AdminRefusal, no_such
from gateway.admin.operator_calls import known_shape, read_act, reader, run_act
from gateway.admin.schemas import ByOperator, ClientIn, RotationIn
from gateway.clients import registry
from gateway.clients.client_details import ClientDetails, all_details, details_of, key_fetch_of
from gateway.clients.registration import CLIENT_ID, RegistrationError
from gateway.rfc3339 import Moment
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter()

PAGE = 100
SOME_ID = f"^(?:{CLIENT_ID.pattern})?$"
STATES: dict[str, State] = {"suspend": "suspended", "resume": "active", "end": "ended"}


@router.get("/clients", response_model=ClientsOut)
async def list_clients(
    request: Request, runtime: UsingRuntime, after: Annotated[str, Query(pattern=SOME_ID)] = ""
) -> Response:
    """List the clients by id, a page at a time."""
    await reader(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await all_details(connection, after=after, limit=PAGE)
    more = found[-1].client_id if len(found) == PAGE else None
    return json_response({"clients": [serializers.client(each) for each in found], "after": more})


@router.post(
    "/clients", status_code=201, response_model=ClientOut, openapi_extra=request_body(ClientIn)
)
async def register_client(request: Request, runtime: UsingRuntime) -> Response:
    """Register a client; it may do nothing until two operators have agreed on an agreement."""
    operator, asked = await read_act(request, runtime, ClientIn)
    try:
        loopback = runtime.settings.demo
        wanted = asked.registration.to_registration(asked.client_id, loopback=loopback)
    except RegistrationError as error:
        raise InvalidRequestError(str(error)) from None
    made = await run_act(runtime, operator, client_service.register, wanted)
    return json_response(serializers.client(made), 201)


@router.get("/clients/{client_id}", response_model=ClientOut)
async def get_client(client_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Show one client."""
    await reader(request, runtime)
    async with runtime.engine.connect() as connection:
        found = await details_of(connection, known_shape(client_id))
        fetching = await key_fetch_of(connection, client_id)
    if found is None:
        raise NotFoundError
    return json_response(serializers.client(found, fetching))


@router.post(
    "/clients/{client_id}/keys", response_model=ClientOut, openapi_extra=request_body(RotationIn)
)
async def rotate_client_keys(client_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Replace a client's keys by those in a statement that it signed with a key it has now."""
    operator, asked = await read_act(request, runtime, RotationIn)
    known = known_shape(client_id)
    changed = await run_act(runtime, operator, _rotate, runtime, known, asked.rotation)
    return json_response(serializers.client(changed))


@router.post(
    "/clients/{client_id}/{act}",
    response_model=ClientOut,
    openapi_extra=request_body(ByOperator, required=False),
)
async def change_client_state(
    client_id: str, act: str, request: Request, runtime: UsingRuntime
) -> Response:
    """Suspend, resume or end a client, from its next request on."""
    operator, _ = await read_act(request, runtime, ByOperator)
    if act not in STATES:
        raise NotFoundError
    known = known_shape(client_id)
    changed = await run_act(runtime, operator, client_service.set_state, known, STATES[act])
    return json_response(serializers.client(changed))


@router.get("/acts", response_model=ActsOut)
async def list_operator_acts(
    request: Request,
    runtime: UsingRuntime,
    client_id: Annotated[str | None, Query(pattern=SOME_ID)] = None,
    before: Annotated[Moment | None, Query()] = None,
) -> Response:
    """What operators did, the newest first; give the last one's `at` as `before` for more."""
    await reader(request, runtime)
    wanted = client_id or None
    async with runtime.engine.connect() as connection:
        found = await find_acts(connection, client_id=wanted, before=before, limit=PAGE)
    return json_response({"acts": [serializers.act(each) for each in found]})


async def _rotate(
    context: ActContext, runtime: Runtime, client_id: str, statement: str
) -> ClientDetails | AdminRefusal:
    held = await registry.find(context.connection, client_id)
    if held is None:
        return no_such("client")
    rotation = read_rotation(
        statement,
        client_id=client_id,
        keys=held.keys,
        issuer=runtime.settings.issuer,
        now=context.now,
    )
    return await client_service.replace_keys(
        context,
        client_id,
        jwks=rotation.jwks,
        jwks_uri=rotation.jwks_uri,
        loopback=runtime.settings.demo,
    )
