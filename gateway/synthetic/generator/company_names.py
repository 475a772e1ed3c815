"""Made-up company names: division, style name, line of business, legal form."""

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from gateway.synthetic.generator.divisions import Division

_FIRST: Final = (
    "云佳恒瑞嘉盛鼎汇宏博远启新天泽润华锦诚信德宁安康乐福禄祥和顺达通广隆昌兴旺百川海江湖山林木禾苗"
)
_SECOND: Final = (
    "栖禾泰丰源晟通创达航辰宇景卓凡帆图盈利升腾跃飞翔龙凤麟鹏鹤舟桥梁柱石玉珠宝贝贤良善美雅"
)
_FORMS: Final = {
    "firm": (("有限公司", 92), ("股份有限公司", 3), ("合伙企业（有限合伙）", 5)),
    "individual_business": (("商行", 40), ("店", 30), ("经营部", 20), ("工作室", 10)),
    "farmers_cooperative": (("专业合作社", 100),),
}
_LONGEST_FIRST: Final = sorted(
    (form for forms in _FORMS.values() for form, _ in forms), key=len, reverse=True
)
_TYPES: Final = {
    "有限公司": "1130",
    "股份有限公司": "1229",
    "合伙企业（有限合伙）": "4533",
    "专业合作社": "9100",
}
_INDIVIDUAL: Final = "9500"


@dataclass(frozen=True, slots=True, kw_only=True)
class Industry:
    """A line of business: GB/T 4754 code, words for names, business scope."""

    code: str
    weight: int
    words: tuple[str, ...]
    scope: str
    further_codes: tuple[str, ...] = ()
    """GB/T 4754 codes of its scope beside its main one."""


_INDUSTRIES: Final = tuple(
    Industry(
        code=code,
        weight=weight,
        words=tuple(words.split()),
        scope=scope,
        further_codes=tuple(further.split()),
    )
    for code, weight, words, scope, further in (
        ("F5199", 22, "贸易 商贸 供应链管理", "日用百货批发；货物进出口", "F5139"),
        ("F5211", 20, "日用品 百货 便利", "日用百货销售；食品销售（仅销售预包装食品）", "F5229"),
        ("F5229", 4, "食品 果品 生鲜", "食品销售；食用农产品零售", "F5223"),
        ("F5292", 6, "电子商务 网络", "互联网销售；货物进出口", "I6429"),
        ("C1819", 8, "服饰 纺织", "服装制造；纺织品销售", "F5132"),
        ("C3311", 8, "金属制品 五金 机械", "五金产品制造；机械零件加工", "C3484"),
        ("L7299", 10, "企业管理 商务服务", "企业管理咨询；会议及展览服务", "L7284"),
        ("M7320", 6, "科技 新材料科技", "技术服务、技术开发、技术咨询", "M7519"),
        ("I6513", 6, "数据科技 软件 信息技术", "软件开发；数据处理服务", "I6550"),
        ("H6210", 6, "餐饮 小吃", "餐饮服务", ""),
        ("E5013", 4, "建筑装饰 建设工程", "住宅室内装饰装修；建设工程施工", "E4813"),
    )
)
_AGRICULTURE: Final = Industry(
    code="A0141", weight=1, words=("果蔬", "茶叶", "水产"), scope="农产品的生产、销售、加工、运输"
)
INDUSTRY_BY_CODE: Final = {each.code: each for each in (*_INDUSTRIES, _AGRICULTURE)}
_WEIGHTS: Final = tuple(accumulate(each.weight for each in _INDUSTRIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyName:
    """A company name with the entity type and industry it implies."""

    name: str
    entity_type: str
    industry: Industry


def pick_industry(rng: random.Random, kind: str) -> Industry:
    """Pick a line of business by weight; agriculture for cooperatives."""
    if kind == "farmers_cooperative":
        return _AGRICULTURE
    return rng.choices(_INDUSTRIES, cum_weights=_WEIGHTS)[0]


def pick_style_name(rng: random.Random) -> str:
    """Pick the distinctive part of a name."""
    style = rng.choice(_FIRST) + rng.choice(_SECOND)
    return style + rng.choice(_SECOND) if rng.random() < 0.25 else style  # noqa: PLR2004


def sign_name(name: str, division: Division) -> str:
    """The name on the sign: the registered one without place and legal form."""
    short = name
    for place in (division.name, division.city):
        short = short.removeprefix(place)
    return next(
        (short.removesuffix(form) for form in _LONGEST_FIRST if short.endswith(form)), short
    )


def entity_type_of(name: str) -> str:
    """The entity type that the legal form in a name implies; an individual business's for none."""
    form = next((form for form in _LONGEST_FIRST if name.endswith(form)), "")
    return _TYPES.get(form, _INDIVIDUAL)


def make_company_name(rng: random.Random, kind: str, division: Division) -> CompanyName:
    """Make a name as registered in `division`."""
    industry = pick_industry(rng, kind)
    forms, weights = zip(*_FORMS[kind], strict=True)
    form: str = rng.choices(forms, weights=weights)[0]
    place = division.name if division.is_a_city or kind != "firm" else division.city
    return CompanyName(
        name=f"{place}{pick_style_name(rng)}{rng.choice(industry.words)}{form}",
        entity_type=_TYPES.get(form, _INDIVIDUAL),
        industry=industry,
    )
