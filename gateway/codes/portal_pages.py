"""Portal pages to list, print, download and revoke an enterprise's own codes."""

from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.codes import qr, store
from gateway.codes.ids import code_url, parse_code_id
from gateway.codes.store import Code
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.i18n import Translated, WarningText
from gateway.pages.page_route import InsteadError, PageRoute, not_found
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.codes")

NOTICES: Final = {
    "revoked": Translated(
        "已作废。现在扫这张码会看到红色提示。",
        "Revoked. Whoever scans it now is warned in red.",
    ),
    "too_late": WarningText("这张码之前已经作废。", "This code had been revoked before."),
}


@router.get("/portal/enterprises/{uscc}/codes", response_model=None)
async def list_codes(
    request: Request,
    uscc: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """List an enterprise's codes."""
    visitor.must(Permission.CODES, request, uscc)
    async with runtime.engine.connect() as connection:
        name = await store.enterprise_name(connection, uscc)
        codes = await store.list_codes(connection, uscc)
    if name is None:
        return not_found(request, visitor)
    return renderer.page(
        request,
        "codes/list.html",
        visitor=visitor,
        tab="codes",
        enterprise={"uscc": uscc, "name": name},
        codes=codes,
    )


@router.get("/portal/codes/{code_id}", response_model=None)
async def show_code(
    request: Request,
    code_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show one code and its actions."""
    return await _code_page(request, code_id, runtime, visitor, "codes/code.html")


@router.get("/portal/codes/{code_id}/sticker", response_model=None)
async def show_sticker(
    request: Request,
    code_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Show the sticker, ready to print."""
    return await _code_page(request, code_id, runtime, visitor, "codes/sticker.html")


@router.get("/portal/codes/{code_id}/revoke", response_model=None)
async def confirm_revocation(
    request: Request,
    code_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Ask to confirm the revocation."""
    return await _code_page(request, code_id, runtime, visitor, "codes/revoke.html")


@router.post("/portal/codes/{code_id}/revoke", response_model=None)
async def revoke_code(
    request: Request,
    code_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Revoke a code."""
    await visitor.form(request, f"revoke {code_id}")
    async with runtime.engine.begin() as connection:
        code = await _own_code(connection, request, visitor, code_id)
        revoked = await store.revoke(
            connection,
            code.uscc,
            code.code_id,
            actor=visitor.session.subject,
            token_digest=visitor.session.identity_token_digest,
            now=runtime.now(),
        )
    notice = "revoked" if revoked else "too_late"
    return RedirectResponse(f"/portal/codes/{code.code_id}?notice={notice}", status_code=303)


@router.get("/portal/codes/{code_id}/qr.svg", response_model=None)
async def download_svg(
    request: Request,
    code_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Serve the QR symbol as SVG."""
    code, matrix = await _qr_matrix(request, code_id, runtime, visitor)
    image = qr.as_svg(matrix, label="企业码 enterprise code")
    return _image(request, image, "image/svg+xml", f"{code.code_id}.svg")


@router.get("/portal/codes/{code_id}/qr.png", response_model=None)
async def download_png(
    request: Request,
    code_id: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Serve the QR symbol as PNG."""
    code, matrix = await _qr_matrix(request, code_id, runtime, visitor)
    return _image(request, qr.as_png(matrix), "image/png", f"{code.code_id}.png")


async def _own_code(
    connection: AsyncConnection,
    request: Request,
    visitor: Visitor,
    code_id: str,
) -> Code:
    """The code, if the visitor may manage its enterprise's codes; else the 404 page."""
    parsed = parse_code_id(code_id)
    code = await store.find_code(connection, parsed) if parsed else None
    visitor.must(Permission.CODES, request, code.uscc if code else None)
    if code is None:
        raise InsteadError(not_found(request, visitor))
    return code


async def _qr_matrix(
    request: Request,
    code_id: str,
    runtime: Runtime,
    visitor: Visitor,
) -> tuple[Code, qr.Matrix]:
    async with runtime.engine.connect() as connection:
        code = await _own_code(connection, request, visitor, code_id)
    if code.revoked_at is not None:
        raise InsteadError(not_found(request, visitor))
    return code, qr.matrix_of(code_url(runtime.settings.issuer, code.code_id))


async def _code_page(
    request: Request,
    code_id: str,
    runtime: Runtime,
    visitor: Visitor,
    template: str,
) -> Response:
    async with runtime.engine.connect() as connection:
        code = await _own_code(connection, request, visitor, code_id)
        name = await store.enterprise_name(connection, code.uscc) or code.uscc
    return renderer.page(
        request,
        template,
        visitor=visitor,
        tab="codes",
        code=code,
        enterprise={"uscc": code.uscc, "name": name},
        notice=NOTICES.get(request.query_params.get("notice", "")),
        csrf=visitor.token(f"revoke {code_id}"),
    )


def _image(request: Request, body: bytes, media_type: str, name: str) -> Response:
    headers = security_headers(form_action=())
    if "download" in request.query_params:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=media_type, headers=headers)
