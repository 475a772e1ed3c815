"""The public page of an enterprise code as JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response

from gateway.access.serializers.timestamps import format_time
from gateway.codes.public_page.sections import Section
from gateway.codes.public_page.summary import Summary
from gateway.codes.store import Code
from gateway.creditfile.disclosure_policy import DisclosableRecord
from gateway.pages.security_headers import security_headers


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """A valid code and its credit summary."""

    code: Code
    summary: Summary


def code_json(page: CodePage) -> Response:
    """The summary of a valid code as JSON."""
    return json_of(code_document(page), 200, "application/json")


def json_of(document: Any, status: int, media_type: str) -> Response:  # any JSON
    """Answer a public page's request with JSON."""
    return Response(
        orjson.dumps(document),
        status_code=status,
        media_type=media_type,
        headers=security_headers(form_action=()) | {"Vary": "Accept"},
    )


def code_document(page: CodePage) -> dict[str, Any]:
    """The JSON document of a valid code and its summary."""
    code, summary = page.code, page.summary
    return {
        "code": {
            "code_id": code.code_id,
            "status": "valid",
            "sign_name": code.sign_name,
            "check_phrase": code.check_phrase,
            "issued_at": format_time(code.issued_at),
        },
        "enterprise": dict(summary.registration)
        | {"district": summary.district.zh}
        | _objection_json(summary.objection_since),
        "as_of": format_time(summary.as_of),
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
        "source_time": format_time(record.source_time),
        "catalogue_version": record.catalogue_version,
        **_objection_json(record.objection_since),
        "fields": dict(disclosed.fields),
    }


def _objection_json(raised_at: datetime | None) -> dict[str, Any]:
    return {"objection": {"since": format_time(raised_at)}} if raised_at else {}
