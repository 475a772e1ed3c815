"""Parse and check scopes (RFC 6749 §3.3): names of visible ASCII, separated by one space."""

import re
from typing import Final

from gateway.oauth.errors import OAuthError

_NAME: Final = r"[\x21\x23-\x5b\x5d-\x7e]+"
_SCOPE: Final = re.compile(f"{_NAME}(?: {_NAME})*")


def scope_for(asked: str | None, allowed: tuple[str, ...]) -> str:
    """The scope to grant: the one asked for, without repeats, or all that is allowed."""
    names = _tokens(asked) if asked else allowed
    if not names or not set(names) <= set(allowed):
        raise OAuthError(
            "invalid_scope", f"The scopes that can be had here are: {' '.join(allowed) or 'none'}."
        )
    return " ".join(names)


def _tokens(scope: str) -> tuple[str, ...]:
    """The names in a scope, without repeats; raises `OAuthError`."""
    if not _SCOPE.fullmatch(scope):
        raise OAuthError("invalid_scope", "A scope is names with one space between two of them.")
    return tuple(dict.fromkeys(scope.split(" ")))
