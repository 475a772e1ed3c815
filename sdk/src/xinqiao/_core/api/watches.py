"""Watch lists: enterprises of which the change feed tells when an answer may have changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call
from xinqiao._core.wire.closed_lists import BundleName, Purpose, QuestionTag
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import Serializable
from xinqiao.errors import ConfigurationError

from .bundles import check_alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from xinqiao._core.flow import Flow

_PATH = "/v1/watches"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList(Serializable):
    """A watch list; `enterprises` are empty where it was not read whole.

    `status` is `watching`, or `not_in_agreement` while the agreement does not cover it and nothing is told.
    """

    name: str
    purpose: str
    questions: tuple[str, ...]
    count: int
    status: str
    created_at: datetime
    replaced_at: datetime
    enterprises: tuple[str, ...] = ()
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLists(Serializable):
    """The watch lists of this client, by name."""

    watches: tuple[WatchList, ...]
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[WatchList]:
        """Iterate over the items."""
        return iter(self.watches)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.watches)


def put_watch(
    session: Session,
    name: str,
    *,
    purpose: Purpose,
    questions: Iterable[QuestionTag] = (),
    bundle: BundleName | None = None,
    enterprises: Iterable[str],
) -> Flow[WatchList]:
    """Put a whole watch list in the place of the one of this name.

    Put it first and ask about its enterprises then: whatever changes afterwards is in the change feed
    (`AnswerChange`). At most 10,000 codes, and questions that need no consent. A `bundle` in the place of
    `questions` stands for such of its questions as the agreement covers; the result names them.
    """
    named = _texts(questions, "questions")
    check_alone(bundle, named)
    asked = {"questions": named} if bundle is None else {"bundle": bundle}
    body = {"purpose": purpose, **asked, "enterprises": _texts(enterprises, "enterprises")}
    evidence = yield from call(session, "PUT", _path_of(name), scope="verify", body=body)
    return _watch_list(Reader.body(evidence), evidence)


def watch(session: Session, name: str) -> Flow[WatchList]:
    """Read one watch list of this client, with its enterprises."""
    evidence = yield from call(session, "GET", _path_of(name), scope="verify")
    return _watch_list(Reader.body(evidence), evidence)


def watches(session: Session) -> Flow[WatchLists]:
    """List this client's watch lists, without their enterprises."""
    evidence = yield from call(session, "GET", _PATH, scope="verify")
    found = tuple(_watch_list(each, evidence) for each in Reader.body(evidence).objects("watches"))
    return WatchLists(watches=found, evidence=evidence)


def delete_watch(session: Session, name: str) -> Flow[Evidence]:
    """Delete a watch list; nothing of it is told any more. Returns the evidence of it."""
    return (yield from call(session, "DELETE", _path_of(name), scope="verify"))


def _watch_list(body: Reader, evidence: Evidence) -> WatchList:
    return WatchList(
        name=body.text("name"),
        purpose=body.text("purpose"),
        questions=body.texts("questions"),
        count=body.integer("count"),
        status=body.text("status"),
        created_at=body.time("created_at"),
        replaced_at=body.time("replaced_at"),
        enterprises=body.texts("enterprises"),
        evidence=evidence,
    )


def _path_of(name: str) -> str:
    return f"{_PATH}/{quote(name, safe='')}"


def _texts(values: Iterable[str], what: str) -> list[str]:
    if isinstance(values, str):
        raise ConfigurationError(f"Give {what} as a list, not as one string.")
    return list(values)
