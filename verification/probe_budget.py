"""Probe budget: at most `limit` distinct values of one question are answered in a window.

A budget is per client, enterprise and question: a client can neither lock another out nor learn from
being locked out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

LIMIT: Final = 3
WINDOW: Final = 30 * 24 * 60 * 60
"""Seconds after which a value leaves the budget, from its first use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAdmission:
    """`admitted`: a flag for each value asked, in order; `known`: the map to store."""

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
    """Charge the values asked of one question to its budget.

    `known` maps the digest of each earlier value to the time of its first use (seconds since 1970);
    `asked` are the digests asked now. A repeat is free and extends nothing; a refused value is not
    recorded.
    """
    kept = {value: first for value, first in known.items() if now - first < window}
    admitted = []
    for value in asked:
        if value not in kept and len(kept) < limit:
            kept[value] = now
        admitted.append(value in kept)
    return ProbeAdmission(admitted=tuple(admitted), known=MappingProxyType(kept))
