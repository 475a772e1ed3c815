"""Worked examples of disclosure terms: cases of the tests, and source of `docs/understand/clocks.md`.

`python -m tests.generated.disclosure_term_examples` prints the page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from gateway.creditfile.disclosure_policy import context_of
from gateway.creditfile.disclosure_terms import ALONE, FileContext
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import Record
from tests.creditfile_builders import CATALOGUE, NOON, make_record

NEVER: Final = date.min
INDIVIDUAL_BUSINESS_USCC: Final = "92330106MA2H3J4K5X"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A record and the last day of its disclosure: a day, `NEVER`, or unknown."""

    zh: str
    en: str
    dataset: str = "penalty"
    fields: Mapping[str, Any] = field(default_factory=dict)
    penalty: Mapping[str, Any] | None = None
    """Changes of the penalty that it led to."""
    last_day: date | None

    @property
    def context(self) -> FileContext:
        """The rest of the enterprise's file."""
        if self.penalty is None:
            return ALONE
        number = str(self.fields["related_document_number"])
        led_to = {"document_number": number, "record_id": "rec_2"} | dict(self.penalty)
        return context_of((self.record, make_record(**_PENALTY | led_to)), CATALOGUE, NOON)

    @property
    def record(self) -> Record:
        """The example's record."""
        fields = (_PENALTY if self.dataset == "penalty" else {}) | dict(self.fields)
        return make_record(self.dataset, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with its source and examples."""

    zh: str
    en: str
    source: str
    examples: tuple[Example, ...]


_PENALTY: Final[dict[str, Any]] = {
    "kinds": ["罚款"],
    "fine": "5.000000",
    "decided_on": "2026-05-01",
    "determined_on": "2026-05-01",
    "published_on": "2026-05-08",
    "severity": None,
    "procedure": "普通",
    "appeal_state": None,
}
_EARLIER: Final = {
    "decided_on": "2025-06-01",
    "determined_on": "2025-06-01",
    "published_on": "2025-06-08",
}
_FAILED: Final = {
    "inspected_on": "2026-05-01",
    "result": "不合格",
    "related_document_number": "浙市监罚〔2026〕0009号",
}

RULES: Final = (
    Rule(
        zh="行政处罚：按失信程度公示，自认定之日起算",
        en="Penalties: publicity by severity, from the day of determination",
        source="国家发展改革委令第36号《信用修复管理办法》，2026-04-01起施行",
        examples=(
            Example(
                zh="罚款5万元，机关未定失信程度：推定为一般，最长12个月",
                en="A fine of 50,000 yuan, no severity given: ordinary, 12 months",
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="公示晚于认定三周：仍自认定之日起算",
                en="Published three weeks late: the term still runs from determination",
                fields={"published_on": "2026-05-22"},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="认定日期未提供：自决定之日起算",
                en="No day of determination given: from the decision",
                fields={"determined_on": None},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="机关认定为严重，罚款仅2000元：最长36个月",
                en="Serious by the authority's word, a fine of 2,000 yuan: 36 months",
                fields={"severity": "严重", "fine": "0.200000"},
                last_day=date(2029, 5, 1),
            ),
            Example(
                zh="责令停产停业：推定为严重，36个月",
                en="Suspension of business: serious, 36 months",
                fields={"kinds": ["罚款", "停产停业"]},
                last_day=date(2029, 5, 1),
            ),
            Example(
                zh="吊销许可证件：推定为严重，36个月",
                en="Revocation of a licence: serious, 36 months",
                fields={"kinds": ["吊销许可"], "fine": None},
                last_day=date(2029, 5, 1),
            ),
            Example(
                zh="暂扣许可证件：不属严重情形，推定为一般，12个月",
                en="Temporary seizure of a licence is not serious: ordinary, 12 months",
                fields={"kinds": ["暂扣许可"], "fine": None, "valid_until": "2031-06-30"},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="没收违法所得并处小额罚款：推定为一般，12个月",
                en="Confiscation beside a small fine: ordinary, 12 months",
                fields={"kinds": ["没收", "罚款"], "fine": "0.100000"},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="数源单位自行给出更早的截止日：以较早者为准",
                en="The source gives an earlier end: the earlier one counts",
                fields={"publicity_ends_on": "2026-12-01"},
                last_day=date(2026, 12, 1),
            ),
            Example(
                zh="数源单位给出更晚的截止日：不予延长",
                en="The source gives a later end: it prolongs nothing",
                fields={"publicity_ends_on": "2090-12-01"},
                last_day=date(2027, 5, 1),
            ),
        ),
    ),
    Rule(
        zh="轻微失信：不公示；机关依普通程序决定公示的，最长3个月",
        en="Minor penalties: not published, or three months where the authority decided to "
        "publish under the ordinary procedure",
        source="国家发展改革委令第36号；小额罚款参照《行政处罚法》第五十一条†",
        examples=(
            Example(
                zh="仅警告",
                en="A warning alone",
                fields={"kinds": ["警告"], "fine": None},
                last_day=NEVER,
            ),
            Example(
                zh="仅通报批评",
                en="Public criticism alone",
                fields={"kinds": ["通报批评"], "fine": None},
                last_day=NEVER,
            ),
            Example(
                zh="对公司罚款3000元",
                en="A fine of 3,000 yuan for a firm",
                fields={"fine": "0.300000"},
                last_day=NEVER,
            ),
            Example(
                zh="对公司罚款3001元：推定为一般",
                en="A fine of 3,001 yuan for a firm: ordinary",
                fields={"fine": "0.300100"},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="对个体工商户罚款200元",
                en="A fine of 200 yuan for an individual business",
                fields={"fine": "0.020000", "uscc": INDIVIDUAL_BUSINESS_USCC},
                last_day=NEVER,
            ),
            Example(
                zh="对个体工商户罚款3000元：推定为一般",
                en="A fine of 3,000 yuan for an individual business: ordinary",
                fields={"fine": "0.300000", "uscc": INDIVIDUAL_BUSINESS_USCC},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="简易程序",
                en="The simplified procedure",
                fields={"procedure": "简易", "fine": "0.300000"},
                last_day=NEVER,
            ),
            Example(
                zh="机关决定公示（普通程序）：3个月",
                en="The authority has decided to publish, ordinary procedure: three months",
                fields={"severity": "轻微", "publish_decided": True},
                last_day=date(2026, 8, 1),
            ),
            Example(
                zh="机关决定公示，但为简易程序：仍不公示",
                en="The same under the simplified procedure: not published",
                fields={"severity": "轻微", "publish_decided": True, "procedure": "简易"},
                last_day=NEVER,
            ),
        ),
    ),
    Rule(
        zh="2026-04-01之前的决定：新旧两规则各算一次，以较早者为准†",
        en="Decisions before 2026-04-01: both rules are computed, the earlier end counts†",
        source="市场监管总局令第45号；国家发展改革委令第36号",
        examples=(
            Example(
                zh="2025-06-01认定，罚款5万元，未定程度：12个月（旧规则为36个月）",
                en="Determined 2025-06-01, 50,000 yuan, no severity: 12 months (36 by the old rule)",
                fields=_EARLIER,
                last_day=date(2026, 6, 1),
            ),
            Example(
                zh="同上，机关认定为严重，罚款9000元：旧规则3个月较早",
                en="The same, serious, a fine of 9,000 yuan: three months by the old rule",
                fields={**_EARLIER, "severity": "严重", "fine": "0.900000"},
                last_day=date(2025, 9, 8),
            ),
            Example(
                zh="同上，停产停业：两规则均为36个月，自认定起算较早",
                en="The same, suspension of business: 36 months, earlier from determination",
                fields={**_EARLIER, "kinds": ["停产停业"], "fine": None},
                last_day=date(2028, 6, 1),
            ),
            Example(
                zh="同上，仅通报批评：不公示（旧规则为3个月）",
                en="The same, public criticism alone: not published (three months by the old rule)",
                fields={**_EARLIER, "kinds": ["通报批评"], "fine": None},
                last_day=NEVER,
            ),
        ),
    ),
    Rule(
        zh="严重违法失信名单：列入满3年，或提前移出",
        en="List of serious violations: three years from listing, or until removed",
        source="市场监管总局令第44号",
        examples=(
            Example(
                zh="2025-02-01列入",
                en="Listed on 2025-02-01",
                dataset="serious_violation",
                fields={"added_on": "2025-02-01"},
                last_day=date(2028, 2, 1),
            ),
            Example(
                zh="2020-02-01列入，数源单位未报移出：不再提供",
                en="Listed on 2020-02-01, no removal reported: told no more",
                dataset="serious_violation",
                fields={"added_on": "2020-02-01"},
                last_day=date(2023, 2, 1),
            ),
            Example(
                zh="2026-06-10移出：当日起不再提供",
                en="Removed on 2026-06-10: not told from that day on",
                dataset="serious_violation",
                fields={"added_on": "2025-02-01", "removed_on": "2026-06-10"},
                last_day=date(2026, 6, 9),
            ),
        ),
    ),
    Rule(
        zh="失信被执行人：发布满2年，法院延长的加1至3年",
        en="Judgment defaulters: two years from publication, and one to three more by the court",
        source="法释〔2017〕7号",
        examples=(
            Example(
                zh="2018-03-01发布",
                en="Published on 2018-03-01",
                dataset="judgment_defaulter",
                fields={"published_on": "2018-03-01"},
                last_day=date(2020, 3, 1),
            ),
            Example(
                zh="2025-03-01发布，延长1年",
                en="Published on 2025-03-01, prolonged by one year",
                dataset="judgment_defaulter",
                fields={"published_on": "2025-03-01", "extension_years": 1},
                last_day=date(2028, 3, 1),
            ),
            Example(
                zh="延长年限误报为30年：最多加3年",
                en="A prolongation of 30 years by mistake: three at most",
                dataset="judgment_defaulter",
                fields={"published_on": "2025-03-01", "extension_years": 30},
                last_day=date(2030, 3, 1),
            ),
        ),
    ),
    Rule(
        zh="经营异常名录：移出前一直提供",
        en="List of abnormal operations: until removed",
        source="《企业信息公示暂行条例》",
        examples=(
            Example(
                zh="2019-02-01列入，未移出",
                en="Listed on 2019-02-01 and not removed",
                dataset="abnormal_listing",
                fields={"added_on": "2019-02-01"},
                last_day=None,
            ),
        ),
    ),
    Rule(
        zh="抽查检查的不良结果：自结果之日起12个月†，由此作出的处罚先终止的，同时终止",
        en="Negative results of inspections: 12 months from the result†, or with the penalty that they "
        "led to, if that ends earlier",
        source="市场监管总局信用修复规则，2025-12-25†",
        examples=(
            Example(
                zh="2022-04-01检查，不合格",
                en="Failed on 2022-04-01",
                dataset="inspection",
                fields={"inspected_on": "2022-04-01", "result": "不合格"},
                last_day=date(2023, 4, 1),
            ),
            Example(
                zh="2022-04-01检查，未发现问题：不受此限",
                en="Nothing found on 2022-04-01: not limited",
                dataset="inspection",
                fields={"inspected_on": "2022-04-01", "result": "未发现问题"},
                last_day=None,
            ),
            Example(
                zh="2026-05-01检查不合格，由此作出一般处罚：检查自身的期限较早",
                en="Failed on 2026-05-01, an ordinary penalty: the inspection's own term is earlier",
                dataset="inspection",
                fields=_FAILED,
                penalty={"determined_on": "2026-05-20"},
                last_day=date(2027, 5, 1),
            ),
            Example(
                zh="同上，处罚的公示截止日为2026-12-01：同时终止",
                en="The same, the penalty's publicity ends on 2026-12-01: ends with it",
                dataset="inspection",
                fields=_FAILED,
                penalty={"publicity_ends_on": "2026-12-01"},
                last_day=date(2026, 12, 1),
            ),
            Example(
                zh="同上，处罚于2026-08-10修复：当日起不再提供",
                en="The same, the penalty repaired on 2026-08-10: not told from that day on",
                dataset="inspection",
                fields=_FAILED,
                penalty={"repaired_at": midnight(date(2026, 8, 10))},
                last_day=date(2026, 8, 9),
            ),
            Example(
                zh="同上，处罚轻微、不予公示：检查自身的期限不变",
                en="The same, a minor penalty that is not published: the inspection's own term",
                dataset="inspection",
                fields=_FAILED,
                penalty={"severity": "轻微"},
                last_day=date(2027, 5, 1),
            ),
        ),
    ),
    Rule(
        zh="授权提供的纳税、社保等：所属期届满后36个月†",
        en="Tax, social insurance and the like, under consent: 36 months from the period's end†",
        source="†",
        examples=(
            Example(
                zh="2014年5月逾期",
                en="Late in May 2014",
                dataset="tax_and_social",
                fields={"kind": "tax", "period": "2014-05", "on_time": False},
                last_day=date(2017, 5, 31),
            ),
            Example(
                zh="2024年2月按时",
                en="On time in February 2024",
                dataset="tax_and_social",
                fields={"kind": "social_insurance", "period": "2024-02", "on_time": True},
                last_day=date(2027, 2, 28),
            ),
        ),
    ),
    Rule(
        zh="信用评价：仅最近一次，至有效期满；无有效期的36个月†",
        en="Ratings: the latest only, until its validity ends, or 36 months without one†",
        source="†",
        examples=(
            Example(
                zh="2015-10-01评价，无有效期",
                en="Rated on 2015-10-01, no end of validity",
                dataset="public_rating",
                fields={"date": "2015-10-01"},
                last_day=date(2018, 10, 1),
            ),
            Example(
                zh="2026-10-01评价，有效期至2027-09-30",
                en="Rated on 2026-10-01, valid until 2027-09-30",
                dataset="public_rating",
                fields={"date": "2026-10-01", "valid_to": "2027-09-30"},
                last_day=date(2027, 9, 30),
            ),
        ),
    ),
    Rule(
        zh="社会化评价：评价机构备案有效期内；未备案的不提供",
        en="Third-party ratings: while the evaluator is filed; without a filing never",
        source="浙市监信〔2025〕2号第6、12项†",
        examples=(
            Example(
                zh="2026-03-01评价，备案有效期至2027-12-31",
                en="Rated on 2026-03-01, filed until 2027-12-31",
                dataset="third_party_rating",
                fields={
                    "date": "2026-03-01",
                    "filing_number": "备1",
                    "filing_until": "2027-12-31",
                },
                last_day=date(2027, 12, 31),
            ),
            Example(
                zh="2026-03-01评价，评价机构未备案",
                en="Rated on 2026-03-01, the evaluator not filed",
                dataset="third_party_rating",
                fields={"date": "2026-03-01"},
                last_day=NEVER,
            ),
        ),
    ),
    Rule(
        zh="失信信息保存：自认定之日起5年†，在列期间延长",
        en="Retention of bad information: five years from determination†, longer while listed",
        source="《浙江省公共信用信息管理条例》†",
        examples=(
            Example(
                zh="信用承诺未履行，2026-02-28认定",
                en="A broken commitment, determined on 2026-02-28",
                dataset="commitment",
                fields={"fulfilment": "broken", "determined_on": "2026-02-28"},
                last_day=date(2031, 2, 28),
            ),
        ),
    ),
)

_HEAD: Final = """\
# Disclosure terms, by example 公示与提供期限示例

Catalogue {version}. Made by `make docs` from the cases of the tests: each line is computed by the code
that decides every answer. The last day ends at 24:00 in Shanghai. † marks figures and readings that
the catalogue holds as configuration, to be confirmed by the authority in charge.

目录版本 {version}。本页由测试用例生成：每一行均由决定每次答复的同一代码算出。“最后一日”止于北京时间
24时。†表示目录中可配置、须由主管部门确认的数字或理解。

Unless an example says otherwise, a penalty is a fine of 50,000 yuan for a firm, decided and determined on
2026-05-01 and published on 2026-05-08. 除另有说明外，处罚均为对公司罚款5万元，2026-05-01决定并认定，
2026-05-08公示。

Repair, withdrawal of the decision and removal from a list end every term at once, a suspension until it is
lifted; no term stands still meanwhile. A penalty under the simplified procedure or under a pending appeal is
not told at all. 信用修复、撤销决定、移出名单的，即时终止；中止的，在中止解除前不提供，期限照常计算；
简易程序和正在复议、诉讼的处罚一律不提供。
"""


def markdown() -> str:
    """The page in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.format(version=CATALOGUE.version).rstrip("\n")
    for rule in RULES:
        yield from ("", f"## {rule.zh}", "", f"{rule.en}. {rule.source}", "")
        yield from ("| 示例 | example | 最后一日 last day |", "|---|---|---|")
        for each in rule.examples:
            yield f"| {each.zh} | {each.en} | {_day(each.last_day)} |"


def _day(day: date | None) -> str:
    if day is None:
        return "– 无期限 none"
    return "不提供 never told" if day == NEVER else f"{day}"


if __name__ == "__main__":
    print(markdown(), end="")
