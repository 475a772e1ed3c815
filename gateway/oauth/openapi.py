"""OpenAPI descriptions of the authorization server's endpoints.

They describe only: `form` parses requests, and the grants and endpoints check them.
"""

from typing import Any, Final

from gateway.access.openapi.headers import LIMITS, PAGE, header
from gateway.access.openapi.operations import required_header
from gateway.access.serializers.consent import SeparateConsentOut
from gateway.identity.provider_client_auth import ASSERTION_TYPE
from gateway.oauth.authlib_models import GRANT_TYPES
from gateway.oauth.authorization_details import TYPE
from gateway.oauth.form import MEDIA_TYPE

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_GIVEN: Final[dict[str, Any]] = {"type": "string", "pattern": "^[^\\u0000]+$"}
_OPTIONAL: Final[dict[str, Any]] = {"type": "string", "pattern": "^[^\\u0000]*$"}
"""A parameter without a value is as if it were left out (RFC 6749 §3.1)."""
_NEVER_KEPT: Final = {"Cache-Control": required_header({"type": "string", "const": "no-store"})}
_LIMITED: Final = _NEVER_KEPT | {name: header(name, required=True) for name in LIMITS}

_SENTENCES: Final = {
    "use_dpop_nonce": "Repeat the request with a proof that carries the nonce in DPoP-Nonce.",
    "invalid_client": "The client could not be authenticated.",
    "invalid_request": "Send the parameters as application/x-www-form-urlencoded, each once.",
    "temporarily_unavailable": "Not now; try again as Retry-After says.",
}
"""Examples of `error_description`."""

ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "pattern": "^[a-z_]+$"},
        "error_description": {"type": "string", "pattern": r"^[\x20-\x21\x23-\x5b\x5d-\x7e]*$"},
    },
    "required": ["error", "error_description"],
    "additionalProperties": False,
}
DETAILS: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "type": {"const": TYPE},
            "consent_id": _TEXT,
            "separate_consents": {"type": "array", "items": SeparateConsentOut.model_json_schema()},
        },
        "required": [
            *("type", "consent_id", "enterprise", "purpose", "datasets", "questions"),
            "separate_consents",
        ],
    },
}
TOKENS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "access_token": _TEXT,
        "token_type": {"const": "DPoP"},
        "expires_in": {"type": "integer", "minimum": 1},
        "scope": _TEXT,
        "refresh_token": _TEXT,
        "authorization_details": DETAILS,
    },
    "required": ["access_token", "token_type", "expires_in", "scope"],
    "additionalProperties": False,
}
PUSHED: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"request_uri": _TEXT, "expires_in": {"type": "integer", "minimum": 1}},
    "required": ["request_uri", "expires_in"],
    "additionalProperties": False,
}
INTROSPECTED: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"active": {"type": "boolean"}},
    "required": ["active"],
}
NOTHING: Final[dict[str, Any]] = {"type": "object", "additionalProperties": False}

_AUTHENTICATION: Final[dict[str, Any]] = {
    "client_assertion_type": {"type": "string", "const": ASSERTION_TYPE},
    "client_assertion": _GIVEN,
    "client_id": _GIVEN,
    "resource": _GIVEN,
}
_AUTHENTICATED: Final = ("client_assertion_type", "client_assertion")


def token() -> dict[str, Any]:
    """POST /oauth/token."""
    asked = {
        "grant_type": {"type": "string", "enum": list(GRANT_TYPES)},
        "scope": _GIVEN,
        "code": _GIVEN,
        "redirect_uri": _GIVEN,
        "code_verifier": _GIVEN,
        "refresh_token": _GIVEN,
    }
    return _takes(asked, "grant_type") | _gives("200", TOKENS)


def par() -> dict[str, Any]:
    """POST /oauth/par."""
    needed = {
        "response_type": {"type": "string", "const": "code"},
        "redirect_uri": _GIVEN,
        "code_challenge": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
        "code_challenge_method": {"type": "string", "const": "S256"},
        "authorization_details": _GIVEN,
    }
    asked = needed | {"state": _GIVEN, "scope": _GIVEN, "dpop_jkt": _GIVEN, "response_mode": _GIVEN}
    return _takes(asked, *needed) | _gives("201", PUSHED)


def about_a_token(answer: dict[str, Any]) -> dict[str, Any]:
    """POST /oauth/introspect and /oauth/revoke."""
    return _takes({"token": _GIVEN, "token_type_hint": _GIVEN}, "token") | _gives("200", answer)


def authorize() -> dict[str, Any]:
    """GET /oauth/authorize: a browser is sent on, or told why not."""
    page = {"text/html": {"schema": _TEXT}}
    shown = {name: header(name, required=False) for name in (*PAGE, "Content-Language")}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": True, "schema": _GIVEN}
            for name in ("client_id", "request_uri")
        ],
        "responses": {
            "303": {
                "description": "To the enterprise's decision.",
                "headers": {"Location": header("Location", required=True)} | shown,
            },
            "400": {
                "description": "A page that says what to do.",
                "content": page,
                "headers": shown,
            },
        },
    }


def _takes(parameters: dict[str, Any], *needed: str) -> dict[str, Any]:
    required = [*_AUTHENTICATED, *needed]
    schema = {
        "type": "object",
        "properties": {
            name: _OPTIONAL if each is _GIVEN and name not in required else each
            for name, each in (_AUTHENTICATION | parameters).items()
        },
        "required": required,
    }
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": schema}}}}


def _gives(status: str, schema: dict[str, Any]) -> dict[str, Any]:
    refusals = {
        "400": _refusal(
            "The OAuth error says what is wrong (RFC 6749 §5.2).",
            ("use_dpop_nonce", "invalid_client", "invalid_request"),
        ),
        "401": _refusal(
            "HTTP authentication was tried; clients authenticate by an assertion or a certificate.",
            ("invalid_client",),
        ),
        "413": _refusal("The form is larger than 64 KiB.", ("invalid_request",)),
        "415": _refusal("The body is no form.", ("invalid_request",)),
        "429": _refusal(
            "Too many requests of this client; Retry-After says how long.",
            ("temporarily_unavailable",),
            _LIMITED,
        ),
        "503": _refusal(
            "A store cannot be reached; try again as Retry-After says.",
            ("temporarily_unavailable",),
        ),
    }
    content = {"application/json": {"schema": schema}}
    given = {"description": "Given.", "content": content, "headers": _NEVER_KEPT}
    return {"responses": {status: given, **refusals}}


def _refusal(
    description: str, codes: tuple[str, ...], headers: dict[str, Any] = _NEVER_KEPT
) -> dict[str, Any]:
    examples = {
        code: {"value": {"error": code, "error_description": _SENTENCES[code]}} for code in codes
    }
    content = {"application/json": {"schema": ERROR, "examples": examples}}
    return {"description": description, "content": content, "headers": headers}
