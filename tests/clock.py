"""Test clock: the real time or a fixed moment, which a test moves."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock for `now`: the real time or a fixed `moment`, plus an offset that a test changes."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """The current time of the test."""
        return (self.moment or datetime.now(UTC)) + self.ahead

    def timestamp(self) -> float:
        """The current time in seconds since 1970."""
        return self().timestamp()

    def advance(self, step: timedelta) -> None:
        """Advance the time permanently."""
        self.ahead += step

    @contextlib.contextmanager
    def later(self, **units: float) -> Iterator[None]:
        """Advance the time by hours, minutes, … inside the block."""
        before, self.ahead = self.ahead, self.ahead + timedelta(**units)
        try:
            yield
        finally:
            self.ahead = before
