"""Portal pages to list, print, download and revoke an enterprise's own codes."""

from typing import Final

from starlette.responses import Response

from gateway.codes import qr, service, store
from gateway.codes.ids import code_url
from gateway.codes.portal import issue_pages
from gateway.codes.portal.code_view import NOTICES, view_of
from gateway.codes.portal.guards import own_code, own_valid_code
from gateway.codes.printing import downloads
from gateway.codes.printing.formats import FORMATS
from gateway.codes.reports import store as reports
from gateway.codes.store import Code
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.chinese_font import find_font
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
router.include_router(downloads.router)
router.include_router(issue_pages.router)
renderer: Final = PageRenderer("gateway.codes")
MOST_SHOWN: Final = 500
"""Codes on the list: all valid ones, and then the newest of the others."""


@router.get("/portal/enterprises/{uscc}/codes")
async def list_codes(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List an enterprise's codes."""
    visitor.require(Permission.CODES, uscc)
    async with runtime.engine.connect() as connection:
        registration = await store.find_registration(connection, uscc)
        codes = await store.list_codes(connection, uscc, limit=MOST_SHOWN)
        reported = await reports.summaries_of(connection, [each.code_id for each in codes])
    if registration is None:
        return visitor.not_found()
    now = runtime.now()
    views = [view_of(each, registration, now) for each in codes]
    return renderer.visitor_page(
        visitor,
        "codes/list.html",
        tab="codes",
        enterprise={"uscc": uscc, "name": registration.name},
        views=views,
        outdated=sum(bool(each.outdated) for each in views),
        is_cut=len(views) == MOST_SHOWN,
        may_print=find_font(runtime.settings.font) is not None,
        reported=reported,
    )


@router.get("/portal/codes/{code_id}")
async def show_code(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show one code and its actions."""
    return await _code_page(code_id, runtime, visitor, "codes/code.html")


@router.get("/portal/codes/{code_id}/revoke")
async def confirm_revocation(
    code_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask to confirm the revocation."""
    return await _code_page(code_id, runtime, visitor, "codes/revoke.html")


@router.post("/portal/codes/{code_id}/revoke")
async def revoke_code(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Revoke a code."""
    await visitor.form(f"revoke {code_id}")
    async with runtime.engine.begin() as connection:
        code = await own_code(connection, visitor, code_id)
        author = service.Author(**visitor.authorship)
        revoked = await service.revoke_code(connection, code, author, now=runtime.now())
    notice = "revoked" if revoked else "too_late"
    return see_other(f"/portal/codes/{code.code_id}?notice={notice}")


@router.get("/portal/codes/{code_id}/qr.svg")
async def download_svg(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Serve the QR symbol as SVG."""
    code, matrix = await _qr_matrix(code_id, runtime, visitor)
    image = qr.as_svg(matrix, label="企业码 enterprise code")
    return _image(visitor, image, "image/svg+xml", f"{code.code_id}.svg")


@router.get("/portal/codes/{code_id}/qr.png")
async def download_png(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Serve the QR symbol as PNG."""
    code, matrix = await _qr_matrix(code_id, runtime, visitor)
    return _image(visitor, qr.as_png(matrix), "image/png", f"{code.code_id}.png")


async def _qr_matrix(code_id: str, runtime: Runtime, visitor: Visitor) -> tuple[Code, qr.Matrix]:
    async with runtime.engine.connect() as connection:
        code = await own_valid_code(connection, visitor, code_id, now=runtime.now())
    return code, qr.matrix_of(code_url(runtime.settings.issuer, code.code_id))


async def _code_page(code_id: str, runtime: Runtime, visitor: Visitor, template: str) -> Response:
    async with runtime.engine.connect() as connection:
        code = await own_code(connection, visitor, code_id)
        registration = await store.find_registration(connection, code.uscc)
        reported = await reports.summaries_of(connection, [code.code_id])
    if registration is None:
        return visitor.not_found()
    return renderer.visitor_page(
        visitor,
        template,
        tab="codes",
        code=code,
        formats=FORMATS if find_font(runtime.settings.font) else (),
        reported=reported.get(code.code_id),
        view=view_of(code, registration, runtime.now()),
        enterprise={"uscc": code.uscc, "name": registration.name},
        notice=visitor.notice(NOTICES),
        csrf=visitor.token(f"revoke {code_id}"),
    )


def _image(visitor: Visitor, body: bytes, media_type: str, name: str) -> Response:
    headers = security_headers(form_action=())
    if "download" in visitor.request.query_params:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=media_type, headers=headers)
