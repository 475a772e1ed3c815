"""Public pages behind a report's address and QR code: its state, its contents, a check of one's file.

No sign-in, no cookie, no script; nothing is cached, so that a report that was taken back is not shown
any more from the next request on.
"""

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.http.head_requests import get_only
from gateway.access.serializers.timestamps import format_time
from gateway.codes.public_page.markup import ICONS
from gateway.codes.public_page.wording import wording_of
from gateway.credit_reports import labels, network_limits, service, store
from gateway.credit_reports.files import JSON, draw_pdf, file_response, may_draw
from gateway.credit_reports.ids import parse_number, report_id_of
from gateway.credit_reports.labels import StateText
from gateway.credit_reports.pdf import MEDIA_TYPE
from gateway.credit_reports.service import ChangingError, Standing
from gateway.credit_reports.view import sections_of
from gateway.pages.i18n import Translated, requested_language
from gateway.pages.page_route import (
    NOT_FOUND,
    TOO_OFTEN,
    EarlyResponse,
    PageMessage,
    PageRoute,
    unavailable,
    wants_json,
)
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers
from gateway.pages.upload_form import read_upload_form
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

GONE: Final = 410
LARGE: Final = "large"
MOST_BYTES: Final = 8 * 1024 * 1024
"""Size limit of an uploaded file, in bytes."""
UNKNOWN: Final = NOT_FOUND._replace(
    title=Translated("没有这份报告", "There is no such report"),
    sentence=Translated(
        "编号不完整、有误，或者报告不是这里出具的。请从原来的二维码或链接重新打开；仍然打不开的，不要相信这份报告。",
        "The number is cut off or wrong, or the report was not made here. Open it again by its QR code or "
        "link; if there is none still, do not trust it.",
    ),
    onward=None,
)
WAIT: Final = TOO_OFTEN._replace(onward=None)

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.credit_reports", language_cookie=False, icons=ICONS)


@router.get("/R/{number}")
@get_only()
async def show_report(request: Request, number: str, runtime: UsingRuntime) -> Response:
    """Show a report with its state; with `Accept: application/json`, the signed document."""
    standing = await _opened(request, runtime, number)
    if wants_json(request):
        return _document(standing)
    return _page(request, runtime, standing)


@router.get("/R/{number}/report.json")
@get_only()
async def download_document(request: Request, number: str, runtime: UsingRuntime) -> Response:
    """Serve the signed document as a file."""
    standing = await _opened(request, runtime, number)
    if standing.report is None:
        return _document(standing) if wants_json(request) else _page(request, runtime, standing)
    return file_response(standing.file, JSON, standing.number)


@router.get("/R/{number}/report.pdf")
@get_only()
async def download_pdf(request: Request, number: str, runtime: UsingRuntime) -> Response:
    """Serve the PDF."""
    wait = await network_limits.pdf_wait(request, runtime)
    if wait is not None:
        return _message(request, WAIT, retry_after=wait)
    pdf = await draw_pdf(runtime, await _looked_at(request, runtime, number))
    standing = await _opened(request, runtime, number)  # a drawing may have waited for others
    if pdf is None or standing.report is None:
        return _page(request, runtime, standing)
    return file_response(pdf, MEDIA_TYPE, standing.number)


@router.get("/R/{number}/status.json")
async def show_status(request: Request, number: str, runtime: UsingRuntime) -> Response:
    """Say whether the report still holds, and nothing of what it says: no opening."""
    wait = await network_limits.status_wait(request, runtime)
    if wait is not None:
        return _message(request, WAIT, retry_after=wait)
    standing = await _looked_at(request, runtime, number)
    status = {
        "report_id": standing.number,
        "status": standing.state,
        "valid_until": format_time(standing.stored.valid_until),
        "as_of": format_time(standing.moment),
    }
    return _json(status, 200, JSON)


@router.post("/R/{number}/check")
async def check_file(request: Request, number: str, runtime: UsingRuntime) -> Response:
    """Say whether an uploaded file is byte for byte what was issued; it is hashed and not stored."""
    wait = await network_limits.check_wait(request, runtime)
    if wait is not None:
        return _message(request, WAIT, retry_after=wait)
    await _looked_at(request, runtime, number)
    form = await read_upload_form(request)
    standing = await _looked_at(request, runtime, number)  # an upload may take minutes
    files = form.files if form is not None else ()
    if form is None or form.too_large or len(files) != 1 or files[0].size > MOST_BYTES:
        return _page(request, runtime, standing, check=labels.UNREADABLE, is_opening=False)
    check = labels.PROOF[files[0].sha256 in standing.stored.digests]
    return _page(request, runtime, standing, check=check, is_opening=False)


async def _opened(request: Request, runtime: Runtime, number: str) -> Standing:
    """The report, with its opening written down if it is shown; else the 404 page."""
    wait = await network_limits.opening_wait(request, runtime)
    if wait is not None:
        raise EarlyResponse(_message(request, WAIT, retry_after=wait))
    try:
        standing = await service.open_report(runtime, parse_number(number))
    except ChangingError:
        raise EarlyResponse(unavailable(request)) from None
    return standing or await _unknown(request, runtime)


async def _looked_at(request: Request, runtime: Runtime, number: str) -> Standing:
    """The report with its state; else the 404 page."""
    async with runtime.engine.connect() as connection:
        stored = await store.find_report(connection, report_id_of(parse_number(number)))
        if stored is not None:
            return await service.look_at(connection, runtime, stored)
    return await _unknown(request, runtime)


async def _unknown(request: Request, runtime: Runtime) -> Standing:
    """Raise the 404 page; 429 after too many from one network."""
    wait = await network_limits.unknown_wait(request, runtime)
    message = UNKNOWN if wait is None else WAIT
    raise EarlyResponse(_message(request, message, retry_after=wait))


def _page(
    request: Request,
    runtime: Runtime,
    standing: Standing,
    *,
    check: StateText | None = None,
    is_opening: bool = True,
) -> Response:
    """The page of a report; without its contents where it is no opening."""
    language = requested_language(request.query_params) or "zh"
    catalogue, kind = runtime.catalogue, standing.kind
    report = standing.report if is_opening else None
    return _public(
        request,
        "credit_reports/public.html",
        200 if standing.state.is_shown else GONE,
        standing=standing,
        said=labels.STATES[standing.state],
        report=report,
        sections=sections_of(report, kind, catalogue) if report else (),
        wording=lambda code: wording_of(catalogue, code, kind, language),
        anyone=labels.ANYONE,
        check=check,
        has_pdf=may_draw(runtime),
    )


def _message(request: Request, message: PageMessage, *, retry_after: int | None = None) -> Response:
    """A page of one message, or the same as a problem document."""
    if wants_json(request):
        code = "rate_limited" if message is WAIT else "not_found"
        answer = _problem(message.status, code, message.sentence)
    else:
        answer = _public(request, "credit_reports/message.html", message.status, message=message)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _public(request: Request, template: str, status: int, **context: Any) -> Response:
    """A public page in the language and size of its address."""
    query, path = request.query_params, request.url.path.removesuffix("/check")
    is_english, is_large = requested_language(query) == "en", query.get("size") == LARGE
    page = renderer.page(
        request,
        template,
        status=status,
        large=is_large,
        language_switch=_address(path, is_english=not is_english, is_large=is_large),
        path=path,
        page_link=_address(path, is_english=is_english, is_large=is_large),
        size_switch=_address(path, is_english=is_english, is_large=not is_large),
        form_link=_address(f"{path}/check", is_english=is_english, is_large=is_large),
        host=urlsplit(request.app.state.runtime.settings.issuer).netloc,
        **context,
    )
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def _address(path: str, *, is_english: bool, is_large: bool) -> str:
    chosen = ({"lang": "en"} if is_english else {}) | ({"size": LARGE} if is_large else {})
    return f"{path}?{urlencode(chosen)}" if chosen else path


def _document(standing: Standing) -> Response:
    """The signed document; of a report that is not shown any more, why."""
    if standing.report is None:
        said = labels.STATES[standing.state]
        return _problem(GONE, f"report_{standing.state}", said.sentence)
    return _bytes(standing.file, 200, JSON)


def _problem(status: int, code: str, sentence: Translated) -> Response:
    problem = {
        "type": f"urn:xinqiao:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": sentence.en,
    }
    return _json(problem, status, "application/problem+json")


def _json(document: Any, status: int, media_type: str) -> Response:  # any JSON
    return _bytes(orjson.dumps(document), status, media_type)


def _bytes(body: bytes, status: int, media_type: str) -> Response:
    headers = security_headers(form_action=()) | {"Vary": "Accept", "X-Robots-Tag": "noindex"}
    return Response(body, status_code=status, media_type=media_type, headers=headers)
