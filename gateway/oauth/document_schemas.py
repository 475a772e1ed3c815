"""OpenAPI descriptions of the published documents: server metadata, resource metadata, JWK set."""

from typing import Any, Final

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": _TEXT}
_ADDRESS: Final[dict[str, Any]] = {"type": "string", "format": "uri"}
_TRUTH: Final[dict[str, Any]] = {"type": "boolean"}


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """Schema of an object that may have further members, as these standards say."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
    }


SERVER_METADATA: Final = _object(
    {
        "issuer": _ADDRESS,
        "authorization_endpoint": _ADDRESS,
        "pushed_authorization_request_endpoint": _ADDRESS,
        "token_endpoint": _ADDRESS,
        "introspection_endpoint": _ADDRESS,
        "revocation_endpoint": _ADDRESS,
        "jwks_uri": _ADDRESS,
        "protected_resources": _TEXTS,
        "scopes_supported": _TEXTS,
        "response_types_supported": _TEXTS,
        "response_modes_supported": _TEXTS,
        "grant_types_supported": _TEXTS,
        "code_challenge_methods_supported": _TEXTS,
        "require_pushed_authorization_requests": _TRUTH,
        "authorization_response_iss_parameter_supported": _TRUTH,
        "authorization_details_types_supported": _TEXTS,
        "dpop_signing_alg_values_supported": _TEXTS,
        "ui_locales_supported": _TEXTS,
        "token_endpoint_auth_methods_supported": _TEXTS,
        "token_endpoint_auth_signing_alg_values_supported": _TEXTS,
    },
    {
        "tls_client_certificate_bound_access_tokens": _TRUTH,
        "mtls_endpoint_aliases": {"type": "object", "additionalProperties": _ADDRESS},
    },
)
RESOURCE_METADATA: Final = _object(
    {
        "resource": _ADDRESS,
        "resource_name": _TEXT,
        "resource_name#zh-CN": _TEXT,
        "authorization_servers": _TEXTS,
        "jwks_uri": _ADDRESS,
        "scopes_supported": _TEXTS,
        "bearer_methods_supported": _TEXTS,
        "authorization_details_types_supported": _TEXTS,
        "dpop_signing_alg_values_supported": _TEXTS,
        "dpop_bound_access_tokens_required": _TRUTH,
    },
    {"tls_client_certificate_bound_access_tokens": _TRUTH},
)
_SIGNING_KEY: Final = _object(
    {
        "kty": {"const": "OKP"},
        "crv": {"const": "Ed25519"},
        "x": _TEXT,
        "kid": _TEXT,
        "use": {"const": "sig"},
        "alg": {"const": "EdDSA"},
        "xinqiao_use": {"enum": ["token", "response", "log"]},
        "not_before": {"type": "string", "format": "date-time"},
    },
    {"retired_at": {"type": "string", "format": "date-time"}},
)
_ENCRYPTION_KEY: Final = _object(
    {
        "kty": {"const": "EC"},
        "crv": {"const": "P-256"},
        "x": _TEXT,
        "y": _TEXT,
        "kid": _TEXT,
        "use": {"const": "enc"},
        "alg": {"const": "ECDH-ES"},
        "xinqiao_use": {"const": "id_number"},
        "not_before": {"type": "string", "format": "date-time"},
    },
    {},
)
_KEYS: Final = {"type": "array", "items": {"anyOf": [_SIGNING_KEY, _ENCRYPTION_KEY]}}
JWK_SET: Final = _object({"keys": _KEYS}, {})


def document(schema: dict[str, Any], told: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of an endpoint that publishes a document."""
    content = {"application/json": {"schema": schema}}
    return {200: {"description": told, "content": content}}
