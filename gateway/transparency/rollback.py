"""Rollback detection: compare the log in the database with a checkpoint stored outside it. Pure.

A checkpoint is stored outside only after its commit, and published only after that. So a stored one is
never larger than the log and never smaller than the published one, unless something was lost or restored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from gateway.transparency.checkpoints import TreeHead
from gateway.transparency.merkle import EMPTY_ROOT

BACKUP_DOC = "docs/operate/backup.md"


class LogForkedError(Exception):
    """The database's log is not the one that was signed; the message says what to do."""


class Comparison(Enum):
    """Result of comparing a stored checkpoint with the database's log."""

    CONSISTENT = auto()
    AHEAD = auto()
    """The checkpoint has leaves that the database lacks."""
    DIVERGED = auto()
    """The database's tree of its size has another root."""
    BEHIND = auto()
    """A larger checkpoint has been published, and so had been stored there."""
    MISSING = auto()
    """No checkpoint, though one has been published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLog:
    """The log in the database.

    `published` was read before the stores, `newest` and `roots` after them; `roots` holds the root for
    each stored size not larger than `newest`.
    """

    published: int | None
    newest: TreeHead | None
    roots: Mapping[int, bytes]

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self.newest.size if self.newest else 0


def compare(kept: TreeHead | None, log: DatabaseLog) -> Comparison:
    """Compare one store's tree head with the log in the database."""
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
    """The operator's message for `AHEAD` and `DIVERGED`."""
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
        f"to the end of its write-ahead log: {BACKUP_DOC}."
    )


def loss_sentence(place: str, kept: TreeHead | None, log: DatabaseLog) -> str:
    """The operator's message for `BEHIND` and `MISSING`."""
    there = "has no checkpoint" if kept is None else f"has a checkpoint of {kept.size} entries only"
    return (
        f"{place} {there}, but the log's published one has {log.published}. Find out why: a folder "
        f"that is not mounted, was emptied or was restored; then, or for a new place, run "
        f"`xinqiao-gateway log put-checkpoint`: {BACKUP_DOC}."
    )
