"""The public page of an enterprise code, as HTML or JSON; no sign-in, no cookie."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.codes.ids import MAX_WRITTEN
from gateway.codes.model import CodeState
from gateway.codes.sentences import record_sentence
from gateway.codes.store import Code
from gateway.codes.summary import RECORDS_UNFOLDED, Section, Summary
from gateway.creditfile import labels
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import DisclosableRecord
from gateway.creditfile.division_boxes import division_box
from gateway.creditfile.local_dates import SHANGHAI
from gateway.pages.i18n import Language, Translated, requested_language
from gateway.pages.page_route import wants_json
from gateway.pages.rendering import PageRenderer
from gateway.pages.representation import Representation
from gateway.pages.security_headers import security_headers
from gateway.settings import Settings

renderer: Final = PageRenderer("gateway.codes", language_cookie=False)

NOTHING: Final[Mapping[str, str]] = {}
LARGE: Final = "large"
"""Value of `size` in the address of the page in large text."""
REGISTRATION: Final = (
    "uscc",
    "kind",
    "status",
    "legal_representative",
    "established_on",
    "registering_authority",
    "capital",
    "small_or_micro",
    "address",
    "scope",
)
"""The registration fields shown, in order; an individual business has no capital."""

PROPERTIES: Final = {"uscc": "taxID", "established_on": "foundingDate", "address": "address"}
"""Properties of a schema.org `Organization`, as microdata of the registration fields that are shown."""

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
"""What an honest shop or a slip of the hand leads to: shown in amber, without a call for help."""
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
            "系统中没有签发过这个企业码。请不要在扫码后的页面输入账号、密码，也不要付款。",
            "No such code was ever issued. Do not enter a password or pay on any page that it leads to.",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """A valid code and its credit summary."""

    code: Code
    summary: Summary


def form_of(request: Request) -> tuple[Language | None, str | None]:
    """Language and size of text that the address asks for, `None` for Chinese and for the standard size.

    Nothing else of a request shapes a page.
    """
    query = request.query_params
    is_english = requested_language(query) == "en"
    return "en" if is_english else None, LARGE if query.get("size") == LARGE else None


def code_json(page: CodePage) -> Response:
    """The summary of a valid code as JSON."""
    return _json(_document(page), 200, "application/json")


def valid_code_page(request: Request, page: CodePage, catalogue: Catalogue) -> Representation:
    """The summary page of a valid code, in the language and size of the request's address."""
    made = _summary_page(request, page.summary, catalogue, code=page.code, shown_at=None)
    return Representation.of(made)


def screen_code_page(
    request: Request, summary: Summary, catalogue: Catalogue, *, made_at: str, view: str
) -> Response:
    """The summary page of an on-screen code that was made at this time of day; nobody stores it.

    Its links to the other forms carry the view key.
    """
    return _summary_page(
        request, summary, catalogue, code=None, shown_at=made_at, carried={"view": view}
    )


def national_code_page(
    request: Request, summary: Summary, catalogue: Catalogue, address: str
) -> Response:
    """The summary page of the enterprise that a national code's address stands for."""
    page = _summary_page(
        request, summary, catalogue, code=None, shown_at=None, carried={"code": address}
    )
    return Representation.of(page).response(request)


def _summary_page(
    request: Request,
    summary: Summary,
    catalogue: Catalogue,
    **origin: Any,  # `code` and `shown_at`
) -> Response:
    return _rendered(
        request,
        "codes/public_page.html",
        summary=summary,
        is_place_known=division_box(summary.registration.get("division")) is not None,
        sentence=lambda dataset, fields: record_sentence(dataset, fields, catalogue, summary.kind),
        unfolded=RECORDS_UNFOLDED,
        labels=labels,
        registration=REGISTRATION,
        properties=PROPERTIES,
        catalogue=catalogue,
        **origin,
    )


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
        return _json(problem, status, "application/problem+json")
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
    """What was scanned or typed, bounded."""
    written = request.path_params.get("code_id") or request.query_params.get("code", "")
    return str(written)[:MAX_WRITTEN]


def lookup_page(request: Request) -> Response:
    """The page on which a code's number is typed."""
    return render_page(request, "codes/lookup.html", form_action=("'self'",))


def render_page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    form_action: Iterable[str] = (),
    carried: Mapping[str, str] = NOTHING,
    **context: Any,  # template variables
) -> Response:
    """The response with a page whose language and size of text are in its address.

    Its links to the other forms keep the query `carried`.
    """
    page = _rendered(request, template, form_action=form_action, carried=carried, **context)
    return Representation.of(page).response(request, status)


def _rendered(
    request: Request,
    template: str,
    *,
    form_action: Iterable[str] = (),
    carried: Mapping[str, str] = NOTHING,
    **context: Any,  # template variables
) -> Response:
    form = zip(("lang", "size"), form_of(request), strict=True)
    query = dict(carried) | {name: value for name, value in form if value}
    is_english, is_large = query.get("lang") == "en", "size" in query
    other_language = query | {"lang": "zh" if is_english else "en"}
    other_size = (
        {k: v for k, v in query.items() if k != "size"} if is_large else query | {"size": LARGE}
    )
    settings = request.app.state.runtime.settings
    return renderer.page(
        request,
        template,
        form_action=form_action,
        large=is_large,
        language_switch=f"?{urlencode(other_language)}",
        size_switch=f"?{urlencode(other_size)}",
        also="".join(f"&{urlencode({k: v})}" for k, v in query.items() if k not in carried),
        host=urlsplit(settings.issuer).netloc,
        authority=_authority(settings),
        **context,
    )


def _authority(settings: Settings) -> Translated | None:
    """The authority's name, as set."""
    name = settings.authority
    return Translated(name, settings.authority_en or name) if name else None


def _json(document: Any, status: int, media_type: str) -> Response:  # any JSON
    return Response(
        orjson.dumps(document),
        status_code=status,
        media_type=media_type,
        headers=security_headers(form_action=()) | {"Vary": "Accept"},
    )


def _document(page: CodePage) -> dict[str, Any]:
    code, summary = page.code, page.summary
    return {
        "code": {
            "code_id": code.code_id,
            "status": "valid",
            "sign_name": code.sign_name,
            "check_phrase": code.check_phrase,
            "issued_at": _time(code.issued_at),
        },
        "enterprise": dict(summary.registration)
        | {"district": summary.district.zh}
        | _objection_json(summary.objection_since),
        "as_of": _time(summary.as_of),
        "catalogue_version": summary.catalogue_version,
        "status": summary.status.icon,
        "statement": summary.status.text._asdict(),
        "alerts": [
            {
                "dataset": each.dataset,
                "record_id": each.disclosed.record.record_id,
                "sentence": each.sentence._asdict(),
            }
            for each in summary.alerts
        ],
        "trade_licences": [
            {"name": each.name._asdict(), "held": each.is_held, "valid_to": each.valid_to}
            for each in summary.trade_licences
        ],
        "datasets": [_section_json(section) for section in summary.sections],
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "dataset": section.dataset,
        "name": section.name._asdict(),
        "state": section.state,
        "statement": section.statement._asdict(),
        "records": [_record_json(each) for each in section.records],
        "more": section.more,
    }


def _record_json(disclosed: DisclosableRecord) -> dict[str, Any]:
    record = disclosed.record
    return {
        "record_id": record.record_id,
        "version": record.version,
        "source": {"name": record.source_name, "uscc": record.source_uscc},
        "source_time": _time(record.source_time),
        "catalogue_version": record.catalogue_version,
        **_objection_json(record.objection_since),
        "fields": dict(disclosed.fields),
    }


def _objection_json(raised_at: datetime | None) -> dict[str, Any]:
    return {"objection": {"since": _time(raised_at)}} if raised_at else {}


def _time(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
