"""OpenAPI headers: the request headers that the gateway reads, the answer headers that it sends.

Rules by path, method and status, so that no route repeats them; a route's own headers stand in its
`openapi_extra` or `responses`, by name or whole. `tests/api/test_access_openapi_headers.py` compares
them with real answers. Left out, as HTTP's own: `Content-Type`, `Content-Length`, `Date`, `Server`,
and of requests `Accept`, `Authorization`, `Host` (OpenAPI 3.1 §4.8.12.2).
"""

from collections.abc import Mapping
from typing import Any, Final

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
_DIGEST: Final = "(sha-256=:[A-Za-z0-9+/]{43}=:|sha-512=:[A-Za-z0-9+/]{86}==:)"
_SUCCESS: Final = "2"
_REFUSALS: Final = "45"
_JSON: Final = frozenset({"application/json", "application/x-ndjson"})
SIGNED_PREFIX: Final = "/v1/"
CODE_PREFIX: Final = "/E/"
CONSENTS: Final = "/v1/consents"
STREAMS: Final = frozenset({"/v1/verifications/batch"})
"""Paths whose success is streamed, with a signature as its last line."""
STREAMS_OR_FILES: Final = frozenset({"/v1/verifications/jobs/{job_id}/result"})
"""Paths whose success is such a stream, or a file that is signed by its header."""
ANSWERED_AGAIN: Final = frozenset(
    {
        "/v1/verifications",
        "/v1/verifications/batch",
        "/v1/queries",
        "/v1/consents",
        "/v1/enterprise-codes",
        "/v1/enterprise-codes/{code_id}/reissue",
    }
)
"""Paths whose answer to an `Idempotency-Key` is kept and given again."""
KEYED_PREFIXES: Final = ("/v1/records", "/v1/objections")
"""Paths where an `Idempotency-Key` stands for one body, and the call is carried out again."""

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-Id": {
        "name": "X-Request-Id",
        "description": "Your own id of the call, 1 to 64 characters of `A-Z a-z 0-9 _ -`; it comes "
        "back in the answer. Another text, or none, and the gateway makes one.",
        "schema": _TEXT,
        "example": "job_17-a",
    },
    "Content-Digest": {
        "name": "Content-Digest",
        "description": "The body's `sha-256` or `sha-512` or both (RFC 9530); compared, and then "
        "covered by the answer's signature.",
        "schema": {"type": "string", "pattern": f"^{_DIGEST}(, {_DIGEST})?$"},
        "example": "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:",
    },
    "DPoP": {
        "name": "DPoP",
        "description": "A proof of this very request (RFC 9449), with the nonce of the last answer, "
        "made anew for each call. Needed unless a client certificate stands for it.",
        "schema": _TEXT,
    },
    "Signature-Input": {
        "name": "Signature-Input",
        "description": "What the request's own signature covers (RFC 9421), tag `xinqiao-request`; "
        "`nonce` is the `jti` of the proof. An agreement can require it.",
        "schema": _TEXT,
        "example": 'xinqiao=("@method" "@target-uri" "content-type" "content-digest");'
        'created=1795312800;nonce="4f2Zq0bA9mQ";keyid="k1";alg="ecdsa-p256-sha256";'
        'tag="xinqiao-request"',
    },
    "Signature": {
        "name": "Signature",
        "description": "The request's own signature, by your registered key; covered by the "
        "answer's.",
        "schema": _TEXT,
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "description": "The `ETag` of a page that you have: 304 where it is still the same.",
        "schema": _TEXT,
        "example": '"3q2-7wAAAAAAAAAAAAAAAA-br"',
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "description": "A key of your choice, for 24 hours: the same call again gets the same "
        "answer and spends nothing; another call with it is refused (409).",
        "schema": {"type": "string", "pattern": "^[!#-~]{1,128}$"},
        "example": "loan-2026-000731",
    },
    "Idempotency-Key.delivery": {
        "name": "Idempotency-Key",
        "description": "A key of your choice, for 24 hours: another call with it is refused (409). "
        "The same call is carried out again, and changes nothing more.",
        "schema": {"type": "string", "pattern": "^[!#-~]{1,128}$"},
        "example": "delivery-2026-11-22-001",
    },
}
"""Request headers by their names in `components`."""

HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-Id": {
        "description": "The id of the call: yours, or the gateway's. Name it when you ask for help.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "example": "job_17-a",
    },
    "Content-Digest": {
        "description": "The digest of the answer's body (RFC 9530).",
        "schema": {"type": "string", "pattern": f"^{_DIGEST}$"},
        "example": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    },
    "Signature-Input": {
        "description": "What the signature covers, when it was made and with which key of "
        "`/.well-known/jwks.json` (RFC 9421).",
        "schema": {"type": "string", "pattern": "^xinqiao="},
        "example": 'xinqiao=("@status" "content-type" "content-digest" "@method";req '
        '"@target-uri";req "content-digest";req);created=1795312800;keyid="2026-11";'
        'alg="ed25519";tag="xinqiao-response"',
    },
    "Signature": {
        "description": "The gateway's signature of the answer, bound to the request (RFC 9421).",
        "schema": {"type": "string", "pattern": "^xinqiao=:[A-Za-z0-9+/]+=*:$"},
    },
    "DPoP-Nonce": {
        "description": "The nonce for the next proof (RFC 9449 §8).",
        "schema": _TEXT,
    },
    "RateLimit-Policy": {
        "description": "The limits of your agreement: of each its quota `q` and window `w`, in seconds.",
        "schema": _TEXT,
        "example": '"client";q=600;w=60, "client_day";q=100000;w=86400',
    },
    "RateLimit": {
        "description": "What is left: of each limit the calls `r` that remain, and the seconds `t` "
        "until there are more.",
        "schema": _TEXT,
        "example": '"client";r=599;t=1, "client_day";r=99983;t=1',
    },
    "Retry-After": {
        "description": "Seconds to wait before the call is made again.",
        "schema": _NUMBER,
        "example": "2",
    },
    "WWW-Authenticate": {
        "description": "Why the caller was not recognised, or may not do this (RFC 9449 §7.1).",
        "schema": _TEXT,
        "example": 'DPoP error="use_dpop_nonce", algs="ES256 PS256 EdDSA Ed25519"',
    },
    "Cache-Control": {
        "description": "Who may keep the answer, and for how long.",
        "schema": _TEXT,
        "example": "no-store",
    },
    "Pragma": {"description": "For caches of HTTP/1.0.", "schema": {"const": "no-cache"}},
    "Accept-Encoding": {
        "description": "Sent where a coded body was refused: `identity`.",
        "schema": _TEXT,
        "example": "identity",
    },
    "Location": {"description": "Where to go on.", "schema": {"type": "string", "format": "uri"}},
    "ETag": {
        "description": "The tag of these very bytes; with `If-None-Match` they are sent only if new.",
        "schema": _TEXT,
        "example": '"3q2-7wAAAAAAAAAAAAAAAA-br"',
    },
    "Content-Encoding": {
        "description": "How the page is compressed: `br` or `gzip`.",
        "schema": {"enum": ["br", "gzip"]},
    },
    "Vary": {"description": "The request headers that choose the form.", "schema": _TEXT},
    "Content-Disposition": {
        "description": "The name of the file to save.",
        "schema": _TEXT,
        "example": 'attachment; filename="upl_x.rejects.csv"',
    },
    "Content-Security-Policy": {
        "description": "Nothing is loaded from elsewhere.",
        "schema": _TEXT,
    },
    "X-Content-Type-Options": {"description": "`nosniff`.", "schema": {"const": "nosniff"}},
    "X-Frame-Options": {"description": "No frames.", "schema": {"const": "DENY"}},
    "Referrer-Policy": {"description": "No referrer.", "schema": {"const": "no-referrer"}},
    "Permissions-Policy": {"description": "No camera, place or microphone.", "schema": _TEXT},
    "Cross-Origin-Opener-Policy": {"description": "Own window.", "schema": _TEXT},
    "CDN-Cache-Control": {
        "description": "For a CDN that takes purges, where one is set (RFC 9213).",
        "schema": _TEXT,
        "example": "max-age=60, must-revalidate",
    },
    "Surrogate-Control": {
        "description": "The same, for CDNs that read this one.",
        "schema": _TEXT,
        "example": "max-age=60",
    },
    "Surrogate-Key": {"description": "By which it is purged; for a CDN alone.", "schema": _TEXT},
    "Cache-Tag": {"description": "The same keys, by commas.", "schema": _TEXT},
    "Content-Language": {"description": "The language of the page.", "schema": _TEXT},
}
"""Answer headers by name."""
SIGNATURE: Final = ("Content-Digest", "Signature-Input", "Signature")
LIMITS: Final = ("RateLimit-Policy", "RateLimit")
PAGE: Final = (
    "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
    "Permissions-Policy", "Cross-Origin-Opener-Policy",
)  # fmt: skip
CDN: Final = ("CDN-Cache-Control", "Surrogate-Control", "Surrogate-Key", "Cache-Tag")
"""Headers for a CDN, on the page of a code, where `XINQIAO_PURGE_URL` is set."""
OPTIONAL: Final = ".optional"
"""Ending of a header's name in `components` where it is not always sent."""


def header(name: str, *, required: bool) -> dict[str, str]:
    """Reference to an answer header of `HEADERS`."""
    return {"$ref": f"#/components/headers/{name}{'' if required else OPTIONAL}"}


def parameter(name: str) -> dict[str, str]:
    """Reference to a request header of `PARAMETERS`."""
    return {"$ref": f"#/components/parameters/{name}"}


def header_components() -> dict[str, dict[str, Any]]:
    """`components.headers` and `components.parameters`."""
    required = {name: {"required": True, **each} for name, each in HEADERS.items()}
    optional = {f"{name}{OPTIONAL}": dict(each) for name, each in HEADERS.items()}
    sent = {name: {"in": "header", **each} for name, each in PARAMETERS.items()}
    return {"headers": required | optional, "parameters": sent}


def request_headers(path: str, operation: Mapping[str, Any], *, secured: bool) -> list[str]:
    """Names of the request headers that an operation reads."""
    found = ["X-Request-Id"]
    if path.startswith((SIGNED_PREFIX, CODE_PREFIX)):
        found.append("Content-Digest")
    if path.startswith(CODE_PREFIX):
        found.append("If-None-Match")
    if secured or path in {"/oauth/token", "/oauth/par"}:
        found.append("DPoP")
    if secured:
        found += ["Signature-Input", "Signature"]
    if not _JSON.isdisjoint(operation.get("requestBody", {}).get("content", {})):
        if path in ANSWERED_AGAIN:
            found.append("Idempotency-Key")
        elif path.startswith(KEYED_PREFIXES):
            found.append("Idempotency-Key.delivery")
    return found


def answer_headers(path: str, status: str, *, secured: bool) -> dict[str, bool]:
    """Names of the headers of an answer; True for those that are always sent."""
    found = {"X-Request-Id": True, "Cache-Control": status[0] in _REFUSALS}
    if path.startswith(SIGNED_PREFIX) and not (path in STREAMS and status[0] == _SUCCESS):
        is_certain = path not in STREAMS_OR_FILES or status[0] != _SUCCESS
        found |= dict.fromkeys(SIGNATURE, is_certain)
    if path.startswith(CODE_PREFIX):  # its JSON and problems are signed, its page is not
        found |= dict.fromkeys(SIGNATURE, False)
        if status == "400":  # an address that is not spelt as it must be: a page, or a problem
            found |= dict.fromkeys((*PAGE, "Content-Language"), False)
    if secured:
        admitted = status[0] == _SUCCESS or status == "429"
        found |= dict.fromkeys(LIMITS, admitted)
        found |= {"DPoP-Nonce": status == "401"}
    if path.startswith("/oauth/"):
        found |= {"DPoP-Nonce": False, "Pragma": False}
    if path == CONSENTS and status == "403":  # the end of a cool-down
        found["Retry-After"] = False
    return found | _BY_STATUS.get(status, {})


_BY_STATUS: Final[Mapping[str, dict[str, bool]]] = {
    "401": {"WWW-Authenticate": True},
    "403": {"WWW-Authenticate": False},
    "404": {"Retry-After": False},
    "415": {"Accept-Encoding": False},
    "423": {"Retry-After": False},
    "429": {"Retry-After": True},
    "503": {"Retry-After": True},
}
