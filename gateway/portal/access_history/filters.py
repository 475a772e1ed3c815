"""Query parameters of the access history filter; unrecognised values are ignored. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
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
    """The recognised filter parameters."""

    choices: FilterChoices
    values: Mapping[str, str]
    all_recognised: bool
    """True unless a given parameter was ignored."""

    @property
    def query(self) -> str:
        """The filter as a query string."""
        return urlencode(self.values)

    @property
    def filter(self) -> EntryFilter:
        """The filter for the database query."""
        value = self.values.get
        first, last = _day(value("since", "")), _day(value("until", ""))
        return EntryFilter(
            client_id=value("client"),
            purpose=value("purpose"),
            outcome=OUTCOMES.get(value("outcome", "")),
            start=midnight(first) if first else None,
            end=end_of(last) if last else None,
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


def _day(written: str) -> date | None:
    try:
        day = parse_date(written)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
