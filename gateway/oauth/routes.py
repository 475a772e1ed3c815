"""HTTP routes of the authorization server and its metadata."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from gateway.access.http.head_requests import get_only
from gateway.oauth import authorize, metadata, openapi
from gateway.oauth.document_schemas import (
    JWK_SET,
    RESOURCE_METADATA,
    SERVER_METADATA,
    document,
)
from gateway.oauth.endpoint import serve
from gateway.pages.page_route import PageRoute
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

PUBLIC = {"Cache-Control": "public, max-age=300"}

router = PrefixRouter(tags=["oauth"])
pages = APIRouter(route_class=PageRoute)


@router.post("/oauth/par", status_code=201, openapi_extra=openapi.par())
async def push_authorization_request(request: Request, runtime: UsingRuntime) -> Response:
    """Push an authorization request (RFC 9126)."""
    return await serve("par", request, runtime)


@pages.get(
    "/oauth/authorize",
    status_code=303,
    response_class=Response,
    openapi_extra=openapi.authorize(),
)
@get_only()
async def begin_authorization(request: Request, runtime: UsingRuntime) -> Response:
    """Send the browser to the enterprise's decision."""
    return await authorize.authorize(request, runtime)


@pages.get("/oauth/resume", include_in_schema=False)
@get_only()
async def resume(request: Request, runtime: UsingRuntime) -> Response:
    """Bring the decision back to the client."""
    return await authorize.resume(request, runtime)


router.include_router(pages)


@router.post("/oauth/token", openapi_extra=openapi.token())
async def issue_token(request: Request, runtime: UsingRuntime) -> Response:
    """Give tokens for a code, a refresh token or the client's own credentials (RFC 6749)."""
    return await serve("token", request, runtime)


@router.post("/oauth/introspect", openapi_extra=openapi.about_a_token(openapi.INTROSPECTED))
async def introspect_token(request: Request, runtime: UsingRuntime) -> Response:
    """Tell a client what its token still gives (RFC 7662)."""
    return await serve("introspect", request, runtime)


@router.post("/oauth/revoke", openapi_extra=openapi.about_a_token(openapi.NOTHING))
async def revoke_token(request: Request, runtime: UsingRuntime) -> Response:
    """End one of the client's tokens (RFC 7009)."""
    return await serve("revoke", request, runtime)


@router.get(
    "/.well-known/oauth-authorization-server",
    responses=document(SERVER_METADATA, "The metadata (RFC 8414)."),
)
async def get_authorization_server_metadata(runtime: UsingRuntime) -> Response:
    """Publish the authorization server's metadata (RFC 8414)."""
    return _published(metadata.authorization_server(runtime.settings))


@router.get(
    "/.well-known/oauth-protected-resource",
    responses=document(RESOURCE_METADATA, "The metadata (RFC 9728)."),
)
async def get_protected_resource_metadata(runtime: UsingRuntime) -> Response:
    """Publish the resource server's metadata (RFC 9728)."""
    return _published(metadata.protected_resource(runtime.settings))


@router.get(
    "/.well-known/jwks.json",
    responses=document(JWK_SET, "The public keys, with the dates from and to which each signs."),
)
async def get_jwks(runtime: UsingRuntime) -> Response:
    """Publish every public key that signs, coming and retired ones too, and the one to encrypt to."""
    signing = runtime.keys.published()["keys"]
    return _published({"keys": [*signing, *runtime.decryption_keys.published(runtime.now())]})


def _published(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), headers=PUBLIC, media_type="application/json")
