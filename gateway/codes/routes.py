"""Routes of enterprise codes: the public page, and the page on which a number is typed."""

import secrets
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.openapi_headers import CDN, PAGE, header
from gateway.access.request_middleware import SIGNATURES, signed_target
from gateway.codes import national_codes, network_limits, public_page, store
from gateway.codes.ids import ID_PATTERN, code_id_in, parse_code_id
from gateway.codes.invalid_code import InvalidCode, invalid_code_page, mistyped_page
from gateway.codes.model import CodeState
from gateway.codes.page_json import CodePage, code_json
from gateway.codes.page_schemas import INVALID_CODE, CodePageOut
from gateway.codes.store import Code
from gateway.codes.summary import public_datasets, same_until, shown_until, summary_of
from gateway.creditfile.file_query import enterprise_from_json, records_from_json
from gateway.pages.cdn import PageCdn
from gateway.pages.kept_pages import KeptPage
from gateway.pages.page_route import DirectPageRoute, see_other, wants_json
from gateway.pages.prefix_router import PrefixRouter
from gateway.pages.representation import NOT_MODIFIED, PlainAnswer
from gateway.runtime import Runtime, UsingRuntime

SEE_OTHER = 303
NOT_FOUND = 404
GONE = 410
TOO_MANY = 429
INVALID = {"application/problem+json": {"schema": INVALID_CODE}}

PAGE_PATH: Final = "/E/{code_id:path}"
SYMBOL_PATH: Final = "/E/{code_id:code_id}"
"""The page's path as it stands in a symbol, byte for byte."""

_CHOSEN: Final = ("Vary", "Content-Language", "Content-Encoding", "ETag")
"""Headers that the page has and its JSON has not, or not always."""
_NOT_MODIFIED: Final = {
    "description": "The page is the one that you have.",
    "headers": {name: header(name, required=True) for name in ("ETag", "Vary", "Content-Language")},
}

router = PrefixRouter(route_class=DirectPageRoute)


class _CodeIds(StringConvertor):
    """Ids of codes in a route's path."""

    regex = ID_PATTERN


register_url_convertor("code_id", _CodeIds())


def _shown(description: str, json: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI response of the page, or of its JSON with this content."""
    sent = {name: header(name, required=True) for name in PAGE}
    chosen = {name: header(name, required=False) for name in _CHOSEN}
    return {
        "description": description,
        "content": {"text/html": {"schema": {"type": "string"}}, **json},
        "headers": sent | chosen,
    }


def _for_cdn(response: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI response with the headers for a CDN."""
    return response | {
        "headers": response["headers"] | {name: header(name, required=False) for name in CDN}
    }


@router.get("/E/", include_in_schema=False)
async def look_up_code(request: Request, runtime: UsingRuntime) -> Response:
    """Show the page to type a code's number, or lead from a number or address to its page."""
    code = request.query_params.get("code", "")
    if not code.strip():
        return public_page.lookup_page(request)
    prefix = runtime.settings.national_code_prefix
    identifier = national_codes.identifier_in(code, prefix) if prefix else None
    if identifier is not None:
        return await _national_code_page(request, runtime, identifier)
    parsed = code_id_in(code, runtime.settings.issuer)
    if parsed is None:
        return mistyped_page(request, code)
    kept = {n: v for n, v in request.query_params.items() if n in {"lang", "size"}}
    return see_other(f"/E/{parsed}" + (f"?{urlencode(kept)}" if kept else ""))


async def _national_code_page(request: Request, runtime: Runtime, identifier: str) -> Response:
    """The page of the enterprise that a national code stands for, without leaving this address."""
    uscc, now = await national_codes.find_enterprise(runtime.hot, identifier), runtime.now()
    row = await store.read_file_of(
        runtime.hot, uscc or "", public_datasets(runtime.catalogue), runtime.catalogue, now=now
    )
    enterprise = enterprise_from_json(row["enterprise"])
    if enterprise is None:
        return await _unknown_code(request, runtime, "national_unknown")
    wait = await network_limits.national_wait(request, runtime)
    if wait is not None:
        return invalid_code_page(request, "national_too_many", retry_after=wait)
    summary = summary_of(enterprise, records_from_json(row["records"]), runtime.catalogue, now=now)
    address = f"{runtime.settings.national_code_prefix}{identifier}"
    return public_page.national_code_page(request, summary, runtime.catalogue, address)


@router.get(
    PAGE_PATH,
    tags=["codes"],
    response_model=None,
    summary="The page behind an enterprise code",
    responses={
        200: _for_cdn(_shown("The public credit summary.", {})) | {"model": CodePageOut},
        SEE_OTHER: {
            "description": "The address at which the JSON is.",
            "headers": {
                name: header(name, required=True)
                for name in ("Location", "Cache-Control", "Referrer-Policy")
            },
        },
        NOT_MODIFIED: _for_cdn(_NOT_MODIFIED),
        NOT_FOUND: _shown("No code of ours.", INVALID),
        TOO_MANY: _shown("Too many codes that are not ours, from one network.", INVALID),
        GONE: _shown("A code that was revoked or replaced, or has expired.", INVALID),
    },
)
@router.get("/e/{code_id:path}", response_model=None, include_in_schema=False)
async def scan_code(request: Request, code_id: str, runtime: UsingRuntime) -> Response:
    """Show the public credit summary; with `Accept: application/json`, the same as JSON."""
    parsed, now = parse_code_id(code_id), runtime.now()
    if parsed is None:
        return invalid_code_page(request, "malformed")
    if wants_json(request) and signed_target(request.scope) != f"/E/{parsed}".encode():
        return see_other(f"/E/{parsed}")
    cdn = _cdn_of(request, runtime)  # before the first read: changes after it are purged
    kept = runtime.kept_pages.find(_key(request, parsed))
    if kept is not None and await _is_current(kept, runtime, now):
        warning = _warning_or_count(request, runtime, kept.subject, now)
        return warning or _sent(request, runtime, kept, cdn=cdn, now=now)
    row = await store.read_public_file(
        runtime.hot,
        parsed,
        public_datasets(runtime.catalogue),
        runtime.catalogue,
        now=now,
        uscc=runtime.code_locations.find(parsed),
    )
    if row is None:
        return await _unknown_code(request, runtime, "unknown")
    code = Code(**{name: row[name] for name in Code.__dataclass_fields__})
    runtime.code_locations.keep(parsed, code.uscc)
    warning = _warning_or_count(request, runtime, code, now)
    if warning:
        return warning
    return _sent_anew(request, runtime, row, code, cdn=cdn, now=now)


async def _is_current(kept: KeptPage, runtime: Runtime, now: datetime) -> bool:
    """True where a kept page is what would be made now: by the clock, the catalogue and the database."""
    if not kept.holds(runtime.catalogue, now):
        return False
    code: Code = kept.subject
    datasets = public_datasets(runtime.catalogue)
    return await store.read_mark(runtime.hot, code.code_id, code.uscc, datasets) == kept.mark


def _warning_or_count(
    request: Request, runtime: Runtime, code: Code, now: datetime
) -> Response | None:
    """The warning of a code that is not valid; scans of valid and of revoked ones are counted."""
    state = code.state_at(now)
    if state in {CodeState.VALID, CodeState.REVOKED}:
        is_revoked = state is CodeState.REVOKED
        network_limits.count_scan(request, runtime, code.code_id, revoked=is_revoked)
    return None if state is CodeState.VALID else invalid_code_page(request, state)


def _sent_anew(
    request: Request,
    runtime: Runtime,
    row: Mapping[str, Any],
    code: Code,
    *,
    cdn: PageCdn | None,
    now: datetime,
) -> Response:
    """The page of a valid code or its JSON, made from what was read, and kept.

    The first page of a code is coded quickly: most codes are not scanned again within its minute.
    """
    enterprise = enterprise_from_json(row["enterprise"])
    if enterprise is None:
        return invalid_code_page(request, "unknown")
    records = records_from_json(row["records"])
    summary = summary_of(enterprise, records, runtime.catalogue, now=now)
    page = CodePage(code=code, summary=summary)
    same, key = same_until(records, now), _key(request, code.code_id)
    is_first = runtime.kept_pages.find(key) is None
    made = KeptPage(
        page=PlainAnswer(code_json(page))
        if wants_json(request)
        else public_page.valid_code_page(request, page, runtime.catalogue, quickly=is_first),
        subject=code,
        mark=row["mark"],
        catalogue=runtime.catalogue,
        since=now,
        until=shown_until(records, now),
        same_until=min(same, code.expires_at) if code.expires_at else same,
    )
    runtime.kept_pages.keep(key, made)
    return _sent(request, runtime, made, cdn=cdn, now=now)


def _sent(
    request: Request, runtime: Runtime, kept: KeptPage, *, cdn: PageCdn | None, now: datetime
) -> Response:
    """The response with a kept page; `cdn` is told for how long it may keep it, and under which keys.

    It was told of changes when the page was read, and still is.
    """
    answer = kept.page.response(request)
    if request.state.content_digest is None:
        setattr(request.state, SIGNATURES, kept.signatures)
    if cdn is None or not cdn.is_told(public_datasets(runtime.catalogue)):
        return answer
    if headers := cdn.headers(kept.subject.uscc, kept.same_until - now):
        # The id of one request is not given to those who get the page from the CDN.
        answer.headers.update({**headers, "X-Request-Id": secrets.token_urlsafe(12)})
    return answer


def _cdn_of(request: Request, runtime: Runtime) -> PageCdn | None:
    """The CDN, where it may keep the answer: it is told of changes, and the answer is a page for all.

    JSON is not: a CDN that does not follow `Vary` would show it to everybody.
    """
    if wants_json(request) or request.state.content_digest is not None or runtime.cdn is None:
        return None
    return runtime.cdn if runtime.cdn.is_told(public_datasets(runtime.catalogue)) else None


async def _unknown_code(request: Request, runtime: Runtime, reason: InvalidCode) -> Response:
    """The warning of an unknown code; 429 after too many from one network."""
    wait = await network_limits.unknown_wait(request, runtime)
    reason = reason if wait is None else "too_many"
    return invalid_code_page(request, reason, retry_after=wait)


def _key(request: Request, code_id: str) -> Hashable:
    """Cache key of a page: the code, and the form that the address asks for; or its JSON."""
    form = ("json",) if wants_json(request) else public_page.form_of(request)
    return (code_id, *form)
