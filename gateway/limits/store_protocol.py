"""The protocol of limit stores, and their error; contract tests run against each of them."""

from collections.abc import Sequence
from typing import Final, Protocol

from gateway.db.unavailable import UnavailableError
from gateway.limits.model import (
    Admission,
    Distinct,
    LimitsQuery,
    LimitsReading,
    LineLimit,
    LinesAdmission,
    Verdict,
)

RANDOM_BYTES: Final = 24
"""Of `LimitStore.shared_random`."""


class LimiterUnavailableError(UnavailableError):
    """The gateway cannot count calls right now; try again shortly."""


class LimitStore(Protocol):
    """A store of replay keys, pins and counters. Fails closed: `LimiterUnavailableError`."""

    async def admit(self, admission: Admission) -> Verdict:
        """Judge an admission and charge its counters, atomically."""
        ...

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Judge and charge lines one after another, atomically; `None` for each that is admitted."""
        ...

    async def admit_members(self, tag: str, members: Sequence[Distinct]) -> LineLimit | None:
        """Charge distinct members of one limit, atomically: all of them, or none where they do not fit."""
        ...

    async def read(self, query: LimitsQuery) -> LimitsReading:
        """The remainders of quotas and the last refusal, without a charge."""
        ...

    async def note_refusal(self, tag: str, name: str, seconds: int) -> None:
        """Remember for a day that the quota `name` refused a call, and fits again after `seconds`."""
        ...

    async def generation(self) -> str:
        """The id of the store's content, which nonces are bound to; new after everything was lost."""
        ...

    async def shared_random(self, name: str, seconds: int) -> str:
        """A random text that all workers share under `name`; forgotten after `seconds`, kept nowhere."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
