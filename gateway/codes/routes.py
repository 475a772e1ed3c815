"""Routes of enterprise codes: the public page, and the page on which a number is typed."""

import secrets
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.http.request_middleware import SIGNATURES
from gateway.access.openapi.headers import CDN, PAGE, header
from gateway.access.request_signature import signed_target
from gateway.codes import national_codes, network_limits, store
from gateway.codes.ids import ID_PATTERN, code_id_in, parse_code_id
from gateway.codes.model import CodeState
from gateway.codes.public_page import page_html
from gateway.codes.public_page.invalid_code import InvalidCode, invalid_code_page, mistyped_page
from gateway.codes.public_page.page_json import CodePage, code_json
from gateway.codes.public_page.page_schemas import INVALID_CODE, CodePageOut
from gateway.codes.public_page.summary import next_minute, public_datasets, same_until, summary_of
from gateway.codes.store import Code
from gateway.creditfile.file_query import enterprise_from_json, records_from_json
from gateway.pages.cdn import PageCdn
from gateway.pages.kept_pages import KeptPage
from gateway.pages.page_route import DirectPageRoute, see_other, wants_json
from gateway.pages.representation import NOT_MODIFIED, PlainAnswer
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

SEE_OTHER = 303
NOT_FOUND = 404
GONE = 410
TOO_MANY = 429
INVALID = {"application/problem+json": {"schema": INVALID_CODE}}

PAGE_PATH: Final = "/E/{code_id:path}"
SYMBOL_PATH: Final = "/E/{code_id:code_id}"
"""The page's path as it stands in a symbol, byte for byte."""

JSON_FORM: Final = ("json",)
"""The form of a page that is its JSON."""
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
        return page_html.lookup_page(request)
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
    return page_html.national_code_page(request, summary, runtime.catalogue, address)


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
    parsed = parse_code_id(code_id)
    if parsed is None:
        return invalid_code_page(request, "malformed")
    form = JSON_FORM if wants_json(request) else page_html.form_of(request)
    if form is JSON_FORM and signed_target(request.scope) != f"/E/{parsed}".encode():
        return see_other(f"/E/{parsed}")
    scan = _Scan(request=request, runtime=runtime, code_id=parsed, form=form, now=runtime.now())
    return await _answer(scan)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """A scan of a code: what is asked for, of whom, and when."""

    request: Request
    runtime: Runtime
    code_id: str
    form: tuple[str | None, ...]
    """The form that is asked for: that of the page's address, or `JSON_FORM`."""
    now: datetime

    @property
    def key(self) -> Hashable:
        """Cache key of the page."""
        return (self.code_id, *self.form)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that the page is made of."""
        return public_datasets(self.runtime.catalogue)

    def cdn(self) -> PageCdn | None:
        """The CDN, where it may keep the answer: it is told of changes, and the answer is a page for all.

        JSON is not: a CDN that does not follow `Vary` would show it to everybody.
        """
        cdn = self.runtime.cdn
        if cdn is None or self.form is JSON_FORM or self.request.state.content_digest is not None:
            return None
        return cdn if cdn.is_told(self.datasets) else None


async def _answer(scan: _Scan) -> Response:
    """The page, kept or made anew; or the warning of a code that is unknown or not valid."""
    request, runtime = scan.request, scan.runtime
    cdn = scan.cdn()  # before the first read: changes after it are purged
    kept = runtime.kept_pages.find(scan.key)
    if kept is not None and await _is_current(kept, scan):
        return _warning_or_count(scan, kept.subject) or _sent(scan, kept, cdn)
    row = await store.read_public_file(
        runtime.hot,
        scan.code_id,
        scan.datasets,
        runtime.catalogue,
        now=scan.now,
        uscc=runtime.code_locations.find(scan.code_id),
    )
    if row is None:
        return await _unknown_code(request, runtime, "unknown")
    code = Code(**{name: row[name] for name in Code.__dataclass_fields__})
    runtime.code_locations.keep(code.code_id, code.uscc)
    warning = _warning_or_count(scan, code)
    if warning is not None:
        return warning
    made = _made(scan, row, code, is_first=kept is None)
    if made is None:
        return invalid_code_page(request, "unknown")
    runtime.kept_pages.keep(scan.key, made)
    return _sent(scan, made, cdn)


async def _is_current(kept: KeptPage, scan: _Scan) -> bool:
    """True where a kept page is what would be made now: by the clock, the catalogue and the database."""
    if not kept.holds(scan.runtime.catalogue, scan.now):
        return False
    code: Code = kept.subject
    mark = await store.read_mark(scan.runtime.hot, code.code_id, code.uscc, scan.datasets)
    return mark == kept.mark


def _warning_or_count(scan: _Scan, code: Code) -> Response | None:
    """The warning of a code that is not valid; scans of valid and of revoked ones are counted."""
    state = code.state_at(scan.now)
    if state in {CodeState.VALID, CodeState.REVOKED}:
        is_revoked = state is CodeState.REVOKED
        network_limits.count_scan(scan.request, scan.runtime, code.code_id, revoked=is_revoked)
    return None if state is CodeState.VALID else invalid_code_page(scan.request, state)


def _made(scan: _Scan, row: Mapping[str, Any], code: Code, *, is_first: bool) -> KeptPage | None:
    """The page of a valid code or its JSON, made from what was read; `None` without an enterprise.

    The first page of a code is coded quickly: most codes are not scanned again within its minute.
    """
    enterprise = enterprise_from_json(row["enterprise"])
    if enterprise is None:
        return None
    records, catalogue, now = records_from_json(row["records"]), scan.runtime.catalogue, scan.now
    page = CodePage(code=code, summary=summary_of(enterprise, records, catalogue, now=now))
    same = same_until(records, now)
    return KeptPage(
        page=PlainAnswer(code_json(page))
        if scan.form is JSON_FORM
        else page_html.valid_code_page(scan.request, page, catalogue, quickly=is_first),
        subject=code,
        mark=row["mark"],
        catalogue=catalogue,
        since=now,
        until=min(next_minute(now), same),
        same_until=min(same, code.expires_at) if code.expires_at else same,
    )


def _sent(scan: _Scan, kept: KeptPage, cdn: PageCdn | None) -> Response:
    """The response with a kept page; `cdn` is told for how long it may keep it, and under which keys.

    It was told of changes when the page was read, and still is.
    """
    request = scan.request
    answer = kept.page.response(request)
    if request.state.content_digest is None:
        setattr(request.state, SIGNATURES, kept.signatures)
    if cdn is None or not cdn.is_told(scan.datasets):
        return answer
    if headers := cdn.headers(kept.subject.uscc, kept.same_until - scan.now):
        # The id of one request is not given to those who get the page from the CDN.
        answer.headers.update({**headers, "X-Request-Id": secrets.token_urlsafe(12)})
    return answer


async def _unknown_code(request: Request, runtime: Runtime, reason: InvalidCode) -> Response:
    """The warning of an unknown code; 429 after too many from one network."""
    wait = await network_limits.unknown_wait(request, runtime)
    reason = reason if wait is None else "too_many"
    return invalid_code_page(request, reason, retry_after=wait)
