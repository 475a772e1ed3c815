"""Zhejiang's counties by their codes of GB/T 2260, 2023: with 330113 临平 and 330114 钱塘."""

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A county, district or county-level city."""

    code: str
    name: str
    city: str
    """The name of its prefecture, without 市."""

    @property
    def is_a_city(self) -> bool:
        """Whether it is a county-level city, whose name firms bear rather than the prefecture's."""
        return self.name.endswith("市")

    @property
    def full_name(self) -> str:
        """As addresses write it."""
        return f"浙江省{self.city}市{self.name}"


_CITIES: Final = {
    "杭州": (
        101,
        """02上城区 05拱墅区 06西湖区 08滨江区 09萧山区 10余杭区 11富阳区 12临安区
                    13临平区 14钱塘区 22桐庐县 27淳安县 82建德市""",
    ),
    "宁波": (
        57,
        """03海曙区 05江北区 06北仑区 11镇海区 12鄞州区 13奉化区 25象山县 26宁海县
                   81余姚市 82慈溪市""",
    ),
    "温州": (
        44,
        """02鹿城区 03龙湾区 04瓯海区 05洞头区 24永嘉县 26平阳县 27苍南县 28文成县
                   29泰顺县 81瑞安市 82乐清市 83龙港市""",
    ),
    "嘉兴": (24, "02南湖区 11秀洲区 21嘉善县 24海盐县 81海宁市 82平湖市 83桐乡市"),
    "湖州": (15, "02吴兴区 03南浔区 21德清县 22长兴县 23安吉县"),
    "绍兴": (25, "02越城区 03柯桥区 04上虞区 24新昌县 81诸暨市 83嵊州市"),
    "金华": (
        62,
        """02婺城区 03金东区 23武义县 26浦江县 27磐安县 81兰溪市 82义乌市 83东阳市
                   84永康市""",
    ),
    "衢州": (7, "02柯城区 03衢江区 22常山县 24开化县 25龙游县 81江山市"),
    "舟山": (5, "02定海区 03普陀区 21岱山县 22嵊泗县"),
    "台州": (
        29,
        """02椒江区 03黄岩区 04路桥区 22三门县 23天台县 24仙居县 81温岭市 82临海市
                   83玉环市""",
    ),
    "丽水": (
        7,
        """02莲都区 21青田县 22缙云县 23遂昌县 24松阳县 25云和县 26庆元县
                  27景宁畲族自治县 81龙泉市""",
    ),
}
"""In the order of their codes, with the city's weight (ten thousands of market entities)."""

DIVISIONS: Final = {
    city: tuple(
        Division(code=f"33{number:02}{each[:2]}", name=each[2:], city=city)
        for each in counties.split()
    )
    for number, (city, (_, counties)) in enumerate(_CITIES.items(), start=1)
}
BY_CODE: Final = {each.code: each for counties in DIVISIONS.values() for each in counties}
_NAMES: Final = tuple(_CITIES)
_WEIGHTS: Final = tuple(accumulate(weight for weight, _ in _CITIES.values()))


def a_division(rng: random.Random) -> Division:
    """A county, its city by weight."""
    return rng.choice(DIVISIONS[rng.choices(_NAMES, cum_weights=_WEIGHTS)[0]])
