"""Rollback detection: compare the log in the database with a checkpoint that is kept outside it. Pure.

A checkpoint is written outside only after its commit, and told to others only after it was written
outside. So what is kept outside is never larger than the log in the database, and never smaller
than what has been published, unless something was lost or put back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from gateway.transparency.checkpoints import TreeHead
from gateway.transparency.merkle import EMPTY_ROOT

HELP = "docs/operate/backup.md"
EMPTY = TreeHead(0, EMPTY_ROOT)


class LogForkedError(Exception):
    """The database has another log than the one that was signed; the message says what to do."""


class Comparison(Enum):
    """How a checkpoint kept outside stands to the log in the database."""

    CONSISTENT = auto()
    AHEAD = auto()
    """It has leaves that the database has not."""
    DIVERGED = auto()
    """The database's tree of its size has another root."""
    BEHIND = auto()
    """A larger one has been published, and so had been kept there."""
    MISSING = auto()
    """There is none, though one has been published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLog:
    """The log as the database has it.

    `published` was read before the checkpoints outside, `newest` and `roots` after them; `roots`
    are computed from the kept tree, for each size that is asked about and not larger than `newest`.
    """

    published: int | None
    newest: TreeHead | None
    roots: Mapping[int, bytes]

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return self.newest.size if self.newest else 0


def compare(kept: TreeHead | None, log: DatabaseLog) -> Comparison:
    """Compare what is kept at one place with the log in the database."""
    if kept is None:
        return Comparison.CONSISTENT if log.published is None else Comparison.MISSING
    if kept.size > log.size:
        return Comparison.AHEAD
    if kept.root != (log.roots[kept.size] if kept.size else EMPTY_ROOT):
        return Comparison.DIVERGED
    if log.published is not None and kept.size < log.published:
        return Comparison.BEHIND
    return Comparison.CONSISTENT


def fork_sentence(place: str, kept: TreeHead, log: DatabaseLog) -> str:
    """What an operator reads of `AHEAD` and `DIVERGED`."""
    if kept.size > log.size:
        found = (
            f"The log in the database has {log.size} entries, but the signed checkpoint kept at "
            f"{place} has {kept.size}: the database has lost what was committed after it."
        )
    else:
        found = (
            f"The first {kept.size} of the {log.size} entries of the log in the database are not "
            f"those of the signed checkpoint kept at {place}: it is another log, or was changed."
        )
    return (
        f"{found} Going on would sign a second history, so nothing is served. Restore the database "
        f"to the end of its write-ahead log: {HELP}."
    )


def loss_sentence(place: str, kept: TreeHead | None, log: DatabaseLog) -> str:
    """What an operator reads of `BEHIND` and `MISSING`."""
    there = "has no checkpoint" if kept is None else f"has a checkpoint of {kept.size} entries only"
    return (
        f"{place} {there}, but the log's published one has {log.published}. Find out why: a folder "
        f"that is not mounted, was emptied or was restored; then, or for a new place, run "
        f"`xinqiao-gateway log put-checkpoint`: {HELP}."
    )
