"""Test clock: the real time or a fixed moment, which a test moves."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock for `now`: the real time, or `moment` standing still, plus what a test has added."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Give the moved time."""
        return (self.moment or datetime.now(UTC)) + self.ahead

    def timestamp(self) -> float:
        """Give the moved time in seconds since 1970."""
        return self().timestamp()

    def advance(self, step: timedelta) -> None:
        """Move the time for good."""
        self.ahead += step

    @contextlib.contextmanager
    def later(self, **units: float) -> Iterator[None]:
        """Move the time by hours, minutes, … inside the block."""
        before, self.ahead = self.ahead, self.ahead + timedelta(**units)
        try:
            yield
        finally:
            self.ahead = before
