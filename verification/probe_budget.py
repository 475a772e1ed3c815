"""Within one window no more than `limit` distinct values of one question are ever answered.

The budget is one client's, for one enterprise and one question; what others ask plays no part, or
one client could lock another out, or learn from being locked out.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMIT: Final = 3
WINDOW: Final = 30 * 24 * 60 * 60
"""Seconds from the first asking of a value until it leaves the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAdmission:
    """`admitted`, one flag for each value asked, in order; `known`, the map to keep."""

    admitted: tuple[bool, ...]
    known: Mapping[str, int]


def admit_probe(
    known: Mapping[str, int],
    asked: Sequence[str],
    *,
    now: int,
    limit: int = LIMIT,
    window: int = WINDOW,
) -> ProbeAdmission:
    """Decide which values of one question may be answered.

    `known` maps the digest of each value asked before to when it was first asked (seconds since
    1970); `asked` are the digests asked now. A repeat is free and extends nothing; a refused value
    leaves no trace.
    """
    kept = {value: first for value, first in known.items() if now - first < window}
    admitted = []
    for value in asked:
        if value not in kept and len(kept) < limit:
            kept[value] = now
        admitted.append(value in kept)
    return ProbeAdmission(admitted=tuple(admitted), known=MappingProxyType(kept))
