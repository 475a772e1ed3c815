"""Change feed read notice by notice: long polls, acknowledgement of what was handled, a stored cursor.

At least once: a page (at most 100 notices) is acknowledged and its cursor stored when the caller asks for
more after its last notice. A reader that stopped before gets the page again, with the same `change_id`s.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from uuid import uuid4

from xinqiao._core import flow
from xinqiao.errors import (
    ConfigurationError,
    CursorRefused,
    InvalidRequest,
    LimitReached,
    ServerUnavailable,
)

from .changes import acknowledge_changes, changes

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.wire.results import Change

T = TypeVar("T")
_log: Final = logging.getLogger("xinqiao")
#: `wait` of one look at the feed; many proxies end an idle connection after 30 seconds.
WAIT_SECONDS: Final = 20
#: Longest pause in seconds while the gateway cannot be reached; the first is the retry policy's `base`.
LONGEST_PAUSE: Final = 60.0
#: Longest pause in seconds at a limit of the agreement.
LONGEST_LIMIT: Final = 3600.0
NO_STORE: Final = "A store has methods `load` and `save`; for a file it is FileCursor(path)."
_ANEW: Final = "the feed then begins anew, with the same change_ids."
_MEND_FILE: Final = f"Put back what was saved there, or delete it: {_ANEW}"
_MEND_STORE: Final = f"Put back what was saved there, or remove it, so that None is loaded: {_ANEW}"
TWO_CURSORS: Final = "Give `after` or a store: the store has a cursor of its own."


class CursorStore(Protocol):
    """A place of one's own for the feed's cursor, such as a row of the database of the loan files."""

    def load(self) -> str | None:
        """The cursor stored last, or None."""

    def save(self, cursor: str, /) -> None:
        """Store a cursor durably, in the place of the one before."""


class AsyncCursorStore(Protocol):
    """A `CursorStore` whose methods are awaited."""

    async def load(self) -> str | None:
        """The cursor stored last, or None."""

    async def save(self, cursor: str, /) -> None:
        """Store a cursor durably, in the place of the one before."""


@dataclass(frozen=True, slots=True)
class FileCursor:
    """The feed's cursor in a file (mode 0600), replaced in one step: a crash leaves the old or the new."""

    path: str | Path

    def load(self) -> str | None:
        """The cursor in the file, or None where there is no file; its folder must be there."""
        try:
            cursor = Path(self.path).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            folder = Path(self.path).parent
            if folder.is_dir():
                return None
            raise self._unusable("kept", f"there is no folder {folder}") from None
        except UnicodeDecodeError:
            cursor = ""
        except (OSError, ValueError) as error:
            raise self._unusable("read", getattr(error, "strerror", None) or error) from None
        if not cursor or not cursor.isprintable() or " " in cursor:
            raise CursorRefused(f"The file {self.path} holds no cursor. {_MEND_FILE}")
        return cursor

    def save(self, cursor: str, /) -> None:
        """Write the cursor, to the disk."""
        target = Path(self.path)
        fresh = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{cursor}\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise self._unusable("kept", error.strerror or error) from None

    def _unusable(self, act: str, cause: object) -> ConfigurationError:
        return ConfigurationError(f"The cursor {self.path} cannot be {act}: {cause}.")


@dataclass(slots=True)
class MemoryCursor:
    """The feed's cursor in memory, for tests: another process begins anew."""

    cursor: str | None = None

    def load(self) -> str | None:
        """The cursor stored last, or None."""
        return self.cursor

    def save(self, cursor: str, /) -> None:
        """Store a cursor."""
        self.cursor = cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorFunctions:
    """A `CursorStore` made of two functions."""

    load: Callable[[], str | None]
    save: Callable[[str], None]


@dataclass(slots=True)
class FeedReader:
    """The state of one iteration over the feed; `follow`: wait for more at its end."""

    store: CursorStore | AsyncCursorStore
    follow: bool
    cursor: str | None = None
    begun: bool = False
    unhandled: str | None = None
    """The cursor of the page given last, until its notices are handled."""

    def __post_init__(self) -> None:
        """Refuse what is no store."""
        if not all(callable(getattr(self.store, name, None)) for name in ("load", "save")):
            raise ConfigurationError(NO_STORE)

    def next_notices(self, session: Session) -> Flow[tuple[Change, ...] | None]:
        """The next notices, or None at the end; to ask for them says that those before are handled."""
        if not self.begun:
            self.cursor = _checked(self.store, (yield from flow.invoke(self.store.load)))
        if self.unhandled is not None:
            self.cursor, self.unhandled = self.unhandled, None
            yield from self._outlast(partial(acknowledge_changes, session, self.cursor), session)
            yield from flow.invoke(partial(self.store.save, self.cursor))
        wait = WAIT_SECONDS if self.follow else 0
        try:
            page = yield from self._outlast(
                partial(changes, session, after=self.cursor, wait=wait), session
            )
        except InvalidRequest as error:
            if self.begun or self.cursor is None:
                raise
            raise _refused(self.store, error) from error
        self.begun = True
        if page.changes:
            self.unhandled = page.cursor
        elif not self.follow:
            return None
        return page.changes

    def _outlast(self, attempt: Callable[[], Flow[T]], session: Session) -> Flow[T]:
        """Repeat an attempt through outages and limits, once the feed is being followed."""
        pause, tries = session.settings.retry.base or 1.0, 0
        while True:
            try:
                outcome = yield from attempt()
            except (LimitReached, ServerUnavailable) as error:
                if not (self.follow and self.begun):
                    raise
                delay = max(session.world.chance(pause / 2, pause), _asked_pause(error))
                tries += 1
                _log.warning("The change feed waits %d s: %s", delay, error)
            else:
                if tries:
                    _log.warning("The change feed is back again after %d failed tries.", tries)
                return outcome
            yield from flow.pause(delay)
            pause = min(2 * pause, LONGEST_PAUSE)


def _checked(store: CursorStore | AsyncCursorStore, cursor: object) -> str | None:
    """Cursor that a store has given, if it is a text or None."""
    if cursor is None or isinstance(cursor, str):
        return cursor
    raise ConfigurationError(
        f"The cursor from {_named(store)} is no text (a {type(cursor).__name__}): give it as it was saved."
    )


def _refused(store: CursorStore | AsyncCursorStore, error: InvalidRequest) -> CursorRefused:
    """The error of a stored cursor that the gateway does not know; it does not quote it."""
    mend = _MEND_FILE if isinstance(store, FileCursor) else _MEND_STORE
    return CursorRefused(
        f"What {_named(store)} holds is no cursor of this client's feed. {mend}",
        status=error.status,
        title=error.title,
        request_id=error.request_id,
    )


def _named(store: CursorStore | AsyncCursorStore) -> str:
    """A store as its owner knows it: by its file, function or class; no `repr`, which may hold a password."""
    if isinstance(store, FileCursor):
        return f"the file {store.path}"
    if isinstance(store, CursorFunctions):
        load = getattr(store.load, "__qualname__", type(store.load).__qualname__)
        return f"the store's function {load}"
    return f"the store {type(store).__qualname__}"


def _asked_pause(error: LimitReached | ServerUnavailable) -> float:
    """Seconds that an answer asks to wait, bounded: `Retry-After` itself is never signed."""
    longest = LONGEST_LIMIT if isinstance(error, LimitReached) else LONGEST_PAUSE
    return min(error.retry_after or 0, longest)
