"""Kinds of synthetic licences: which trade needs them, who grants them, how they are numbered.

Food licences (食品经营许可证 JY…) are of food trades only. Numbers have the form of the real ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from gateway.synthetic.generator.enterprise_builder import EnterpriseBuilder

CATERING: Final = frozenset({"H6210"})
FOOD_RETAIL: Final = frozenset({"F5229"})
MANUFACTURING: Final = frozenset({"C1819", "C3311"})
CONSTRUCTION: Final = frozenset({"E5013"})
FOOD_TRADES: Final = CATERING | FOOD_RETAIL

Numbering = Callable[[EnterpriseBuilder, date], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceKind:
    """One kind of licence, and the industries (GB/T 4754) that it fits; empty: every one."""

    name: str
    category: str
    authority: str
    numbering: Numbering
    item_code: str | None = None
    industries: frozenset[str] = frozenset()
    certificate: str | None = None
    years: int | None = 5
    """Validity in years; none has no end."""
    required: bool = False
    """The trade may not be carried on without it."""
    firms_only: bool = False

    def fits(self, industry: str) -> bool:
        """True if an enterprise of this industry may hold it."""
        return not self.industries or industry in self.industries


def _decision(word: str) -> Numbering:
    """Numbers such as 杭西广许〔2026〕12号."""
    return lambda builder, day: builder.document_number(word, day)


def _food(premises: int) -> Numbering:
    """JY, kind of premises, division, serial number, check digit (GB/T 17710, MOD 11,10)."""

    def number(builder: EnterpriseBuilder, _: date) -> str:
        head = f"{premises}{builder.division.code}"
        return builder.unique(
            builder.rng.randint(1, 299_999), lambda n: _food_number(f"{head}{n:06}")
        )

    return number


def _food_number(digits: str) -> str:
    return f"JY{digits}{mod_11_10(digits)}"


def mod_11_10(digits: str) -> int:
    """Check digit by GB/T 17710 (ISO/IEC 7064), MOD 11,10."""
    product = 10
    for each in digits:
        product = 2 * ((product + int(each)) % 10 or 10) % 11
    return (11 - product) % 10


def _discharge(builder: EnterpriseBuilder, _: date) -> str:
    return builder.unique(1, lambda n: f"{builder.uscc}{n:03}P")


def _telecom(builder: EnterpriseBuilder, day: date) -> str:
    return builder.unique(builder.rng.randint(1, 2_999), lambda n: f"浙B2-{day.year}{n:04}")


def _tobacco(builder: EnterpriseBuilder, _: date) -> str:
    return builder.unique(
        builder.rng.randint(100_000, 199_999), lambda n: f"{builder.division.code}{n}"
    )


def _construction(builder: EnterpriseBuilder, _: date) -> str:
    return builder.unique(builder.rng.randint(100_000, 899_999), lambda n: f"D333{n}")


def _construction_safety(builder: EnterpriseBuilder, day: date) -> str:
    year = f"（浙）JZ安许证字〔{day.year}〕"
    return builder.unique(builder.rng.randint(10_000, 119_999), lambda n: f"{year}{n:06}")


def _human_resources(builder: EnterpriseBuilder, day: date) -> str:
    head = f"{builder.division.code}{day:%y%m}"
    return builder.unique(builder.rng.randint(1, 99), lambda n: f"{head}{n:04}")


LICENCE_KINDS: Final = (
    LicenceKind(
        name="食品经营许可", category="普通", authority="市场监督管理", numbering=_food(2),
        item_code="food_operation", industries=CATERING, certificate="食品经营许可证",
        required=True,
    ),
    LicenceKind(
        name="食品经营许可", category="普通", authority="市场监督管理", numbering=_food(1),
        item_code="food_operation", industries=FOOD_RETAIL, certificate="食品经营许可证",
        required=True,
    ),
    LicenceKind(
        name="公众聚集场所投入使用、营业前消防安全检查", category="核准", authority="消防救援",
        numbering=_decision("消安检"), item_code="fire_safety_before_opening",
        industries=CATERING, years=None,
    ),
    LicenceKind(
        name="烟草专卖零售许可", category="普通", authority="烟草专卖", numbering=_tobacco,
        item_code="tobacco_retail", industries=frozenset({"F5211", "F5229"}),
        certificate="烟草专卖零售许可证",
    ),
    LicenceKind(
        name="排污许可", category="普通", authority="生态环境", numbering=_discharge,
        item_code="pollutant_discharge", industries=MANUFACTURING, certificate="排污许可证",
    ),
    LicenceKind(
        name="增值电信业务经营许可", category="普通", authority="通信管理", numbering=_telecom,
        item_code="value_added_telecom", industries=frozenset({"F5292", "I6513"}),
        certificate="增值电信业务经营许可证",
    ),
    LicenceKind(
        name="人力资源服务许可", category="普通", authority="人力资源和社会保障",
        numbering=_human_resources, item_code="human_resources", industries=frozenset({"L7299"}),
        certificate="人力资源服务许可证",
    ),
    LicenceKind(
        name="检验检测机构资质认定", category="认可", authority="市场监督管理",
        numbering=_decision("质认"), item_code="inspection_and_testing",
        industries=frozenset({"M7320"}), certificate="检验检测机构资质认定证书", years=6,
    ),
    LicenceKind(
        name="建筑业企业资质认定", category="认可", authority="住房和城乡建设",
        numbering=_construction, item_code="construction_qualification", industries=CONSTRUCTION,
        certificate="建筑业企业资质证书", required=True,
    ),
    LicenceKind(
        name="建筑施工企业安全生产许可", category="普通", authority="住房和城乡建设",
        numbering=_construction_safety, item_code="construction_work_safety",
        industries=CONSTRUCTION, certificate="安全生产许可证", years=3,
    ),
    LicenceKind(
        name="农药经营许可", category="普通", authority="农业农村", numbering=_decision("农药经许"),
        item_code="pesticides", industries=frozenset({"A0141"}), certificate="农药经营许可证",
    ),
    LicenceKind(
        name="户外广告设施设置许可", category="普通", authority="综合行政执法",
        numbering=_decision("广许"), years=2,
    ),
    LicenceKind(
        name="城镇污水排入排水管网许可", category="普通", authority="住房和城乡建设",
        numbering=_decision("排许"), certificate="排水许可证",
        industries=CATERING | MANUFACTURING | frozenset({"I6513", "L7299"}),
    ),
    LicenceKind(
        name="企业投资项目核准", category="核准", authority="发展和改革", numbering=_decision("发改核"),
        years=2, firms_only=True,
    ),
    LicenceKind(
        name="变更登记", category="登记", authority="市场监督管理", numbering=_decision("登记变字"),
        years=None,
    ),
    LicenceKind(
        name="特种设备使用登记", category="登记", authority="市场监督管理",
        numbering=_decision("特登"), certificate="特种设备使用登记证", years=None,
        industries=MANUFACTURING | CONSTRUCTION | frozenset({"F5199"}),
    ),
)  # fmt: skip


@cache
def further_kinds(
    industry: str, category: str | None = None, *, firm: bool = True
) -> tuple[LicenceKind, ...]:
    """Kinds that fit a trade and are not required of it, of one category or of all."""
    return tuple(
        each
        for each in LICENCE_KINDS
        if each.fits(industry)
        and category in (None, each.category)
        and not each.required
        and (firm or not each.firms_only)
    )


@cache
def required_kind(industry: str) -> LicenceKind | None:
    """The licence without which the trade may not be carried on."""
    return next((k for k in LICENCE_KINDS if k.required and k.fits(industry)), None)
