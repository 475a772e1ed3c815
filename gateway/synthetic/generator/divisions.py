"""Administrative divisions (county level) with weights by prefecture, for synthetic enterprises."""

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from gateway.creditfile.divisions import CITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A county, district or county-level city."""

    code: str
    name: str
    city: str
    """The name of its prefecture, without 市."""

    @property
    def is_a_city(self) -> bool:
        """True if it is a county-level city, which company names use instead of the prefecture."""
        return self.name.endswith("市")

    @property
    def is_a_district(self) -> bool:
        """True for a city's district, whose offices bear the city's name too."""
        return self.name.endswith("区")

    @property
    def office(self) -> str:
        """The division in the names of its offices: 杭州市西湖区, 义乌市, 桐庐县."""
        return f"{self.city}市{self.name}" if self.is_a_district else self.name

    @property
    def initials(self) -> str:
        """City and division in document numbers: 杭西, 甬鄞."""
        return f"{_CITY_INITIALS.get(self.city, self.city[0])}{self.name[0]}"

    @property
    def full_name(self) -> str:
        """The full name in addresses."""
        return f"浙江省{self.city}市{self.name}"


_CITY_INITIALS: Final = {"宁波": "甬"}
_WEIGHT_OF: Final = {
    "杭州": 101,
    "宁波": 57,
    "温州": 44,
    "嘉兴": 24,
    "湖州": 15,
    "绍兴": 25,
    "金华": 62,
    "衢州": 7,
    "舟山": 5,
    "台州": 29,
    "丽水": 7,
}
"""Market entities in ten thousands, ordered by city code."""

DIVISIONS: Final = {
    heading[5:-1]: tuple(
        Division(code=f"{heading[:4]}{each[:2]}", name=each[2:], city=heading[5:-1])
        for each in counties.split()
    )
    for heading, counties in CITIES.items()
}
BY_CODE: Final = {each.code: each for counties in DIVISIONS.values() for each in counties}
_NAMES: Final = tuple(_WEIGHT_OF)
_WEIGHTS: Final = tuple(accumulate(_WEIGHT_OF.values()))


def pick_division(rng: random.Random) -> Division:
    """Pick a county; its prefecture by weight."""
    return rng.choice(DIVISIONS[rng.choices(_NAMES, cum_weights=_WEIGHTS)[0]])
