"""Rules of HTTP under /v1: methods, scopes, query parameters, bodies as bytes, and the problems' statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx2

from xinqiao._core.wire.strict import parse_json
from xinqiao._core.wire.uscc import warnings_of
from xinqiao.testing._endpoints.signing import problem
from xinqiao.testing._state.stored_answers import LONGEST_KEY, is_key, key_of

from .dpop import OAuthRefusal
from .published import PROBLEMS
from .request_forms import FORMS, holds_nul, mistakes_of
from .request_rules import Body, Wrong

_MOST_SHOWN: Final = 5
_LARGEST_BODY: Final = 64 * 1024
_WRONG_KEY: Final = f"Idempotency-Key is one key of 1 to {LONGEST_KEY} printable ASCII characters."
METHODS: Final[Mapping[str, set[str]]] = {
    "/v1/verifications": {"POST"},
    "/v1/queries": {"POST"},
    "/v1/consents": {"GET", "POST"},
    "/v1/changes": {"GET"},
    "/v1/changes/ack": {"POST"},
    "/v1/bundles": {"GET", "HEAD"},
    "/v1/questions": {"GET", "HEAD"},
    "/v1/limits": {"GET", "HEAD"},
}
_SCOPES: Final = {
    "verifications": "verify",
    "questions": "verify",
    "queries": "query",
    "consents": "consents",
    "changes": "changes",
    "receipts": "verify query",
    "watches": "verify",
}
#: Query parameters by method and path; of an id by its folder.
_PARAMETERS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("POST", "/v1/verifications"): (),
    ("POST", "/v1/queries"): (),
    ("POST", "/v1/consents"): (),
    ("POST", "/v1/changes/ack"): (),
    ("GET", "/v1/bundles"): (),
    ("GET", "/v1/questions"): (),
    ("GET", "/v1/limits"): (),
    ("GET", "/v1/consents"): ("status", "after"),
    ("GET", "/v1/consents/"): ("wait",),
    ("DELETE", "/v1/consents/"): (),
    ("GET", "/v1/changes"): ("after", "wait"),
    ("PUT", "/v1/queries/"): (),
    ("GET", "/v1/receipts/"): (),
    ("GET", "/v1/watches"): (),
    ("GET", "/v1/watches/"): (),
    ("PUT", "/v1/watches/"): (),
    ("DELETE", "/v1/watches/"): (),
}
_FOLDERS: Final = ("/v1/consents/", "/v1/queries/", "/v1/receipts/", "/v1/watches/")


def scopes_of(path: str) -> frozenset[str]:
    """Scopes of which a token needs one for a path under /v1."""
    first = path.removeprefix("/v1/").partition("/")[0]
    wanted = _SCOPES.get(first, "verify query consents changes")
    return frozenset(wanted.split())


def wrong_parameter(request: httpx2.Request) -> httpx2.Response | None:
    """The problem with a query parameter that the endpoint does not know, or that stands twice."""
    place = _place(request.url.path)
    known, seen = _PARAMETERS.get((request.method, place)), set[str]()
    if known is None:
        return None
    for name, _ in request.url.params.multi_items():
        if name not in known:
            has = ", ".join(known) or "none"
            detail = f"This endpoint has no query parameter {name!r}; it has {has}."
            return problem_of("invalid_request", detail=detail)
        if name in seen:
            detail = f"The query parameter {name!r} stands twice."
            return problem_of("invalid_request", detail=detail)
        seen.add(name)
    return None


def _place(path: str) -> str:
    """The path, or the folder of an id in it."""
    return next((each for each in _FOLDERS if path.startswith(each)), path)


def unreadable(request: httpx2.Request, *, largest: int = _LARGEST_BODY) -> Wrong | None:
    """Problem of a call whose body is not read."""
    if len(request.content) > largest:
        return Wrong("payload_too_large")
    key = key_of(request)
    return None if key is None or is_key(key) else Wrong("invalid_request", _WRONG_KEY)


def read_body(request: httpx2.Request) -> Body | httpx2.Response:
    """Parse a body as strictly as the gateway, or say what is wrong with it."""
    if not _is_json(request.headers.get("content-type", "")):
        return problem_of("unsupported_media_type")
    try:
        body = parse_json(request.content)
    except ValueError:
        return problem_of("invalid_request")
    if holds_nul(body):
        return problem_of("invalid_request", detail="The character U+0000 is not accepted.")
    wrong = mistakes_of(FORMS[_place(request.url.path)], body, most=_MOST_SHOWN)
    if wrong is not None:
        return problem_of("invalid_request", detail=f"Mend these members: {wrong}.")
    return wrong_parameter(request) or body


def _is_json(content_type: str) -> bool:
    """True for JSON, in UTF-8 if a charset is named."""
    media_type, *parameters = content_type.lower().replace(" ", "").split(";")
    charsets = {each for each in parameters if each.startswith("charset=")}
    return media_type == "application/json" and charsets <= {"charset=utf-8"}


def problem_of(
    code: str,
    body: Body | None = None,
    *,
    detail: str | None = None,
    retry_after: int | None = None,
) -> httpx2.Response:
    """A problem; with the warnings on the code that a well-formed body asks about."""
    status = PROBLEMS[code]["status"]
    warnings = warnings_of(body["enterprise"]["uscc"]) if body and "enterprise" in body else []
    return problem(status, code, warnings=warnings, detail=detail, retry_after=retry_after)


def challenge(refused: OAuthRefusal, *, nonce: str, named: bool) -> httpx2.Response:
    """A challenge; one that is not `named` has no error, as for a call without credentials (RFC 6750)."""
    code = refused.code
    told = f'DPoP error="{code}"' if named else 'DPoP algs="ES256"'
    headers = {"DPoP-Nonce": nonce, "WWW-Authenticate": told}
    return problem(PROBLEMS[code]["status"], code, headers=headers, detail=refused.detail)
