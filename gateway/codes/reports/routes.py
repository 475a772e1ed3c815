"""Public pages around reports: the form, what happens next, and how to tell a false code.

Their addresses cannot be ids, which have 26 characters. No cookie; all work without script.
"""

import secrets
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from gateway.codes import network_limits
from gateway.codes.public_page.page_html import render_page
from gateway.codes.reports import nearby, store
from gateway.codes.reports.display import display_choices, display_query
from gateway.codes.reports.form import (
    BROKEN,
    STALE,
    TOO_LARGE,
    FormMistake,
    ReadForm,
    kept_values,
    read_report,
)
from gateway.codes.reports.form_token import NONCE_BYTES, form_token
from gateway.codes.reports.model import (
    GROUNDS,
    HANDLING_WORKING_DAYS,
    MAX_TEXT,
    OTHER_TEXTS,
    UNKNOWN_PER_DAY,
    read_scanned,
)
from gateway.creditfile.local_dates import day_of
from gateway.db.unavailable import is_unavailable
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.pages.forms import Fields, is_same_origin, is_too_large, read_form, single_value
from gateway.pages.i18n import Translated
from gateway.pages.page_route import RETRY_SECONDS, PageRoute, see_other
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
router.include_router(nearby.router)

UNAVAILABLE: Final = FormMistake(
    status=503,
    retry_after=RETRY_SECONDS,
    sentence=Translated(
        "现在不能提交，请稍后再试，或者拨打 12315。",
        "Nothing can be sent right now. Please try again shortly, or call 12315.",
    ),
)


@router.get("/E/how")
async def explain_false_codes(request: Request) -> Response:
    """Explain how to tell a false code."""
    return render_page(request, "codes/reports/how.html", display=display_query(request))


@router.get("/E/report")
async def show_report_form(request: Request, runtime: UsingRuntime, code: str = "") -> Response:
    """Show the form to report a code."""
    return _form(request, runtime, code)


@router.post("/E/report")
async def send_report(request: Request, runtime: UsingRuntime) -> Response:
    """Take a report; the same form sent again makes no second one."""
    if not is_same_origin(request, runtime.settings.issuer):
        return _form(request, runtime, "", mistake=STALE)
    fields = await read_form(request)
    if fields is None:
        broken = TOO_LARGE if is_too_large(request) else BROKEN
        return _form(request, runtime, "", mistake=broken)
    read = read_report(fields, _key(runtime), now=runtime.now())
    mistake = read if isinstance(read, FormMistake) else await _write(request, runtime, read)
    if mistake is not None:
        code = single_value(fields, "code")
        return _form(request, runtime, code, mistake=mistake, fields=fields)
    masked = {"masked": "1"} if isinstance(read, ReadForm) and read.is_masked else {}
    query = urlencode(display_choices(request) | masked)
    return see_other("/E/report/sent" + (f"?{query}" if query else ""))


@router.get("/E/report/sent")
async def show_report_sent(request: Request) -> Response:
    """Say what happens with a report."""
    is_masked = request.query_params.get("masked") == "1"
    return render_page(
        request,
        "codes/reports/sent.html",
        carried={"masked": "1"} if is_masked else {},
        days=HANDLING_WORKING_DAYS,
        masked=is_masked,
        display=display_query(request),
    )


async def _write(request: Request, runtime: Runtime, read: ReadForm) -> FormMistake | None:
    """Write the report within the limits, or say why not."""
    report = read.report
    async with runtime.engine.connect() as connection:
        if await store.is_written(connection, report.report_id):
            return None
        is_new = await store.is_new(connection, report.scanned)
    bound, key = UNKNOWN_PER_DAY, report.scanned.key
    try:
        wait = await network_limits.report_wait(request, runtime)
        if wait is not None:
            return _too_many(wait)
        if not await network_limits.spend_form(runtime, report.report_id):
            return None
        if is_new:
            bound = await network_limits.new_key_bound(request, runtime, report.scanned)
        may_store = await network_limits.may_store_report(
            request, runtime, key if bound else OTHER_TEXTS
        )
    except LimiterUnavailableError:
        return UNAVAILABLE
    try:
        async with runtime.engine.begin() as connection:
            await store.write_report(
                connection, report, may_store=may_store, new_keys=bound, now=runtime.now()
            )
    except Exception as error:
        if is_unavailable(error):
            return UNAVAILABLE  # with a fresh token: this one is spent
        raise
    return None


def _form(
    request: Request,
    runtime: Runtime,
    code: str,
    *,
    mistake: FormMistake | None = None,
    fields: Fields | None = None,
) -> Response:
    now = runtime.now()
    scanned = read_scanned(code, today=day_of(now))
    code = scanned.text if code else ""
    page = render_page(
        request,
        "codes/reports/form.html",
        status=mistake.status if mistake else 200,
        form_action=("'self'",),
        carried={"code": code} if code else {},
        action=f"/E/report{display_query(request)}",
        display=display_query(request),
        scanned=scanned if code else None,
        code=code,
        token=form_token(_key(runtime), scanned.key, secrets.token_bytes(NONCE_BYTES), now=now),
        grounds=GROUNDS,
        longest=MAX_TEXT,
        mistake=mistake,
        filled=kept_values(fields) if fields else {"ground": "", "text": ""},
    )
    page.headers["Cache-Control"] = "no-store"  # its token is for one reader
    if mistake is not None and mistake.retry_after is not None:
        page.headers["Retry-After"] = str(mistake.retry_after)
    return page


def _key(runtime: Runtime) -> bytes:
    return runtime.digests.key("code_report")


def _too_many(seconds: int) -> FormMistake:
    minutes = -(-seconds // 60)
    return FormMistake(
        status=429,
        retry_after=seconds,
        sentence=Translated(
            f"您所在的网络提交得太频繁，请约 {minutes} 分钟后再试；急需处理的请拨打 12315。",
            f"Too many reports from your network; try again in about {minutes} minutes. If it is "
            "urgent, call 12315.",
        ),
    )
