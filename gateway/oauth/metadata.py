"""Server metadata (RFC 8414) and resource metadata (RFC 9728), from the modules that enforce them."""

from collections.abc import Sequence
from typing import Any, Final

from gateway.access.dpop import ALGORITHMS as PROOF_ALGORITHMS
from gateway.clients.authentication_method import METHODS, PRIVATE_KEY_JWT
from gateway.clients.registration import SCOPES
from gateway.oauth.authlib_models import GRANT_TYPES
from gateway.oauth.authorization_details import TYPE
from gateway.oauth.client_assertion import ALGORITHMS as ASSERTION_ALGORITHMS
from gateway.settings import Settings

# The endpoints with client authentication, which request a client certificate (RFC 8705 §5).
AUTHENTICATED_ENDPOINTS: Final = {
    "pushed_authorization_request_endpoint": "/oauth/par",
    "token_endpoint": "/oauth/token",
    "introspection_endpoint": "/oauth/introspect",
    "revocation_endpoint": "/oauth/revoke",
}


def authorization_server(settings: Settings) -> dict[str, Any]:
    """The authorization server's metadata (RFC 8414); certificates only where a proxy is trusted."""
    issuer = settings.issuer
    methods: Sequence[str] = METHODS if settings.trusted_proxies else (PRIVATE_KEY_JWT,)
    authentication = {
        f"{endpoint}_endpoint_auth_{what}": list(values)
        for endpoint in ("token", "introspection", "revocation")
        for what, values in (
            ("methods_supported", methods),
            ("signing_alg_values_supported", ASSERTION_ALGORITHMS),
        )
    }
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        **_at(issuer),
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "protected_resources": [issuer],
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "require_pushed_authorization_requests": True,
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": [TYPE],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "ui_locales_supported": ["zh-CN", "en"],
        **_certificates(settings),
        **({"mtls_endpoint_aliases": _at(settings.mtls_origin)} if settings.mtls_origin else {}),
        **authentication,
    }


def _certificates(settings: Settings) -> dict[str, bool]:
    return {"tls_client_certificate_bound_access_tokens": True} if settings.trusted_proxies else {}


def _at(origin: str) -> dict[str, str]:
    return {name: origin + path for name, path in AUTHENTICATED_ENDPOINTS.items()}


def protected_resource(settings: Settings) -> dict[str, Any]:
    """The resource server's metadata (RFC 9728)."""
    issuer = settings.issuer
    return {
        "resource": issuer,
        "resource_name": "Xinqiao",
        "resource_name#zh-CN": "信桥",
        "authorization_servers": [issuer],
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "authorization_details_types_supported": [TYPE],
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        # A token is bound to a DPoP key or, where a proxy is trusted, to a certificate instead.
        "dpop_bound_access_tokens_required": not settings.trusted_proxies,
        **_certificates(settings),
    }
