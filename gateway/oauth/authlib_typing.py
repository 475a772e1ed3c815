# ruff: noqa: D102 - these are signatures; what the methods do stands in Authlib
"""The only door to Authlib, which has no types: here stands what is used of it, typed by hand.

Authlib runs the grants and the endpoints; what it leaves open or lax is overridden where it is
used (`server`, `grants`, `introspect`, `revoke`). Its `jose` is deprecated and never imported.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

Headers = Sequence[tuple[str, str]]
Reply = tuple[int, Mapping[str, Any], Headers]

if TYPE_CHECKING:

    class OAuth2Error(Exception):
        """An error of RFC 6749; calling it gives its answer."""

        error: str
        description: str
        status_code: int

        def __init__(
            self,
            description: str | None = None,
            *,
            status_code: int | None = None,
            error: str | None = None,
        ) -> None: ...
        def __call__(self, uri: str | None = None) -> Reply: ...

    class BasicOAuth2Payload:
        """The parameters of a request."""

        data: dict[str, str]
        scope: str | None

        def __init__(self, payload: dict[str, str]) -> None: ...

    class OAuth2Request:
        """A request as Authlib's grants see it."""

        uri: str
        payload: BasicOAuth2Payload
        client: Any

        def __init__(self, method: str, uri: str) -> None: ...

    class ClientMixin:
        """What the grants ask of a client."""

    class TokenMixin:
        """What the grants ask of a token."""

    class AuthorizationCodeMixin:
        """What the grants ask of a code."""

    class BaseGrant:
        """One grant, for one request."""

        request: OAuth2Request
        server: Any

    class AuthorizationCodeGrant(BaseGrant):
        """RFC 6749 §4.1."""

    class ClientCredentialsGrant(BaseGrant):
        """RFC 6749 §4.4."""

    class RefreshTokenGrant(BaseGrant):
        """RFC 6749 §6."""

    class CodeChallenge:
        """RFC 7636."""

        def __init__(self, *, required: bool = True) -> None: ...

    class Endpoint:
        """An endpoint beside the token endpoint."""

        ENDPOINT_NAME: str
        server: Any

    class TokenEndpoint(Endpoint):
        """An endpoint about one token."""

        def authenticate_endpoint_client(self, request: OAuth2Request) -> Any: ...

    class IntrospectionEndpoint(TokenEndpoint):
        """RFC 7662."""

    class RevocationEndpoint(TokenEndpoint):
        """RFC 7009."""

    class AuthorizationServer:
        """Runs grants and endpoints."""

        def __init__(self, scopes_supported: Sequence[str]) -> None: ...
        def authenticate_client(
            self, request: OAuth2Request, methods: list[str], endpoint: str = "token"
        ) -> Any: ...
        def register_client_auth_method(
            self,
            method: str,
            func: Callable[[Callable[[str], Any], OAuth2Request], Any],
        ) -> None: ...
        def register_grant(
            self,
            grant_cls: type[BaseGrant],
            extensions: Sequence[CodeChallenge] | None = None,
        ) -> None: ...
        def register_endpoint(self, endpoint: type[Endpoint]) -> None: ...
        def create_token_response(self, request: OAuth2Request) -> Any: ...
        def create_endpoint_response(self, name: str, request: OAuth2Request) -> Any: ...

    def create_s256_code_challenge(code_verifier: str) -> str:
        """Give the S256 challenge of a verifier."""

else:
    from authlib.oauth2.base import OAuth2Error
    from authlib.oauth2.rfc6749 import (
        AuthorizationCodeMixin,
        AuthorizationServer,
        ClientMixin,
        OAuth2Request,
        TokenEndpoint,
        TokenMixin,
    )
    from authlib.oauth2.rfc6749.endpoint import Endpoint
    from authlib.oauth2.rfc6749.grants import (
        AuthorizationCodeGrant,
        BaseGrant,
        ClientCredentialsGrant,
        RefreshTokenGrant,
    )
    from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
    from authlib.oauth2.rfc7009 import RevocationEndpoint
    from authlib.oauth2.rfc7636 import CodeChallenge, create_s256_code_challenge
    from authlib.oauth2.rfc7662 import IntrospectionEndpoint

__all__ = [
    "AuthorizationCodeGrant",
    "AuthorizationCodeMixin",
    "AuthorizationServer",
    "BaseGrant",
    "BasicOAuth2Payload",
    "ClientCredentialsGrant",
    "ClientMixin",
    "CodeChallenge",
    "Endpoint",
    "Headers",
    "IntrospectionEndpoint",
    "OAuth2Error",
    "OAuth2Request",
    "RefreshTokenGrant",
    "Reply",
    "RevocationEndpoint",
    "TokenEndpoint",
    "TokenMixin",
    "create_s256_code_challenge",
]
