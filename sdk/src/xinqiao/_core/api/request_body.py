"""Members of request bodies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xinqiao.errors import ConfigurationError


def without_empty(**members: Any) -> dict[str, Any]:
    """Members that are neither None nor empty objects."""
    return {name: value for name, value in members.items() if value is not None and value != {}}


def names(values: Iterable[str], what: str) -> list[str] | None:
    """The names as a list, or None where there are none; one string alone is refused."""
    if isinstance(values, str):
        raise ConfigurationError(f"Give {what} as a list, not as one string.")
    return list(values) or None
