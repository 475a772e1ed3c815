"""In-memory cache of rendered pages, bounded in bytes; each worker has its own.

A page is used again only while the database still says what it was made from: the caller compares its
`mark` with one that it has just read. Nothing is ever told to another worker.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gateway.pages.representation import PlainAnswer, Representation

MAX_BYTES: Final = 32 << 20
_OVERHEAD: Final = 4_096  # headers, key and objects of one page


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """A rendered page, and what must still hold for it to be used again."""

    page: Representation | PlainAnswer
    subject: Any
    """What the page is about, as it was read."""
    mark: str
    """Stands for the rows that were read: different as soon as one of them changes."""
    catalogue: Any
    """The very object that the page was made with."""
    since: datetime
    until: datetime
    """The first moment at which the same rows may give another page."""
    same_until: datetime
    """The first moment at which they may give more than another time of day."""
    signatures: dict[Hashable, Any] = field(default_factory=dict)
    """Signatures of this page, for the middleware that signs."""

    def holds(self, catalogue: object, now: datetime) -> bool:
        """True where neither the catalogue nor the clock has made it outdated."""
        return self.catalogue is catalogue and self.since <= now < self.until


class KeptPages:
    """Least-recently-used cache of pages."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._pages: OrderedDict[Hashable, KeptPage] = OrderedDict()

    def find(self, key: Hashable) -> KeptPage | None:
        """The page under `key`, current or not."""
        found = self._pages.get(key)
        if found is not None:
            self._pages.move_to_end(key)
        return found

    def keep(self, key: Hashable, page: KeptPage) -> None:
        """Keep a page in place of the one before it, and drop the least used ones beyond the bound."""
        self.drop(key)
        self._pages[key] = page
        self._bytes += _size(page)
        while self._bytes > self._max_bytes:
            self.drop(next(iter(self._pages)))

    def drop(self, key: Hashable) -> None:
        """Drop a page, if there is one."""
        gone = self._pages.pop(key, None)
        self._bytes -= 0 if gone is None else _size(gone)

    @property
    def size(self) -> int:
        """Bytes that are counted towards the bound."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._pages)


def _size(kept: KeptPage) -> int:
    return kept.page.max_size + _OVERHEAD
