"""Intake: each delivered row is judged by itself, and what is taken is taken whole or not at all.

`judging` is pure, and `columns` does the same for many rows at once, if nothing is to be said of them;
`taking` puts a batch into the caller's transaction; `ingesting` takes files.
"""

from typing import TYPE_CHECKING, Any

from gateway.creditfile.intake.judging import Judge
from gateway.creditfile.intake.verdicts import Outcome, Source, Taken, Warned

if TYPE_CHECKING:
    from gateway.creditfile.intake.taking import take

__all__ = ["Judge", "Outcome", "Source", "Taken", "Warned", "take"]


def __getattr__(name: str) -> Any:  # `take`, when it is first asked for
    """A process that reads a file does without the database, and without what speaks to it."""
    if name != "take":
        raise AttributeError(name)
    from gateway.creditfile.intake.taking import take  # noqa: PLC0415

    return take
