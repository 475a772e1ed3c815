"""Portal downloads of a printed code: each format as PDF, the sticker as PNG and SVG too."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from starlette.responses import Response

from gateway.access.download_limit import count_download
from gateway.codes import store
from gateway.codes.model import Code, is_operators_name
from gateway.codes.portal.guards import is_printed, own_valid_code
from gateway.codes.printing.content import Content, content_of
from gateway.codes.printing.file_names import attachment, file_name
from gateway.codes.printing.formats import BY_KEY, STICKER, Format, sheet_pages
from gateway.codes.printing.layouts import ModulesTooSmallError, upright
from gateway.codes.printing.pdf import write_pdf
from gateway.codes.printing.png import write_png
from gateway.codes.printing.svg import write_svg
from gateway.codes.printing.typeface import Typeface, open_typeface
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_fields
from gateway.creditfile.file_query import enterprise_from_json
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Enterprise, registration_of
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.chinese_font import find_font
from gateway.pages.i18n import Translated
from gateway.pages.page_route import EarlyResponse, PageMessage, PageRoute
from gateway.pages.security_headers import security_headers
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
# Drawing holds a large font in memory for about a second.
drawing_slots: Final = asyncio.Semaphore(2)

MAX_ON_SHEETS: Final = 104
"""Codes on the sheets of one download: thirteen pages; more are not valid of one enterprise."""
TOO_SMALL: Final = PageMessage(
    422,
    Translated("这个尺寸印不下", "Too small to be printed"),
    Translated(
        "网址太长，二维码的模块会小于 0.4 毫米，手机扫不出。请选更大的尺寸。",
        "The address is too long: the symbol's modules would be under 0.4 mm, which phones do not read. "
        "Please choose a larger format.",
    ),
)


class _Printable(NamedTuple):
    """Content and typeface of a download."""

    content: Content
    typeface: Typeface


@router.get("/portal/codes/{code_id}/print/{piece}.pdf")
async def download_pdf(
    code_id: str, piece: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Serve a format as PDF."""
    found = await _printable(code_id, runtime, visitor)
    chosen = BY_KEY.get(piece)
    if chosen is None:
        return visitor.not_found()
    await count_download(runtime, visitor)
    async with drawing_slots:
        try:
            drawn = await asyncio.to_thread(_pdf, chosen, found, runtime)
        except ModulesTooSmallError:
            raise EarlyResponse(visitor.message_page(TOO_SMALL)) from None
    return _file(found.content, drawn, "application/pdf", chosen.key, "pdf", saved=True)


@router.get("/portal/codes/{code_id}/sticker.svg")
async def sticker_svg(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Serve the sticker as SVG, with its names and its check phrase."""
    found = await _printable(code_id, runtime, visitor)
    await count_download(runtime, visitor)
    async with drawing_slots:
        drawn = await asyncio.to_thread(_svg, found)
    saved = "download" in visitor.request.query_params
    return _file(found.content, drawn, "image/svg+xml", STICKER.key, "svg", saved=saved)


@router.get("/portal/codes/{code_id}/sticker.png")
async def download_png(code_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Serve the sticker as PNG, with its names and its check phrase."""
    found = await _printable(code_id, runtime, visitor)
    await count_download(runtime, visitor)
    async with drawing_slots:
        drawn = await asyncio.to_thread(_png, found)
    return _file(found.content, drawn, "image/png", STICKER.key, "png", saved=True)


@router.get("/portal/enterprises/{uscc}/codes/sheet.pdf")
async def download_sheet(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Serve A4 sheets with an enterprise's valid codes that are as registered, each once."""
    visitor.require(Permission.CODES, uscc)
    async with runtime.engine.connect() as connection:
        codes = await store.list_codes(connection, uscc)
        registration = await store.find_registration(connection, uscc)
    if registration is None:
        return visitor.not_found()
    valid = [each for each in codes if is_printed(each, registration, now=runtime.now())]
    found = [await _drawn_from(each, runtime, visitor) for each in valid[:MAX_ON_SHEETS]]
    if not found:
        return visitor.not_found()
    await count_download(runtime, visitor)
    async with drawing_slots:
        try:
            drawn = await asyncio.to_thread(_sheets, found, runtime)
        except ModulesTooSmallError:
            raise EarlyResponse(visitor.message_page(TOO_SMALL)) from None
    return _file(found[0].content, drawn, "application/pdf", "sheet", "pdf", saved=True)


async def _printable(code_id: str, runtime: Runtime, visitor: Visitor) -> _Printable:
    """The public values of the visitor's own valid code; 404 without a font."""
    async with runtime.engine.connect() as connection:
        code = await own_valid_code(connection, visitor, code_id, now=runtime.now())
    return await _drawn_from(code, runtime, visitor)


async def _drawn_from(code: Code, runtime: Runtime, visitor: Visitor) -> _Printable:
    font, now = find_font(runtime.settings.font), runtime.now()
    row = await store.read_public_file(runtime.hot, code.code_id, (), runtime.catalogue, now=now)
    enterprise = enterprise_from_json(row["enterprise"]) if row else None
    if font is None or enterprise is None:
        raise EarlyResponse(visitor.not_found())
    content = content_for(
        code, enterprise, runtime.catalogue, issuer=runtime.settings.issuer, now=now
    )
    return _Printable(content, open_typeface(font))


def content_for(
    code: Code, enterprise: Enterprise, catalogue: Catalogue, *, issuer: str, now: datetime
) -> Content:
    """The content of an enterprise's code; without the registered name where it is the operator's own."""
    registration = disclosable_fields(
        registration_of(enterprise), Audience.PUBLIC, catalogue, now, kind=enterprise.kind
    )
    operator = enterprise.legal_representative if enterprise.kind == INDIVIDUAL_BUSINESS else None
    return content_of(
        issuer,
        code_id=code.code_id,
        sign_name=code.sign_name,
        name="" if is_operators_name(enterprise.name, operator) else registration.get("name", ""),
        check_phrase=code.check_phrase,
    )


def _sheets(found: Sequence[_Printable], runtime: Runtime) -> bytes:
    typeface = found[0].typeface
    pages = sheet_pages([each.content for each in found], typeface)
    return write_pdf(pages, typeface, title="企业码", created=runtime.now())


def _pdf(chosen: Format, found: _Printable, runtime: Runtime) -> bytes:
    pages = chosen.pages(found.content, found.typeface)
    title = f"{found.content.sign_name} · {chosen.name.zh}"
    return write_pdf(pages, found.typeface, title=title, created=runtime.now())


def _svg(found: _Printable) -> bytes:
    drawing = upright(found.content, found.typeface)
    return write_svg(drawing, found.typeface, title=found.content.sign_name)


def _png(found: _Printable) -> bytes:
    return write_png(upright(found.content, found.typeface), found.typeface)


def _file(
    content: Content, drawn: bytes, media_type: str, piece: str, ending: str, *, saved: bool
) -> Response:
    headers = security_headers(form_action=())
    if saved:
        name = file_name(content.sign_name, piece, ending)
        headers["Content-Disposition"] = attachment(name, f"{content.code_id}-{piece}.{ending}")
    return Response(drawn, media_type=media_type, headers=headers)
