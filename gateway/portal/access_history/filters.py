"""Query parameters of the access history filter; unrecognised values are ignored. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode

from gateway.creditfile.local_dates import end_of, midnight
from gateway.portal.access_history.entries import EntryFilter, FilterChoices, Outcome
from gateway.rfc3339 import parse_date

PARAMETERS: Final = ("client", "purpose", "outcome", "since", "until")
OUTCOMES: Final[Mapping[str, Outcome]] = {"told": "told", "refused": "refused"}
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """The recognised filter parameters, and whether all given ones were recognised."""

    choices: FilterChoices
    values: Mapping[str, str]
    all_recognised: bool

    @property
    def query(self) -> str:
        """The filter as a query string."""
        return urlencode(self.values)

    @property
    def filter(self) -> EntryFilter:
        """The filter for the database query."""
        value = self.values.get
        return EntryFilter(
            client_id=value("client"),
            purpose=value("purpose"),
            outcome=OUTCOMES.get(value("outcome", "")),
            start=_start_of(value("since", "")),
            end=_end_of(value("until", "")),
        )


def parse_filter(query: Mapping[str, str], choices: FilterChoices) -> HistoryFilter:
    """Parse a query; `since` and `until` are inclusive dates in UTC+8."""
    given = {name: query[name] for name in PARAMETERS if query.get(name)}
    values = {name: value for name, value in given.items() if _is_recognised(name, value, choices)}
    return HistoryFilter(choices=choices, values=values, all_recognised=values == given)


def _is_recognised(name: str, value: str, choices: FilterChoices) -> bool:
    match name:
        case "client":
            return value in choices.clients
        case "purpose":
            return value in choices.purposes
        case "outcome":
            return value in OUTCOMES
        case _:
            return _day(value) is not None


def _start_of(written: str) -> datetime | None:
    day = _day(written)
    return None if day is None else midnight(day)


def _end_of(written: str) -> datetime | None:
    day = _day(written)
    return None if day is None else end_of(day)


def _day(written: str) -> date | None:
    try:
        day = parse_date(written)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
