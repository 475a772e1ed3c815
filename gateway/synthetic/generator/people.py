"""Made-up persons with invalid ID numbers and unassigned phone numbers.

The check character of each ID number is wrong. Mobile numbers begin with 154, which is assigned to
no operator.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from gateway.synthetic.generator.divisions import Division
from verification import id_check_character

UNASSIGNED_PREFIX: Final = "154"
_CHECKS: Final = "0123456789X"
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程"
    "吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万"
)
_GIVEN: Final = (
    "伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超霞平刚桂英华建国文辉力玲红玉兰春梅海燕晓东志永健浩宇"
    "子轩雨欣梓涵一诺思远佳怡俊凯晨曦若彤嘉宁柏舟云帆书墨景行知微望舒清和安然亦凡"
)
_ROADS: Final = ("合成一路", "合成二路", "虚构东路", "虚构西路", "样例街", "演示弄")
_ADULT: Final = 20 * 365
_WORKING_LIFE: Final = 45 * 365


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticPerson:
    """A made-up legal representative or operator."""

    name: str
    id_number: str
    phone: str
    home_address: str


def make_person(rng: random.Random, division: Division, today: date) -> SyntheticPerson:
    """Make an adult from `division`."""
    born = today - timedelta(days=_ADULT + int(rng.random() * _WORKING_LIFE))
    road = rng.choice(_ROADS)
    return SyntheticPerson(
        name=make_name(rng),
        id_number=invalid_id_number(
            f"{division.code}{born.year}{born.month:02}{born.day:02}{rng.randint(0, 999):03}"
        ),
        phone=f"{UNASSIGNED_PREFIX}{rng.randint(0, 99_999_999):08}",
        home_address=f"{division.full_name}{road}{rng.randint(1, 998)}号{rng.randint(1, 29)}幢",
    )


def make_name(rng: random.Random) -> str:
    """Make a name: a surname and one or two characters."""
    given = rng.choice(_GIVEN) + (rng.choice(_GIVEN) if rng.random() < 0.8 else "")  # noqa: PLR2004
    return rng.choice(_SURNAMES) + given


def invalid_id_number(first17: str) -> str:
    """An ID number with a wrong check character."""
    right = _CHECKS.index(id_check_character(first17))
    return first17 + _CHECKS[(right + 1) % len(_CHECKS)]
