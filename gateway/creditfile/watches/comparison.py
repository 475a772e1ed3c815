"""Comparison of watched answers with their marks, and the notices of differences. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from gateway.creditfile.watches.marks import WatchedFile, changed_questions
from gateway.disclosure.watch_notices import AnswersNotice, Ground

ListKey = tuple[str, str]
"""A client and the name of one of its lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedList:
    """A list with what its client's agreement says of it."""

    key: ListKey
    purpose: str
    questions: tuple[str, ...]
    agreement_version: int
    licensed_for_persons: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One enterprise on one list; without `marks` it was never compared."""

    uscc: str
    key: ListKey
    marks: bytes | None
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A watch after its comparison, and the questions of which its client is told."""

    before: Watch
    marks: bytes | None
    due_at: datetime
    questions: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """True where its row is to be written."""
        return (self.marks, self.due_at) != (self.before.marks, self.before.due_at)


def is_settled(
    marks: bytes | None, due_at: datetime, followed: FollowedList, file: WatchedFile
) -> bool:
    """True where no answer has changed and the next moment is known: nothing is to be written."""
    return file.now < due_at <= file.next_moment() and marks == file.marks(
        followed.questions, licensed_for_persons=followed.licensed_for_persons
    )


def compare(
    watch: Watch, followed: FollowedList, file: WatchedFile, *, tells_unmarked: bool
) -> Compared:
    """Compare one watch with its marks.

    `tells_unmarked`: the file may have changed after the watch began, so that a watch without a mark to
    compare with is told all its questions.
    """
    marks = file.marks(followed.questions, licensed_for_persons=followed.licensed_for_persons)
    if watch.marks is None:
        questions = followed.questions if tells_unmarked else ()
    else:
        questions = changed_questions(followed.questions, watch.marks, marks)
    return Compared(before=watch, marks=marks, due_at=file.next_moment(), questions=questions)


def notices_of(
    compared: Iterable[Compared], lists: Mapping[ListKey, FollowedList]
) -> Iterator[AnswersNotice]:
    """The notices of each client: one for each enterprise, however many lists name it."""
    changed = sorted((each for each in compared if each.questions), key=_of_client)
    for (uscc, client_id), watches in groupby(changed, key=_of_client):
        by_ground: dict[tuple[str, int], list[str]] = {}
        for each in watches:
            followed = lists[each.before.key]
            ground = followed.purpose, followed.agreement_version
            by_ground.setdefault(ground, []).extend(each.questions)
        grounds = [
            Ground(purpose=purpose, agreement_version=version, questions=[*dict.fromkeys(tags)])
            for (purpose, version), tags in by_ground.items()
        ]
        yield AnswersNotice(uscc=uscc, client_id=client_id, grounds=grounds)


def _of_client(compared: Compared) -> tuple[str, str]:
    return compared.before.uscc, compared.before.key[0]
