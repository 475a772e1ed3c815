"""Calendar month in Shanghai, and the last decisions that are in time on each of its days. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Self

from gateway.creditfile.local_dates import day_of, midnight
from gateway.creditfile.working_days import working_days_after

MONTH: Final = re.compile(r"20\d{2}-(0[1-9]|1[0-2])")
_MONTHS: Final = 12
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Month:
    """A month; `str` gives `2026-11`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The month written `2026-11`, or `None`."""
        if not MONTH.fullmatch(text):
            return None
        return cls(year=int(text[:4]), month=int(text[5:]))

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """The month of `moment` in Shanghai."""
        day = day_of(moment)
        return cls(year=day.year, month=day.month)

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return midnight(self.first_day)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return midnight(self.next.first_day)

    @property
    def next(self) -> Self:
        """The month after it."""
        return self._moved(1)

    @property
    def previous(self) -> Self:
        """The month before it."""
        return self._moved(-1)

    @property
    def days(self) -> Iterator[date]:
        """Its days."""
        day, end = self.first_day, self.next.first_day
        while day < end:
            yield day
            day += _ONE

    def _moved(self, months: int) -> Self:
        year, month = divmod(self.year * _MONTHS + self.month - 1 + months, _MONTHS)
        return type(self)(year=year, month=month + 1)

    def __str__(self) -> str:
        """As on the wire and in file names."""
        return f"{self.year:04}-{self.month:02}"


@lru_cache(maxsize=1_024)  # the same few terms for each source and dataset of a month
def earliest_in_time(received: date, working_days: int) -> date:
    """The earliest day of a record that is in time if it is received on `received`.

    A record is late if it is received after the `working_days`-th working day after its own day.
    """
    day = received
    while working_days_after(day - _ONE, working_days).day >= received:
        day -= _ONE
    return day
