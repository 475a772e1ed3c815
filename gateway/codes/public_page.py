"""The public page of an enterprise code, as HTML or JSON; no sign-in, no caching."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.codes.store import Code
from gateway.codes.summary import RECORDS_UNFOLDED, Section, Summary
from gateway.creditfile import labels
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import DisclosableRecord
from gateway.creditfile.local_dates import SHANGHAI
from gateway.pages.i18n import Translated
from gateway.pages.page_route import wants_json
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers

renderer: Final = PageRenderer("gateway.codes")

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

INVALID_CODE_TEXTS: Final = {
    404: (
        "not_found",
        Translated("这不是有效的企业码", "This is not a valid enterprise code"),
        Translated(
            "系统中没有这个企业码，它可能是伪造的。请不要在扫码后的页面输入账号、密码或付款。",
            "There is no such code; it may be a forgery. Do not enter a password or pay on any "
            "page that it leads to.",
        ),
    ),
    410: (
        "code_revoked",
        Translated("这个企业码已作废", "This enterprise code has been revoked"),
        Translated(
            "这张企业码已被企业或管理部门作废，不再代表该企业。请不要凭它判断店家的信用。",
            "This code has been revoked and no longer stands for the enterprise. Do not trust it.",
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """A valid code and its credit summary."""

    code: Code
    summary: Summary


def valid_code_page(request: Request, page: CodePage, catalogue: Catalogue) -> Response:
    """The summary page of a valid code."""
    if wants_json(request):
        return _json(_document(page), 200, "application/json")
    return renderer.page(
        request,
        "codes/public_page.html",
        form_action=(),
        code=page.code,
        summary=page.summary,
        unfolded=RECORDS_UNFOLDED,
        labels=labels,
        registration=REGISTRATION,
        catalogue=catalogue,
    )


def invalid_code_page(request: Request, status: int) -> Response:
    """The warning page of an unknown (404) or revoked (410) code."""
    code, title, sentence = INVALID_CODE_TEXTS[status]
    if wants_json(request):
        problem = {
            "type": f"urn:xinqiao:problem:{code}",
            "title": " ".join(title),
            "status": status,
            "code": code,
            "detail": sentence.en,
        }
        return _json(problem, status, "application/problem+json")
    return renderer.page(
        request,
        "codes/invalid_code.html",
        status=status,
        form_action=(),
        title=title,
        sentence=sentence,
    )


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
        | {"district": summary.district}
        | _objection_json(summary.objection_since),
        "as_of": _time(summary.as_of),
        "catalogue_version": summary.catalogue_version,
        "statement": summary.status._asdict(),
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
