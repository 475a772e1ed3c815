"""Each store judges alike: one contract, and one suite of tests that all of them pass."""

from typing import Protocol

from gateway.limits.model import Admission, Verdict


class LimitStore(Protocol):
    """Remembers replay keys, pins and counters; any call may raise `LimiterUnavailableError`."""

    async def admit(self, admission: Admission) -> Verdict:
        """Judge and charge in one atomic step."""
        ...

    async def generation(self) -> str:
        """The id of the store's present life: another one after everything was lost."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
