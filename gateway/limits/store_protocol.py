"""The protocol of limit stores; one suite of contract tests runs against each of them."""

from typing import Protocol

from gateway.limits.model import Admission, Verdict


class LimitStore(Protocol):
    """A store of replay keys, pins and counters; any call may raise `LimiterUnavailableError`."""

    async def admit(self, admission: Admission) -> Verdict:
        """Judge an admission and charge its counters, atomically."""
        ...

    async def generation(self) -> str:
        """The id of the store's content; a new one after everything was lost."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
