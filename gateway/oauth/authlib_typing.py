"""Type stubs for the part of Authlib in use, which has no types; the only import of Authlib.

What Authlib decides: docs/decisions/0038-what-authlib-decides.md. Its `jose` is deprecated and never
imported.
"""
# ruff: noqa: D102 - signatures only; Authlib documents what the methods do

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

Headers = Sequence[tuple[str, str]]
Reply = tuple[int, Mapping[str, Any], Headers]

if TYPE_CHECKING:

    class OAuth2Error(Exception):
        """An error of RFC 6749; calling it gives its response."""

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
        """A request as Authlib's grants read it."""

        uri: str
        payload: BasicOAuth2Payload
        client: Any
        authorization_code: Any
        refresh_token: Any

        def __init__(self, method: str, uri: str) -> None: ...

    class ClientMixin:
        """A client."""

    class TokenMixin:
        """A token."""

    class AuthorizationCodeMixin:
        """An authorization code."""

    class BaseGrant:
        """One grant, for one request."""

        TOKEN_RESPONSE_HEADER: Headers
        request: OAuth2Request
        server: Any

        def validate_token_request(self) -> None: ...
        def create_token_response(self) -> Reply: ...

    class AuthorizationCodeGrant(BaseGrant):
        """RFC 6749 §4.1."""

    class ClientCredentialsGrant(BaseGrant):
        """RFC 6749 §4.4."""

    class RefreshTokenGrant(BaseGrant):
        """RFC 6749 §6."""

    class CodeChallenge:
        """RFC 7636."""

        def __init__(self, *, required: bool = True) -> None: ...

    class AuthorizationServer:
        """Finds the grant of a token request."""

        def __init__(self, scopes_supported: Sequence[str]) -> None: ...
        def register_grant(
            self,
            grant_cls: type[BaseGrant],
            extensions: Sequence[CodeChallenge] | None = None,
        ) -> None: ...
        def get_token_grant(self, request: OAuth2Request) -> BaseGrant: ...

else:
    from authlib.oauth2.base import OAuth2Error
    from authlib.oauth2.rfc6749 import (
        AuthorizationCodeMixin,
        AuthorizationServer,
        ClientMixin,
        OAuth2Request,
        TokenMixin,
    )
    from authlib.oauth2.rfc6749.grants import (
        AuthorizationCodeGrant,
        BaseGrant,
        ClientCredentialsGrant,
        RefreshTokenGrant,
    )
    from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
    from authlib.oauth2.rfc7636 import CodeChallenge

__all__ = [
    "AuthorizationCodeGrant",
    "AuthorizationCodeMixin",
    "AuthorizationServer",
    "BaseGrant",
    "BasicOAuth2Payload",
    "ClientCredentialsGrant",
    "ClientMixin",
    "CodeChallenge",
    "Headers",
    "OAuth2Error",
    "OAuth2Request",
    "RefreshTokenGrant",
    "Reply",
    "TokenMixin",
]
