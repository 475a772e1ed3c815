"""What is published is what is enforced: the lists come from the modules that check by them."""

from typing import Any

from gateway.access.dpop import ALGORITHMS as PROOF_ALGORITHMS
from gateway.clients.registration import SCOPES
from gateway.oauth.client_assertion import ALGORITHMS as ASSERTION_ALGORITHMS
from gateway.oauth.client_assertion import METHOD
from gateway.oauth.details import TYPE
from gateway.oauth.party import GRANT_TYPES


def authorization_server(issuer: str) -> dict[str, Any]:
    """The authorization server's metadata (RFC 8414)."""
    authentication = {
        f"{endpoint}_endpoint_auth_{what}": list(values)
        for endpoint in ("token", "introspection", "revocation")
        for what, values in (
            ("methods_supported", (METHOD,)),
            ("signing_alg_values_supported", ASSERTION_ALGORITHMS),
        )
    }
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "token_endpoint": f"{issuer}/oauth/token",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
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
        **authentication,
    }


def protected_resource(issuer: str) -> dict[str, Any]:
    """The resource server's metadata (RFC 9728)."""
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
        "dpop_bound_access_tokens_required": True,
    }
