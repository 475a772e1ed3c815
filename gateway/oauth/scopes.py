"""Scopes as RFC 6749 §3.3 writes them: tokens of visible ASCII with one space between two."""

import re
from typing import Final

from gateway.oauth.errors import OAuthError

_NAME: Final = r"[\x21\x23-\x5b\x5d-\x7e]+"
_SCOPE: Final = re.compile(f"{_NAME}(?: {_NAME})*")


def scope_for(asked: str | None, allowed: tuple[str, ...]) -> str:
    """The scope to be granted: what is asked, once each, or all that is allowed."""
    names = _tokens(asked) if asked else allowed
    if not names or not set(names) <= set(allowed):
        raise OAuthError(
            "invalid_scope", f"The scopes that can be had here are: {' '.join(allowed) or 'none'}."
        )
    return " ".join(names)


def _tokens(scope: str) -> tuple[str, ...]:
    """The tokens of a scope, once each; raises `OAuthError`."""
    if not _SCOPE.fullmatch(scope):
        raise OAuthError("invalid_scope", "A scope is names with one space between two of them.")
    return tuple(dict.fromkeys(scope.split(" ")))
