"""Worked examples of repair: cases of the tests, and source of `docs/understand/repair.md`.

`python -m tests.generated.repair_term_examples` prints the page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from gateway.creditfile.catalogue.procedure_rules import RepairRule
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import Record
from gateway.creditfile.repair_terms import NoRepair, RepairTerms, repair_terms
from gateway.portal.repairs.labels import CONDITIONS
from tests.creditfile_builders import CATALOGUE, make_record

DAY: Final = date(2026, 7, 1)
"""Day on which the examples are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A record, and the first day on which its repair can be applied for, or why there is none."""

    zh: str
    en: str
    dataset: str = "penalty"
    fields: Mapping[str, Any] = field(default_factory=dict)
    begins: date | NoRepair

    @property
    def record(self) -> Record:
        """The example's record."""
        fields = (_PENALTY if self.dataset == "penalty" else {}) | dict(self.fields)
        return make_record(self.dataset, **fields)

    @property
    def terms(self) -> RepairTerms | NoRepair:
        """The terms on `DAY`."""
        return repair_terms(self.record, CATALOGUE, midnight(DAY))


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

EXAMPLES: Final = (
    Example(
        zh="罚款5万元，推定为一般：公示满3个月后",
        en="A fine of 50,000 yuan, ordinary: after three months",
        begins=date(2026, 8, 2),
    ),
    Example(
        zh="公示晚于认定三周：仍自认定之日起算",
        en="Published three weeks late: from determination all the same",
        fields={"published_on": "2026-05-22"},
        begins=date(2026, 8, 2),
    ),
    Example(
        zh="11月30日认定：满3个月止于2月28日",
        en="Determined on 30 November: three months end on 28 February",
        fields={"decided_on": "2025-11-30", "determined_on": "2025-11-30"},
        begins=date(2026, 3, 1),
    ),
    Example(
        zh="机关认定为严重：公示满12个月后",
        en="Serious by the authority's word: after twelve months",
        fields={"severity": "严重"},
        begins=date(2027, 5, 2),
    ),
    Example(
        zh="责令停产停业，推定为严重：公示满12个月后",
        en="Suspension of business, serious: after twelve months",
        fields={"kinds": ["停产停业"], "fine": None},
        begins=date(2027, 5, 2),
    ),
    Example(
        zh="轻微，机关决定公示：履行完义务即可申请",
        en="Minor, and published by decision: at once when the duties are fulfilled",
        fields={"kinds": ["警告"], "fine": None, "publish_decided": True},
        begins=date(2026, 5, 1),
    ),
    Example(
        zh="轻微，不公示：无需修复",
        en="Minor, and not published: nothing to repair",
        fields={"kinds": ["警告"], "fine": None},
        begins=NoRepair.NOT_TOLD,
    ),
    Example(
        zh="简易程序：不计为失信信息，无需修复",
        en="The simplified procedure does not count: nothing to repair",
        fields={"procedure": "简易"},
        begins=NoRepair.NOT_TOLD,
    ),
    Example(
        zh="正在复议或诉讼：暂不计为失信信息，无需修复",
        en="Under appeal, and not counted: nothing to repair",
        fields={"appeal_state": "under_appeal"},
        begins=NoRepair.NOT_TOLD,
    ),
    Example(
        zh="公示期已满：已自动停止，无需修复",
        en="Its publicity is over: nothing to repair",
        fields={"decided_on": "2025-05-01", "determined_on": "2025-05-01"},
        begins=NoRepair.NOT_TOLD,
    ),
    Example(
        zh="严重违法失信名单，2026-02-01列入：满1年后",
        en="List of serious violations, listed on 2026-02-01: after one year",
        dataset="serious_violation",
        fields={"added_on": "2026-02-01"},
        begins=date(2027, 2, 2),
    ),
    Example(
        zh="经营异常名录，2025-02-01列入：改正后即可申请移出",
        en="List of abnormal operations, listed on 2025-02-01: at once when put right",
        dataset="abnormal_listing",
        begins=date(2025, 2, 1),
    ),
    Example(
        zh="失信被执行人，2026-03-01发布：履行完毕即可申请",
        en="Judgment defaulter, published on 2026-03-01: at once when performed",
        dataset="judgment_defaulter",
        fields={"published_on": "2026-03-01"},
        begins=date(2026, 3, 1),
    ),
    Example(
        zh="抽查不合格，2026-05-15检查：满3个月后†",
        en="Failed an inspection on 2026-05-15: after three months†",
        dataset="inspection",
        fields={"inspected_on": "2026-05-15", "result": "不合格"},
        begins=date(2026, 8, 16),
    ),
    Example(
        zh="抽查未发现问题：不是失信信息",
        en="Nothing found at an inspection: no bad information",
        dataset="inspection",
        fields={"inspected_on": "2026-05-15"},
        begins=NoRepair.NOT_BAD,
    ),
    Example(
        zh="信用承诺未履行，2026-02-28认定：满3个月后†",
        en="A broken commitment, determined on 2026-02-28: after three months†",
        dataset="commitment",
        fields={
            "fulfilment": "broken",
            "committed_on": "2026-01-05",
            "determined_on": "2026-02-28",
        },
        begins=date(2026, 5, 29),
    ),
)

_HEAD: Final = """\
# Repair, by dataset and by example 信用修复条件、期限与示例

Catalogue {version}. Made by `make docs` from the catalogue and the cases of the tests; the same code makes
the portal's pages. † marks figures and readings that the catalogue holds as configuration, to be confirmed
by the authority in charge. How a repair is applied for and decided:
[repair](../operate/repairs.md).

目录版本 {version}。本页由目录和测试用例生成，与门户页面使用同一代码。†表示目录中可配置、须由主管部门确认
的数字或理解。

A repair ends publicity, sharing and use at once, on every channel; past recipients get a notice. What is
not in this table ends with the decision or list that it follows from. What a law excludes from repair is not
accepted by its source.
修复后即时终止公示、停止共享和使用，并通知此前查到过的机构。不在表内的信息，随其所依据的决定或名单一并结束。
法律法规规定不可修复的，由认定单位不予修复。
"""
_STATES: Final = {
    NoRepair.NOT_TOLD: "无需修复 nothing to repair",
    NoRepair.NOT_BAD: "不适用 does not apply",
}


def markdown() -> str:
    """The page in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    assert CATALOGUE.repair is not None
    yield _HEAD.format(version=CATALOGUE.version).rstrip("\n")
    yield from ("", "## 各类信息 By dataset", "")
    yield "Decisions in working days from receipt, by China's calendar. 决定期限为收到申请后的工作日。"
    yield ""
    heads = ("信息 dataset", "最短公示期（月）months", "条件 conditions", "由谁办理 office")
    yield f"| {' | '.join((*heads, '工作日 days', '依据 source'))} |"
    yield "|---|---|---|---|---|---|"
    yield from (
        f"| {CATALOGUE.dataset(code).zh} {CATALOGUE.dataset(code).en} | {_months(rule)} | "
        f"{_conditions(rule)} | {rule.office.zh} | {rule.decide} | {rule.law} |"
        for code, rule in CATALOGUE.repair.rules.items()
    )
    yield from ("", *(f"- {t.zh}。{t.en}." for t in CONDITIONS.values()))
    again, months = CATALOGUE.repair.again, CATALOGUE.repair.months_after_revocation
    yield ""
    yield f"After a rejection: {again} working days until the next application†. After a repair that was"
    yield f"revoked for false papers: {months} months†. 不予修复的，{again}个工作日后可再次申请†；因弄虚作假"
    yield f"被撤销修复的，{months}个月后可再次申请†。"
    yield from ("", "Platforms whose following is shown 显示同步情况的平台：", "")
    yield from (f"- `{each.code}` {each.zh} {each.en}" for each in CATALOGUE.repair.platforms)
    yield from ("", "## 示例 Examples", "")
    yield "Unless it says otherwise, a penalty is a fine of 50,000 yuan for a firm, determined on 2026-05-01."
    yield f"Looked at on {DAY}. 除另有说明外，处罚均为2026-05-01认定、对公司罚款5万元；以{DAY}为准。"
    yield from ("", "| 示例 | example | 可申请日期 from |", "|---|---|---|")
    yield from (f"| {each.zh} | {each.en} | {_begin(each.begins)} |" for each in EXAMPLES)


def _months(rule: RepairRule) -> str:
    if not rule.months_by_severity:
        return str(rule.months)
    return "，".join(f"{name} {months}" for name, months in rule.months_by_severity.items())


def _conditions(rule: RepairRule) -> str:
    return "、".join(_SHORT[each] for each in rule.conditions)


_SHORT: Final = {
    "period": "期满",
    "corrected": "改正",
    "fulfilled": "履行",
    "commitment": "承诺",
}


def _begin(begins: date | NoRepair) -> str:
    return _STATES[begins] if isinstance(begins, NoRepair) else f"{begins}"


if __name__ == "__main__":
    print(markdown(), end="")
