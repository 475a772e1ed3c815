"""Settings of a client from environment variables, typed and checked; keys never print."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from xinqiao.errors import ConfigurationError

PREFIX: Final = "XINQIAO_"
_NEEDED: Final = ("issuer", "client_id", "private_jwks")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Settings of a client, as its constructor explains them.

    `from_env` reads each from the variable of its name: `XINQIAO_ISSUER`, `XINQIAO_CLIENT_ID`,
    `XINQIAO_PRIVATE_JWKS`; and, where they are set, `XINQIAO_SCOPE`, `XINQIAO_REDIRECT_URI`,
    `XINQIAO_DPOP_KEY`, `XINQIAO_KEYS`, `XINQIAO_CA`, `XINQIAO_PROXY`, `XINQIAO_TIMEOUT` and
    `XINQIAO_MAX_CLOCK_SKEW` (seconds), `XINQIAO_SIGN_REQUESTS` (`true` or `false`). A key is the path of a
    file, or its own text.
    """

    issuer: str
    client_id: str
    private_jwks: str = field(repr=False)
    scope: str | None = None
    redirect_uri: str | None = None
    dpop_key: str | None = field(default=None, repr=False)
    keys: str | None = None
    ca: str | None = None
    proxy: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    max_clock_skew: float = 300.0
    sign_requests: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> ClientSettings:
        """Read the variables; `ConfigurationError` names those that are missing or no numbers."""
        found = os.environ if environ is None else environ
        given = {each.name: found.get(_variable(each.name)) for each in fields(cls)}
        missing = [_variable(name) for name in _NEEDED if not given[name]]
        if missing:
            raise ConfigurationError(f"Set {', '.join(missing)}.")
        if given["keys"] is not None and not given["keys"].strip():
            raise ConfigurationError(
                f"{_variable('keys')} is empty: set the keys to pin, or unset it."
            )
        read: dict[str, Any] = {name: _value(name, text) for name, text in given.items() if text}
        return cls(**read)

    def options(self) -> dict[str, Any]:
        """Keyword arguments of a client's constructor."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _value(name: str, text: str) -> str | float | bool:
    if name == "sign_requests":
        if text.lower() not in {"true", "false"}:
            raise ConfigurationError(f"{_variable(name)} must be true or false.")
        return text.lower() == "true"
    if name not in {"timeout", "max_clock_skew"}:
        return text
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"{_variable(name)} must be a number of seconds above 0.")
    return seconds
