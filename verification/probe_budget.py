"""Probe budgets: at most `limit` distinct values of one question are answered in a window.

A budget is per client, enterprise and question: a client can neither lock another out nor learn from
being locked out.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

LIMIT: Final = 3
Charges = Sequence[tuple[str, str]]
"""The budgets of one assertion, each once, with the value's digest in it."""
WINDOW: Final = 30 * 24 * 60 * 60
"""Seconds after which a value leaves the budget, from its first use."""


class ProbeAdmission(NamedTuple):
    """`admitted`: a flag for each assertion, in order; `known`: the maps to store, by budget."""

    admitted: tuple[bool, ...]
    known: Mapping[str, Mapping[str, int]]


def admit_probes(
    known: Mapping[str, Mapping[str, int]],
    asked: Sequence[Charges],
    *,
    now: int,
    limit: int = LIMIT,
    window: int = WINDOW,
) -> ProbeAdmission:
    """Charge assertions to their budgets.

    `known` maps, for each budget, the digest of each earlier value to the time of its first use
    (seconds since 1970); `asked` are the assertions asked now, each with all its budgets and its
    digest in each. One is admitted where each of its budgets admits it. A repeat is free and extends
    nothing; a refused assertion is recorded in no budget.
    """
    kept = {
        budget: {value: first for value, first in values.items() if now - first < window}
        for budget, values in known.items()
    }
    admitted = []
    for charges in asked:
        has_room = [
            value in (values := kept.setdefault(budget, {})) or len(values) < limit
            for budget, value in charges
        ]
        if all(has_room):
            for budget, value in charges:
                kept[budget].setdefault(value, now)
        admitted.append(all(has_room))
    return ProbeAdmission(admitted=tuple(admitted), known=kept)
