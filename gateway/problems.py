"""Problem documents (RFC 9457): the table from error codes to HTTP status and titles."""

import traceback
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gateway.access import errors
from gateway.access.http import head_requests
from gateway.access.http.body import mistakes
from gateway.db.unavailable import is_unavailable, name_of
from gateway.pages.page_route import error_page, wants_page
from gateway.privacy.redaction import for_logs

log = structlog.get_logger("gateway.problems")

# code: (status, Chinese title, English title)
TABLE: dict[str, tuple[int, str, str]] = {
    "invalid_request": (400, "请求格式有误", "Malformed request"),
    "invalid_uscc": (400, "不是有效的统一社会信用代码", "Not a unified social credit code"),
    "unknown_question": (400, "核验项不存在", "Unknown question"),
    "unknown_dataset": (400, "数据目录项不存在", "Unknown dataset"),
    "unknown_purpose": (400, "用途不在清单内", "Unknown purpose"),
    "payload_too_large": (413, "请求内容过大", "Request too large"),
    "unsupported_media_type": (415, "不支持的内容类型", "Unsupported media type"),
    "unsupported_version": (412, "不支持的协议版本", "Unsupported version of the protocol"),
    "upload_busy": (423, "上传正在进行", "The upload is in use"),
    "checksum_mismatch": (460, "校验和不符", "Checksum does not match"),
    "digest_mismatch": (400, "内容摘要不符", "Content digest does not match"),
    "signature_required": (400, "请求须签名", "Signature required"),
    "signature_invalid": (400, "请求签名无效", "Invalid request signature"),
    "invalid_token": (401, "访问令牌无效", "Invalid access token"),
    "insufficient_scope": (403, "访问令牌权限不足", "Insufficient scope"),
    "invalid_dpop_proof": (401, "DPoP 证明无效", "Invalid DPoP proof"),
    "use_dpop_nonce": (401, "请使用 DPoP 随机数", "Use the DPoP nonce"),
    "agreement_missing": (403, "没有数字合约", "No agreement"),
    "agreement_ended": (403, "数字合约不在有效期", "Agreement not in force"),
    "not_in_agreement": (403, "超出数字合约范围", "Not in the agreement"),
    "client_suspended": (403, "接入方已停用", "Client suspended"),
    "not_available": (403, "不可提供", "Not available"),
    "consent_withdrawn": (403, "授权已撤回", "Consent withdrawn"),
    "consent_expired": (403, "授权已到期", "Consent expired"),
    "consent_exhausted": (403, "授权次数已用完", "Consent exhausted"),
    "consent_paused": (403, "授权已暂停", "Consent paused"),
    "cooling_down": (403, "限制期内不得再次申请", "Cooling down"),
    "not_found": (404, "未找到", "Not found"),
    "second_operator_needed": (403, "须由另一名操作员批准", "A second operator is needed"),
    "conflict": (409, "与当前状态冲突", "Conflict with the present state"),
    "idempotency_conflict": (409, "幂等键已使用过", "Idempotency key already used"),
    "rate_limited": (429, "请求过于频繁", "Too many requests"),
    "quota_exhausted": (429, "配额已用完", "Quota exhausted"),
    "temporarily_unavailable": (503, "暂不可用", "Temporarily unavailable"),
    "method_not_allowed": (405, "不支持的请求方法", "Method not allowed"),
    "internal_error": (500, "内部错误", "Internal error"),
}
CODE_OF_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}
METHOD_NOT_ALLOWED = 405
RETRY_SECONDS = 2
PROBLEM_TYPE = "application/problem+json"


def problem(
    code: str,
    detail: str,
    *,
    request_id: str | None = None,
    headers: dict[str, str] | None = None,
    warnings: Sequence[str] = (),
) -> Response:
    """The response for `code`; `warnings` are on the enterprise's code (`access.subject_uscc`)."""
    content = document(code, detail, request_id=request_id)
    return Response(
        orjson.dumps({**content, "warnings": warnings} if warnings else content),
        status_code=TABLE[code][0],
        media_type=PROBLEM_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def document(
    code: str, detail: str, *, request_id: str | None = None, status: int | None = None
) -> dict[str, Any]:
    """The problem document for `code`, with the status of the table unless another is given."""
    usual, chinese, english = TABLE[code]
    return {
        "type": f"urn:xinqiao:problem:{code}",
        "title": f"{chinese} {english}",
        "status": status or usual,
        "code": code,
        "detail": detail,
        "request_id": request_id,
    }


def by_code() -> dict[str, dict[str, Any]]:
    """An example of the problem of each public error, by code."""
    found: dict[str, dict[str, Any]] = {}
    kinds = [errors.GatewayError]
    for kind in kinds:  # grows by the kinds below
        kinds += kind.__subclasses__()
        if "code" in vars(kind):
            found[kind.code] = document(kind.code, str(kind.__doc__).strip(), request_id="job_17-a")
    return {code: found[code] for code in TABLE if code in found}


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document, or with a page for a browser."""
    app.add_exception_handler(errors.GatewayError, refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


async def refused(request: Request, error: Exception) -> Response:
    """The response to a call that is refused, which is logged."""
    assert isinstance(error, errors.GatewayError)  # noqa: S101  # as registered
    _log_refusal(request, error.code, error.detail)
    headers = error.headers
    if isinstance(error, errors.UnauthenticatedError) and "WWW-Authenticate" not in headers:
        scheme = getattr(request.state, "scheme", "DPoP")
        headers = {**headers, "WWW-Authenticate": f'{scheme} error="{error.code}"'}
    return _answer(request, error.code, error.detail, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as registered
    where = mistakes(error.errors(), root="body")
    _log_refusal(request, "invalid_request", where)
    return _answer(request, "invalid_request", where)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as registered
    code = CODE_OF_STATUS.get(error.status_code, "invalid_request")
    headers = dict(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(head_requests.allowed_methods(request.scope))
    return _answer(request, code, f"{TABLE[code][2]}.", headers)


def _answer(
    request: Request, code: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    """The response for `code`: a page for a browser, else the problem document."""
    if wants_page(request):
        return error_page(request, TABLE[code][0], headers)
    return problem(
        code,
        detail,
        request_id=getattr(request.state, "request_id", None),
        headers=headers,
        warnings=getattr(request.state, "warnings", ()),
    )


def _log_refusal(request: Request, code: str, reason: str) -> None:
    """Log the endpoint and the reason of a refusal, never what was sent."""
    route = getattr(request.scope.get("route"), "path", None)
    log.info(
        "refused",
        error=code,
        reason=for_logs(reason),
        client_id=getattr(request.state, "client_id", None),
        method=head_requests.method_of(request),
        route=route,
    )


def fault(request: Request, error: Exception) -> Response:
    """The response to an unhandled exception; the log names its kind, never its data."""
    if isinstance(error, errors.GatewayError):
        return _answer(request, error.code, error.detail, error.headers)
    if is_unavailable(error):  # fail closed
        log.error("unavailable", kind=name_of(error))
        sentence = errors.TemporarilyUnavailableError.__doc__ or ""
        retry = {"Retry-After": str(RETRY_SECONDS)}
        return _answer(request, "temporarily_unavailable", sentence, retry)
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
    log.error("unexpected", kind=type(error).__name__, where=where)
    sentence = "Something went wrong on our side; report the request_id."
    return _answer(request, "internal_error", sentence)
