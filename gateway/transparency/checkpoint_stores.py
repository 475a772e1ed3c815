"""Stores for the newest checkpoint outside the database: a folder, or an https address.

Written by compare-and-swap, so that a late writer never puts an older checkpoint back. The content is
opaque here.
"""

import asyncio
import base64
import contextlib
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from gateway import safe_fetch
from gateway.safe_fetch import FetchRoute, UnfetchableError
from gateway.transparency.checkpoints import LARGEST_NOTE

T = TypeVar("T")

CHECKPOINT_FILE: Final = "checkpoint"
LOCK_FILE: Final = ".checkpoint.lock"
NEW_FILE: Final = ".checkpoint.new"
TIMEOUT_SECONDS: Final = 3.0
ABSENT_STATUSES: Final = frozenset({404, 410})
PRECONDITION_FAILED: Final = 412


class StoreError(Exception):
    """A store cannot be read or written; the message names it and says why."""


class StoreChangedError(StoreError):
    """Another writer was faster; read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A store's content, and its HTTP entity tag."""

    content: bytes
    etag: str | None = None


class CheckpointStore(Protocol):
    """A store of one text."""

    @property
    def name(self) -> str:
        """Its name for operators, without secrets."""
        ...

    async def read(self) -> StoredCheckpoint | None:
        """Its content, `None` if empty; raises `StoreError`."""
        ...

    async def replace(self, stored: StoredCheckpoint | None, content: bytes) -> None:
        """Replace `stored` by `content`; raises `StoreError`, or `StoreChangedError` if outdated."""
        ...


def store_for(address: str, *, loopback: bool) -> CheckpointStore:
    """The store at an absolute path or an https address; `loopback` allows http to this machine."""
    if address.startswith("/"):
        return FolderStore(folder=Path(address))
    return HttpsStore.at(address, loopback=loopback)


@dataclass(slots=True, kw_only=True)
class FolderStore:
    """A folder that all hosts share. It must exist: an unmounted share is no empty store."""

    folder: Path
    timeout: float = TIMEOUT_SECONDS
    _running: "asyncio.Future[Any] | None" = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.folder)

    async def read(self) -> StoredCheckpoint | None:
        """Read the file, if it is a regular one of at most `LARGEST_NOTE` bytes."""
        content = await self._in_time(self._read)
        return None if content is None else StoredCheckpoint(content=content)

    async def replace(self, stored: StoredCheckpoint | None, content: bytes) -> None:
        """Replace the file atomically and durably, under a lock file."""
        expected = stored.content if stored else None
        await self._in_time(lambda: self._replace(expected, content))

    def _read(self) -> bytes | None:
        with self._opened() as folder:
            return _content(folder)

    def _replace(self, expected: bytes | None, content: bytes) -> None:
        with self._opened() as folder, _locked(folder):
            if _content(folder) != expected:
                raise StoreChangedError("it was written meanwhile")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(NEW_FILE, dir_fd=folder)  # left by a killed writer
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(NEW_FILE, flags, 0o644, dir_fd=folder), "wb") as fresh:  # noqa: PTH123
                fresh.write(content)
                fresh.flush()
                os.fsync(fresh.fileno())
            os.rename(NEW_FILE, CHECKPOINT_FILE, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield folder
        finally:
            os.close(folder)

    async def _in_time(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread, within the timeout: a hanging share blocks one thread, no caller."""
        if self._running is not None and not self._running.done():
            await self._ended(self._running)
        self._running = outcome = _in_a_thread(work)
        await self._ended(outcome)
        try:
            return outcome.result()
        except OSError as error:
            raise StoreError(f"{self.name} cannot be used: {error.strerror}.") from None
        except StoreError as error:
            raise type(error)(f"{self.name} cannot be used: {error}.") from None

    async def _ended(self, outcome: "asyncio.Future[Any]") -> None:
        # Not asyncio.timeout: after the process was paused it would time out though the result is there.
        await asyncio.wait({outcome}, timeout=self.timeout)
        if not outcome.done():
            raise StoreError(f"{self.name} did not answer within {self.timeout:g} seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsStore:
    """An https address that takes GET and PUT. No redirect is followed; answers are bounded."""

    url: str
    credentials: str | None = field(default=None, repr=False)
    loopback: bool = False
    route: FetchRoute = field(default_factory=FetchRoute, repr=False)

    @classmethod
    def at(cls, address: str, *, loopback: bool) -> "HttpsStore":
        """The store at `address`; a user and password in it are sent as HTTP Basic credentials."""
        parts = urlsplit(address)
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        if parts.username is None:
            return cls(url=url, loopback=loopback)
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        basic = base64.b64encode(pair.encode()).decode()
        return cls(url=url, credentials=f"Basic {basic}", loopback=loopback)

    @property
    def name(self) -> str:
        """Its address without the query, which may hold a secret."""
        return self.url.partition("?")[0]

    async def read(self) -> StoredCheckpoint | None:
        """GET it; 404 and 410 mean empty."""
        try:
            found = await safe_fetch.get(
                self.url, self._headers(), loopback=self.loopback, private=True, route=self.route
            )
        except UnfetchableError as error:
            if error.status in ABSENT_STATUSES:
                return None
            raise self._failed(error) from None
        if len(found.body) > LARGEST_NOTE:
            raise StoreError(f"{self.name} answered with more than {LARGEST_NOTE} bytes.")
        return StoredCheckpoint(content=found.body, etag=found.headers.get("etag"))

    async def replace(self, stored: StoredCheckpoint | None, content: bytes) -> None:
        """PUT it under the precondition that nothing has changed (RFC 9110 §13.1).

        Read once more just before, for stores that ignore preconditions.
        """
        again = await self.read()
        if (again and again.content) != (stored and stored.content):
            raise StoreChangedError(f"{self.name} was written meanwhile.")
        headers = {"Content-Type": "text/plain; charset=utf-8", **self._headers()}
        if again is None:
            headers["If-None-Match"] = "*"
        elif again.etag is not None and again.etag.startswith('"'):  # a weak one never matches
            headers["If-Match"] = again.etag
        try:
            await safe_fetch.put(
                self.url, content, headers, loopback=self.loopback, private=True, route=self.route
            )
        except UnfetchableError as error:
            if error.status == PRECONDITION_FAILED:
                raise StoreChangedError(f"{self.name} was written meanwhile.") from None
            raise self._failed(error) from None

    def _headers(self) -> Mapping[str, str]:
        own = {"Accept": "text/plain, */*", "Cache-Control": "no-cache"}
        return own if self.credentials is None else {**own, "Authorization": self.credentials}

    def _failed(self, error: UnfetchableError) -> StoreError:
        return StoreError(f"{self.name} cannot be used: {error}")


def _content(folder: int) -> bytes | None:
    """The bytes of the file in `folder`; `None` if there is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(CHECKPOINT_FILE, flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreError(f"its {CHECKPOINT_FILE} is a symbolic link") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StoreError(f"its {CHECKPOINT_FILE} is no ordinary file")
        content = bytearray()
        while len(content) <= LARGEST_NOTE and (part := os.read(descriptor, LARGEST_NOTE + 1)):
            content += part
    finally:
        os.close(descriptor)
    if len(content) > LARGEST_NOTE:
        raise StoreError(f"its {CHECKPOINT_FILE} is larger than {LARGEST_NOTE} bytes")
    return bytes(content)


@contextlib.contextmanager
def _locked(folder: int) -> Iterator[None]:
    """Exclusive lock among all writers of `folder`; raises `StoreChangedError` if it is taken."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(LOCK_FILE, flags, 0o644, dir_fd=folder)
    try:
        if os.geteuid() == 0:  # an operator's command: the gateway's user must be able to open it
            owner = os.fstat(folder)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreChangedError("another process is writing there") from None
        yield
    finally:
        os.close(descriptor)


def _in_a_thread(work: Callable[[], T]) -> "asyncio.Future[T]":
    """The future result of `work` in a daemon thread, for which the end of the process does not wait."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    outcome.add_done_callback(lambda ended: ended.exception())  # so that it counts as retrieved

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(outcome.set_result, work())
        except Exception as error:  # noqa: BLE001  # it is the caller's
            settle = partial(outcome.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop has ended before the share answered
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, name="checkpoint-store", daemon=True).start()
    return outcome
