"""OpenAPI examples: whole request bodies and whole answers by operation, problems by path and status."""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = json.loads(
    files("gateway.access").joinpath("openapi_examples.json").read_text("utf-8")
)
"""By operationId: the `request`, or `requests` by media type; the `answers`, by status and media type."""
PROBLEM: Final = "application/problem+json"

_ABOUT_ONE: Final = "/v1/(verifications|queries|consents)"
_WATCHES: Final = "/v1/watches/.*"
_SOURCE: Final = "/v1/(records|objections|enterprise-codes).*"
WHERE: Final[Mapping[str, str]] = {
    "invalid_uscc": f"{_ABOUT_ONE}|{_WATCHES}|/v1/enterprise-codes",
    "unknown_purpose": f"{_ABOUT_ONE}|{_WATCHES}",
    "unknown_question": f"/v1/(verifications|consents)|{_WATCHES}",
    "unknown_dataset": "/v1/(queries|consents|records|records/actions|records/uploads)",
    "digest_mismatch": "/v1/.*",
    "signature_required": "/v1/(?!(bundles|outcomes|questions)$).*",
    "signature_invalid": "/v1/(?!(bundles|outcomes|questions)$).*",
    "not_in_agreement": f"{_ABOUT_ONE}|{_WATCHES}|{_SOURCE}",
    "not_available": "/v1/(verifications|queries|enterprise-codes)",
    "consent_withdrawn": "/v1/queries",
    "consent_expired": "/v1/queries",
    "consent_exhausted": "/v1/queries",
    "consent_paused": "/v1/queries",
    "cooling_down": "/v1/consents",
    "second_operator_needed": "/v1/admin/agreements/.*|/v1/records/actions/.*",
    "idempotency_conflict": "/v1/(?!admin/|changes/|records/uploads|.*/revoke).*",
    "conflict": f"/v1/admin/.*|{_SOURCE}",
}
"""Paths, as regular expressions, of problems that are not everywhere where their status is."""


def problem_components(problems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`components.examples`: problem documents by code."""
    return {code: {"summary": each["title"], "value": each} for code, each in problems.items()}


def add_examples(
    path: str, operation: dict[str, Any], problems: Mapping[str, Mapping[str, Any]]
) -> None:
    """Add to an operation its request, its answers and the problems that its statuses stand for."""
    known = EXAMPLES.get(operation["operationId"], {})
    requests = known.get("requests", {})
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        if "request" in known or media_type in requests:
            content["example"] = requests.get(media_type, known.get("request"))
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        answers = known.get("answers", {}).get(status, {})
        for media_type, each in content.items():
            if media_type in answers:
                each["example"] = answers[media_type]
            elif media_type == PROBLEM:
                each["examples"] = _problems(path, status, problems)


def _problems(
    path: str, status: str, problems: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    fitting = (
        code
        for code, each in problems.items()
        if str(each["status"]) == status and re.fullmatch(WHERE.get(code, ".*"), path)
    )
    return {code: {"$ref": f"#/components/examples/{code}"} for code in fitting}
