"""In-memory map from ids to the enterprises that they stand for, bounded; each worker has its own.

An id is issued once, for one enterprise. So what was found once holds for ever, and the enterprise's own
shard still says whether there is such an id now. Ids of nothing are not kept.
"""

from collections import OrderedDict
from typing import Final

MOST: Final = 32_768
"""About 8 MB."""


class Locations:
    """Least-recently-used map from ids to enterprises."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._usccs: OrderedDict[str, str] = OrderedDict()

    def find(self, location_id: str) -> str | None:
        """The enterprise of an id, if it was found before."""
        found = self._usccs.get(location_id)
        if found is not None:
            self._usccs.move_to_end(location_id)
        return found

    def keep(self, location_id: str, uscc: str) -> None:
        """Keep what was found, and drop the least used one beyond the bound."""
        self._usccs[location_id] = uscc
        self._usccs.move_to_end(location_id)
        if len(self._usccs) > self._most:
            self._usccs.popitem(last=False)

    def __len__(self) -> int:
        return len(self._usccs)
