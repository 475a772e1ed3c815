"""OAuth errors (RFC 6749 §5.2) with their public descriptions.

A description helps the client's developer, mentions no one else, and never quotes a token, a code or
an assertion.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.oauth.authlib_typing import OAuth2Error, Reply

LONGEST_DESCRIPTION: Final = 300
UNAVAILABLE_SECONDS: Final = 5

# Descriptions for errors of Authlib's that have none.
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "invalid_request": "A parameter is missing or malformed.",
        "invalid_client": "Client authentication failed.",
        "invalid_grant": "This grant is not, or not any more, valid for this client; begin anew.",
        "invalid_scope": "The scope goes beyond what this client may ask for.",
        "unauthorized_client": "This client may not use this grant.",
        "unsupported_grant_type": (
            "The grant types here are authorization_code, client_credentials and refresh_token."
        ),
    }
)


class OAuthError(OAuth2Error):
    """An OAuth error: code, public description, and the reason for the log."""

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(presentable(description), status_code=status, error=error)
        self.reason = reason or self.description
        self.headers = dict(headers or {})


def invalid_request(description: str) -> OAuthError:
    """The error for a malformed request."""
    return OAuthError("invalid_request", description)


def invalid_client(reason: str, description: str = SENTENCES["invalid_client"]) -> OAuthError:
    """The error for failed client authentication; `reason` is for the log alone."""
    return OAuthError("invalid_client", description, reason=reason)


def explained_invalid_client(description: str) -> OAuthError:
    """`invalid_client` for a reason that the caller may know."""
    return invalid_client(description, description)


def used_before() -> OAuthError:
    """The error for a client assertion that was used before."""
    return explained_invalid_client(
        "This assertion was used before; make a new one for each request."
    )


def invalid_grant(description: str) -> OAuthError:
    """The error for an invalid code or refresh token."""
    return OAuthError("invalid_grant", description)


def unavailable(reason: str) -> OAuthError:
    """The error while a store is unavailable; `reason` is for the log alone."""
    return OAuthError(
        "temporarily_unavailable",
        "The authorization server cannot answer right now; try again shortly.",
        status=503,
        reason=f"unavailable: {reason}",
        headers={"Retry-After": str(UNAVAILABLE_SECONDS)},
    )


class TooOftenError(OAuthError):
    """An authenticated client is over its rate limit."""


def too_often(retry_after: int, headers: Mapping[str, str]) -> TooOftenError:
    """The error for an authenticated client over its rate limit."""
    return TooOftenError(
        "temporarily_unavailable",
        "Too many requests of this client; use a token until it ends, and wait as Retry-After says.",
        status=429,
        reason="rate limited",
        headers={**headers, "Retry-After": str(retry_after)},
    )


def reply_of(error: OAuth2Error) -> Reply:
    """The response of an error."""
    if not error.description:
        error.description = SENTENCES.get(error.error, "")
    status, body, headers = error()
    own = error.headers.items() if isinstance(error, OAuthError) else ()
    return status, body, [*headers, *own]


def reason_of(error: OAuth2Error) -> str:
    """The reason of an error, for the operator's log."""
    if isinstance(error, OAuthError):
        return error.reason
    return error.description or SENTENCES.get(error.error, "")


def presentable(text: str) -> str:
    """`text` in the characters that RFC 6749 §5.2 allows in a description."""
    plain = text.replace('"', "'").replace("\\", "/")
    return "".join(c if " " <= c <= "~" else "?" for c in plain)[:LONGEST_DESCRIPTION]
