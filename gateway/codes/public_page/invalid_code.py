"""Warning pages of scanned addresses that are no valid code, as HTML or JSON."""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.codes.ids import MAX_WRITTEN
from gateway.codes.model import CodeState
from gateway.codes.public_page.lookup_mistakes import kept_text, lookup_mistake
from gateway.codes.public_page.page_html import lookup_page, render_page
from gateway.codes.public_page.page_json import json_of
from gateway.pages.i18n import Translated
from gateway.pages.page_route import wants_json
from gateway.privacy.redaction import may_hold_personal_number

InvalidCode = (
    Literal[
        "malformed",
        "unknown",
        "too_many",
        "national_unknown",
        "national_too_many",
        "screen_over",
        "screen_forged",
    ]
    | CodeState
)
NOT_FOUND: Final = 404
HARMLESS: Final = frozenset(
    {
        "malformed",
        "too_many",
        "national_too_many",
        "screen_over",
        CodeState.REPLACED,
        CodeState.EXPIRED,
    }
)
"""Reasons that do not point to a forgery: shown in amber, without a call to report it."""
INVALID_CODE_TEXTS: Final[Mapping[InvalidCode, tuple[int, str, Translated, Translated]]] = {
    "malformed": (
        404,
        "not_found",
        Translated("这不是企业码", "This is not an enterprise code"),
        Translated(
            "这个网址里没有完整的企业码编号：可能没有扫全，也可能不是企业码。请重新扫描贴纸；"
            "不要在其他页面输入账号、密码，也不要付款。",
            "This address has no whole number of a code: it may have been cut off, or be no code at "
            "all. Scan the sticker again; do not enter a password or pay on any other page.",
        ),
    ),
    "unknown": (
        404,
        "not_found",
        Translated("没有这个企业码，可能是伪造的", "There is no such code; it may be a forgery"),
        Translated(
            "系统中没有签发过这个企业码。请不要在扫码后的页面输入账号、密码，也不要付款。"
            "手工输入的编号，请先核对有没有输错。",
            "No such code was ever issued. Do not enter a password or pay on any page that it leads to. "
            "If you typed the number, first look for a slip.",
        ),
    ),
    "national_unknown": (
        404,
        "not_found",
        Translated(
            "这个国家企业码在本省未查到", "This national code is not known in this province"
        ),
        Translated(
            "它可能属于其他省份的企业、刚刚发放，或者是伪造的。请在国家企业信用信息公示系统查询执照上的"
            "统一社会信用代码。",
            "It may stand for an enterprise of another province, be quite new, or be forged. Look the "
            "credit code on the licence up in the national publicity system.",
        ),
    ),
    "screen_over": (
        410,
        "code_expired",
        Translated("这个屏幕码已经失效", "This on-screen code has expired"),
        Translated(
            "屏幕码一分钟内有效，只能查看一次。请店家刷新后再扫一次；印在纸上的、截图转发的屏幕码不要相信。",
            "An on-screen code lasts a minute and can be viewed once. Ask for a fresh one; do not trust one "
            "that is printed or forwarded as a picture.",
        ),
    ),
    "screen_forged": (
        404,
        "not_found",
        Translated(
            "没有这个屏幕码，可能是伪造的", "There is no such on-screen code; it may be a forgery"
        ),
        Translated(
            "系统中没有签发过这个屏幕码。请不要在扫码后的页面输入账号、密码，也不要付款。",
            "No such code was ever issued. Do not enter a password or pay on any page that it leads to.",
        ),
    ),
    "too_many": (
        429,
        "rate_limited",
        Translated("查询过于频繁", "Too many numbers were tried"),
        Translated(
            "您所在的网络查询了太多不存在的编号。真的企业码仍能打开；请稍后再试，或者核对贴纸上的编号。",
            "Too many numbers that do not exist were tried from your network. True codes can still be "
            "opened; try again later, or compare the number on the sticker.",
        ),
    ),
    "national_too_many": (
        429,
        "rate_limited",
        Translated("查询过于频繁", "Too many national codes were opened"),
        Translated(
            "您所在的网络短时间内查询了太多国家企业码。请稍后再试，或者扫描店内张贴的企业码。",
            "Too many national codes were opened from your network in a short time. Try again later, or "
            "scan the code that hangs in the shop.",
        ),
    ),
    CodeState.REVOKED: (
        410,
        "code_revoked",
        Translated("这个企业码已作废", "This enterprise code has been revoked"),
        Translated(
            "这个企业码已被企业或管理部门作废，不再代表该企业。请不要凭它判断店家的信用。",
            "This code has been revoked and no longer stands for the enterprise. Do not trust it.",
        ),
    ),
    CodeState.REPLACED: (
        410,
        "code_replaced",
        Translated("这个企业码已换发", "This enterprise code has been replaced"),
        Translated(
            "这张贴纸已换发新码，不再代表该企业。请扫描店内现在张贴的企业码；只有旧贴纸的，不要凭它判断店家的信用。",
            "This sticker was replaced by a new one and no longer stands for the enterprise. Scan the code "
            "that hangs there now; if there is only this one, do not trust it.",
        ),
    ),
    CodeState.EXPIRED: (
        410,
        "code_expired",
        Translated("这个企业码已过有效期", "This enterprise code has expired"),
        Translated(
            "这个企业码已过有效期，不再代表该企业。请不要凭它判断店家的信用。",
            "This code has expired and no longer stands for the enterprise. Do not trust it.",
        ),
    ),
}


def invalid_code_page(
    request: Request, reason: InvalidCode, *, retry_after: int | None = None
) -> Response:
    """The warning page of no code or an unknown one (404), and of one that is no longer valid (410).

    With `retry_after` (seconds), of a network that has tried too many unknown ones (429).
    """
    page = _invalid_code_page(request, reason)
    if retry_after is not None:
        page.headers["Retry-After"] = str(retry_after)
    return page


def mistyped_page(request: Request, typed: str) -> Response:
    """The form again (404), with what is wrong with what was typed.

    JSON, and a broken address of the national platform, are as if it had been scanned.
    """
    settings = request.app.state.runtime.settings
    national = urlsplit(settings.national_code_prefix or "").netloc
    if wants_json(request) or (national and national in typed.casefold()):
        return _invalid_code_page(request, "malformed")
    mistake = lookup_mistake(typed, urlsplit(settings.issuer).netloc)
    return lookup_page(
        request, mistake=mistake, typed=kept_text(_scanned(request)), status=NOT_FOUND
    )


def _invalid_code_page(request: Request, reason: InvalidCode) -> Response:
    status, code, title, sentence = INVALID_CODE_TEXTS[reason]
    if wants_json(request):
        problem = {
            "type": f"urn:xinqiao:problem:{code}",
            "title": " ".join(title),
            "status": status,
            "code": code,
            "detail": sentence.en,
        }
        return json_of(problem, status, "application/problem+json")
    return render_page(
        request,
        "codes/invalid_code.html",
        status=status,
        title=title,
        sentence=sentence,
        is_alarm=reason not in HARMLESS,
        scanned=_scanned(request),
    )


def _scanned(request: Request) -> str:
    """The scanned or typed text, bounded; nothing where it may hold a personal number."""
    written = request.path_params.get("code_id") or request.query_params.get("code", "")
    text = str(written)[:MAX_WRITTEN]
    return "" if may_hold_personal_number([text]) else text
