"""Difference between this machine's clock and the database's.

Terms of consents and records, tokens and proofs are judged by a worker's clock: all workers must agree.
"""

import time
from collections.abc import Callable
from typing import Final

from gateway.db.prepared import HotDatabase, certain
from gateway.db.statements import Statement

MOST_SECONDS: Final = 60
"""As long as a DPoP proof is good."""
_NOW: Final = Statement(
    "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision) AS now"
)


async def seconds_ahead(hot: HotDatabase, clock: Callable[[], float] = time.time) -> float:
    """Seconds by which this clock is ahead of the database's, at least; negative if it is behind."""
    before = clock()
    row = certain(await hot.row(_NOW, {}))
    return least_difference(before, row["now"], clock())


def least_difference(before: float, other: float, after: float) -> float:
    """Difference to another clock that was read in between; none where it can have been the same."""
    return min(after - other, 0.0) or max(before - other, 0.0)


def clock_sentence(ahead: float) -> str | None:
    """Error message for the operator; `None` if the clocks differ by at most `MOST_SECONDS`."""
    if abs(ahead) <= MOST_SECONDS:
        return None
    side = "ahead of" if ahead > 0 else "behind"
    return (
        f"This machine's clock is {abs(ahead):,.0f} seconds {side} the database's: set both by NTP. "
        "Consents, tokens and records would end at a wrong time."
    )
