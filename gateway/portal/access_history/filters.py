"""Which lines of who looked a reader asks for, as an address says it; what it cannot mean is left out.
Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode

from gateway.creditfile.local_dates import end_of, midnight
from gateway.portal.access_history.entries import Filter, HistoryPage, Outcome
from gateway.rfc3339 import parse_date

FIELDS: Final = ("client", "purpose", "outcome", "since", "until")
OUTCOMES: Final[Mapping[str, Outcome]] = {"told": "told", "refused": "refused"}
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """What was asked for: the values that mean something, and whether all did."""

    seen: HistoryPage
    values: Mapping[str, str]
    understood: bool

    @property
    def query(self) -> str:
        """The same as an address's query."""
        return urlencode(self.values)

    @property
    def filter(self) -> Filter:
        """The lines that are wanted."""
        value = self.values.get
        return Filter(
            client_id=value("client"),
            purpose=value("purpose"),
            outcome=OUTCOMES.get(value("outcome", "")),
            since=_begins(value("since", "")),
            until=_ends(value("until", "")),
        )


def asked_of(query: Mapping[str, str], seen: HistoryPage) -> HistoryFilter:
    """What a query asks for; `since` and `until` are days of the province, both included."""
    given = {name: query[name] for name in FIELDS if query.get(name)}
    values = {name: value for name, value in given.items() if _means(name, value, seen)}
    return HistoryFilter(seen=seen, values=values, understood=values == given)


def _means(name: str, value: str, seen: HistoryPage) -> bool:
    match name:
        case "client":
            return value in seen.clients
        case "purpose":
            return value in seen.purposes
        case "outcome":
            return value in OUTCOMES
        case _:
            return _day(value) is not None


def _begins(written: str) -> datetime | None:
    day = _day(written)
    return None if day is None else midnight(day)


def _ends(written: str) -> datetime | None:
    day = _day(written)
    return None if day is None else end_of(day)


def _day(written: str) -> date | None:
    try:
        day = parse_date(written)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
