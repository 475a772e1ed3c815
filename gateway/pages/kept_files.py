"""Files kept in memory for minutes after they were made, bounded in bytes; each worker has its own.

Whoever serves one has decided anew that it may be served: nothing here knows of that.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

MAX_BYTES: Final = 16 << 20
SECONDS: Final = 600


class KeptFiles:
    """Least-recently-used cache of files, each dropped after some minutes, used or not."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, seconds: float = SECONDS) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()

    def find(self, key: Hashable) -> bytes | None:
        """The file under `key`, if it is still kept."""
        found = self._files.get(key)
        if found is not None:
            self._files.move_to_end(key)
        return found

    def keep(self, key: Hashable, file: bytes) -> None:
        """Keep a file, and drop the least used ones beyond the bound."""
        if key in self._files:  # made twice at once
            return
        self._files[key] = file
        asyncio.get_running_loop().call_later(self._seconds, self._files.pop, key, None)
        while sum(map(len, self._files.values())) > self._max_bytes:
            self._files.popitem(last=False)
