"""Mapping of problem documents and OAuth errors to exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from xinqiao import errors
from xinqiao._core.wire.strict import parse_json
from xinqiao.errors import XinqiaoError

from .connection_errors import HARMLESS

_ROOTS: Final = (
    errors.RequestRefused,
    errors.AccessRefused,
    errors.AgreementError,
    errors.NotAvailable,
    errors.ConsentError,
    errors.LimitReached,
    errors.ServerUnavailable,
)


def _family(root: type[XinqiaoError]) -> Iterator[type[XinqiaoError]]:
    yield root
    for child in root.__subclasses__():
        yield from _family(child)


BY_CODE: Final[Mapping[str, type[XinqiaoError]]] = {
    code: error
    for root in _ROOTS
    for error in _family(root)
    if (code := vars(error).get("known_code")) is not None
}
#: Refusals that a wrong clock causes: assertion, proof and token are dated.
_BY_THE_CLOCK: Final = frozenset({"invalid_client", "invalid_dpop_proof", "invalid_token"})
#: For codes newer than this version.
_BY_STATUS: Final[Mapping[int, type[XinqiaoError]]] = {
    401: errors.AccessRefused,
    403: errors.XinqiaoError,
    404: errors.NotFound,
    429: errors.LimitReached,
    503: errors.TemporarilyUnavailable,
}


def problem_error(
    status: int,
    body: bytes,
    *,
    request_id: str | None,
    retry_after: int | None,
    clock: str | None = None,
) -> XinqiaoError:
    """Exception of a verified problem document (RFC 9457).

    `clock`: a sentence on this machine's clock, added where a proof may have failed by it.
    """
    problem = json_members(body)
    code = _text(problem, "code")
    kind = BY_CODE.get(code or "") or _BY_STATUS.get(status) or _by_class(status)
    return kind(
        _sentence(_text(problem, "detail") or _text(problem, "title"), kind, code, clock),
        code=code,
        status=status,
        title=_text(problem, "title"),
        request_id=_text(problem, "request_id") or request_id,
        retry_after=retry_after,
        warnings=_texts(problem, "warnings"),
    )


def oauth_error(
    status: int,
    body: bytes,
    *,
    request_id: str | None,
    retry_after: int | None,
    clock: str | None = None,
    place: str | None = None,
    lost: str | None = None,
) -> XinqiaoError:
    """Exception of an OAuth endpoint's error answer (RFC 6749, section 5.2); `clock` as above.

    `place`: the request, named where the server failed. `lost`: what is open where a proxy has answered.
    """
    answer = json_members(body)
    code = _text(answer, "error") or _text(answer, "code")
    kind = _oauth_kind(status, answered=code is not None or lost is None)
    if kind is errors.OAuthError and code == errors.InvalidAuthorizationDetails.known_code:
        kind = errors.InvalidAuthorizationDetails
    said = _text(answer, "error_description") or _text(answer, "detail")
    if place is not None and status >= 500:  # noqa: PLR2004 - RFC 9110
        failed = f"{place} was answered {status} by the gateway or a proxy before it."
        said = " ".join(filter(None, (said, failed, lost or HARMLESS)))
    return kind(
        _sentence(said, kind, code, clock),
        code=code,
        status=status,
        request_id=request_id,
        retry_after=retry_after,
    )


def _oauth_kind(status: int, *, answered: bool) -> type[XinqiaoError]:
    """Class of an error answer; `answered`: by the gateway, or to a request that may be repeated."""
    if status == 429:  # noqa: PLR2004 - RFC 6585
        return errors.RateLimited
    if status < 500:  # noqa: PLR2004 - RFC 9110
        return errors.OAuthError
    if not answered:
        return errors.AnswerLost
    return errors.TemporarilyUnavailable if status == 503 else errors.ServerUnavailable  # noqa: PLR2004


def _sentence(
    said: str | None, kind: type[XinqiaoError], code: str | None, clock: str | None
) -> str | None:
    if clock is None or code not in _BY_THE_CLOCK:
        return said
    return f"{said or kind().detail} {clock}"


def json_members(body: bytes) -> Mapping[str, Any]:
    """Members of a JSON object; an empty mapping if the body is no JSON object."""
    try:
        value = parse_json(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(source: Mapping[str, Any], name: str) -> str | None:
    value = source.get(name)
    return value if isinstance(value, str) and value else None


def _texts(source: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = source.get(name)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _by_class(status: int) -> type[XinqiaoError]:
    if status >= 500:  # noqa: PLR2004 - RFC 9110
        return errors.XinqiaoError
    return errors.RequestRefused if status >= 400 else errors.ProtocolError  # noqa: PLR2004
