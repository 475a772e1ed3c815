"""The protocol of limit stores, and their error; contract tests run against each of them."""

from typing import Protocol

from gateway.db.unavailable import UnavailableError
from gateway.limits.model import Admission, Verdict


class LimiterUnavailableError(UnavailableError):
    """The gateway cannot count calls right now; try again shortly."""


class LimitStore(Protocol):
    """A store of replay keys, pins and counters. Fails closed: `LimiterUnavailableError`."""

    async def admit(self, admission: Admission) -> Verdict:
        """Judge an admission and charge its counters, atomically."""
        ...

    async def generation(self) -> str:
        """The id of the store's content, which nonces are bound to; new after everything was lost."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
