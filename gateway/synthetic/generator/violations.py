"""Violations that synthetic penalties are for, with the fines that their statutes allow."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

from gateway.synthetic.generator.licence_kinds import CONSTRUCTION, FOOD_TRADES, MANUFACTURING


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A violation with its articles, the fine that they allow (万元), and who fines it."""

    type: str
    basis: str
    facts: str
    least: Decimal
    most: Decimal
    authority: str = "市场监督管理"
    word: str = "市监处罚"
    industries: frozenset[str] = frozenset()
    """GB/T 4754; empty: every trade."""

    def fits(self, industry: str) -> bool:
        """True if an enterprise of this industry can commit it."""
        return not self.industries or industry in self.industries


PRICE_TAGS: Final = Violation(
    type="未按规定明码标价",
    basis="《中华人民共和国价格法》第十三条第一款、第四十二条",
    facts="经营场所内部分商品未标明价格。",
    least=Decimal("0.05"),
    most=Decimal("0.5"),
    industries=frozenset({"F5211", "F5229", "F5292", "H6210"}),
)
STANDARD_TERMS: Final = Violation(
    type="利用格式条款减轻自身责任",
    basis="《合同行政监督管理办法》第七条第一项、第十八条",
    facts="在服务协议中载明“遗失物品概不负责”。",
    least=Decimal("0.1"),
    most=Decimal(10),
    industries=frozenset({"L7299", "M7320", "I6513", "H6210", "E5013", "A0141"}),
)
VIOLATIONS: Final = (
    PRICE_TAGS,
    STANDARD_TERMS,
    Violation(
        type="未在网店首页公示营业执照信息",
        basis="《中华人民共和国电子商务法》第十五条第一款、第七十六条第一款",
        facts="在其网店首页显著位置未持续公示营业执照信息，经责令改正逾期未改。",
        least=Decimal("0.1"),
        most=Decimal(1),
        industries=frozenset({"F5199", "F5211", "F5292", "M7320", "I6513", "A0141"}),
    ),
    Violation(
        type="经营超过保质期的食品",
        basis="《中华人民共和国食品安全法》第三十四条第十项、第一百二十四条第一款第五项",
        facts="货架上待售的预包装食品三袋已超过保质期，货值金额不足一万元。",
        least=Decimal(5),
        most=Decimal(10),
        industries=FOOD_TRADES,
    ),
    Violation(
        type="销售侵犯注册商标专用权的商品",
        basis="《中华人民共和国商标法》第五十七条第三项、第六十条第二款",
        facts="销售的箱包与他人注册商标近似，容易导致混淆，违法经营额不足五万元。",
        least=Decimal("0.3"),
        most=Decimal(25),
        industries=frozenset({"F5199", "F5211", "F5292", "C1819"}),
    ),
    Violation(
        type="使用未经定期检验的特种设备",
        basis="《中华人民共和国特种设备安全法》第四十条第三款、第八十四条第一项",
        facts="在用叉车一台超过检验有效期，仍继续使用。",
        least=Decimal(3),
        most=Decimal(30),
        industries=MANUFACTURING | CONSTRUCTION | frozenset({"F5199"}),
    ),
    Violation(
        type="未按规定对从业人员进行安全生产教育和培训",
        basis="《中华人民共和国安全生产法》第二十八条第一款、第九十七条第三项",
        facts="三名新进员工上岗前未经安全生产教育和培训。",
        least=Decimal("0.5"),
        most=Decimal(10),
        authority="应急管理",
        word="应急罚",
        industries=MANUFACTURING | CONSTRUCTION,
    ),
    Violation(
        type="未建立环境管理台账记录制度",
        basis="《排污许可管理条例》第二十一条第一款、第三十七条第一项",
        facts="未按照排污许可证规定建立环境管理台账记录制度。",
        least=Decimal("0.5"),
        most=Decimal(2),
        authority="生态环境",
        word="环罚",
        industries=MANUFACTURING,
    ),
)


@cache
def violations_of(industry: str, fine_from: Decimal) -> tuple[Violation, ...]:
    """Violations that a trade can commit and for which so much can be fined."""
    return tuple(each for each in VIOLATIONS if each.fits(industry) and each.most > fine_from)
