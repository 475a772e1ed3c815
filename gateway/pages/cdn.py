"""A CDN in front of the public pages: surrogate keys, and how long it may keep a page without asking.

A page is given to it only under a lease: while the lease holds, whatever changes a page notes a purge in
the same transaction. Without one, all is as without a CDN.
"""

import hmac
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

LEASE_SECONDS: Final = 900
"""For so long after its last renewal purges are noted."""
TRUSTED_SECONDS: Final = 300
"""For so long after its last renewal a worker gives pages to the CDN; they end within the lease."""
ALL_PAGES: Final = ""
"""Stands for an enterprise's USCC where all pages are purged."""
NOTHING: Final[Mapping[str, str]] = {}
_KEY_LENGTH: Final = 32


@dataclass(slots=True, kw_only=True)
class PageCdn:
    """The CDN's purge address, and one worker's lease."""

    url: str
    token: str = field(repr=False)
    max_age: int
    """Seconds that the CDN may keep a page."""
    digest_key: bytes = field(repr=False)
    clock: Callable[[], float] = time.monotonic
    _trusted_until: float = 0.0
    _datasets: frozenset[str] = frozenset()

    def surrogate_key(self, uscc: str) -> str:
        """The key of all pages of an enterprise, which tells nothing of it; of `ALL_PAGES`, of all."""
        return hmac.digest(self.digest_key, uscc.encode(), "sha256").hex()[:_KEY_LENGTH]

    def trust_lease(self, datasets: Collection[str]) -> None:
        """Note that changes of these datasets are purged from now on, renewed or not for a while."""
        self._trusted_until = self.clock() + TRUSTED_SECONDS
        self._datasets = frozenset(datasets)

    def is_told(self, datasets: Collection[str]) -> bool:
        """True while it is told of each change of a page made of these datasets."""
        return self.clock() < self._trusted_until and self._datasets.issuperset(datasets)

    def headers(self, uscc: str, lifetime: timedelta) -> Mapping[str, str]:
        """Headers for the CDN, of a page that says the same for `lifetime`.

        Empty where the CDN has to ask before each use.
        """
        seconds = min(self.max_age, int(lifetime.total_seconds()))
        if seconds <= 0:
            return NOTHING
        keys = (self.surrogate_key(uscc), self.surrogate_key(ALL_PAGES))
        return {
            "CDN-Cache-Control": f"max-age={seconds}, must-revalidate",  # RFC 9213
            "Surrogate-Control": f"max-age={seconds}",
            "Surrogate-Key": " ".join(keys),
            "Cache-Tag": ",".join(keys),
        }
