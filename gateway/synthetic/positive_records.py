"""What speaks for an enterprise, or neither for nor against it. Open terms end on 2099-12-31."""

# ruff: noqa: PLR2004  # the shares are data

from datetime import date, timedelta
from typing import Final

from gateway.creditfile.local_dates import months_after
from gateway.synthetic.enterprise_builder import EnterpriseBuilder

OPEN: Final = "2099-12-31"
_CATEGORIES: Final = ("普通", "普通", "普通", "核准", "登记", "认可", "特许", "其他")
_LICENCES: Final = ("食品经营许可", "公共场所卫生许可", "道路货物运输许可", "排污许可")
_COMMITMENTS: Final = ("审批替代型", "主动型", "行业自律型")
_LEVELS: Final = ((850, "优秀"), (750, "良好"), (650, "中等"), (550, "较差"), (0, "差"))
_PAID: Final = {
    "tax": "税费缴纳",
    "social_insurance": "社会保险",
    "housing_fund": "住房公积金",
    "utilities": "水电气",
}


def add_licence(
    draft: EnterpriseBuilder, *, category: str | None = None, valid: bool = True
) -> None:
    """A licence; `valid` says whether it is so today."""
    decided_on = draft.before(900, 30) if valid else draft.before(3000, 1900)
    until = OPEN if valid and draft.rng.random() < 0.3 else f"{months_after(decided_on, 60)}"
    name = draft.rng.choice(_LICENCES)
    number = draft.number("浙许", decided_on)
    draft.add(
        "licence",
        {
            "number": number,
            "name": f"{name}决定书",
            "category": category or draft.rng.choice(_CATEGORIES),
            "certificate": f"{name}证",
            "content": f"准予{name}。",
            "decided_on": f"{decided_on}",
            "valid_from": f"{decided_on}",
            "valid_to": until,
            "authority": draft.authority("行政审批"),
            "data_source": draft.authority("行政审批"),
        },
    )


def add_rating(draft: EnterpriseBuilder, score: int) -> None:
    """The public rating of the last quarter."""
    rated_on = draft.before(80)
    level = next(level for least, level in _LEVELS if score >= least)
    draft.add(
        "public_rating",
        {
            "score": score,
            "level": level,
            "model_version": "2026",
            "date": f"{rated_on}",
        },
    )


def add_payments(
    draft: EnterpriseBuilder, kind: str, *, months: int = 12, late: int | None = None
) -> None:
    """So many complete months of payments; the `late`-th month ago was late."""
    band = draft.rng.choice(("低", "中", "高"))
    for back in range(1, months + 1):
        month = months_after(draft.today.replace(day=1), -back)
        if month < draft.established_on:
            return
        draft.add(
            "tax_and_social",
            {
                "kind": kind,
                "period": f"{month:%Y-%m}",
                "on_time": back != late,
                "band": band,
            },
        )


def add_all_payments(draft: EnterpriseBuilder) -> None:
    """Twelve months of each kind, on time."""
    for kind in _PAID:
        add_payments(draft, kind)


def add_commitment(draft: EnterpriseBuilder, fulfilment: str = "fulfilled") -> None:
    """A commitment, kept unless said otherwise."""
    committed_on = draft.before(700, 30)
    fields = {
        "number": draft.number("浙信诺", committed_on),
        "type": draft.rng.choice(_COMMITMENTS),
        "content": "承诺所提交材料真实、合法、有效，依法诚信经营。",
        "accepted_by": draft.authority("行政审批"),
        "committed_on": f"{committed_on}",
        "fulfilment": fulfilment,
    }
    if fulfilment == "broken":
        fields["determined_on"] = f"{draft.before(29)}"
    draft.add("commitment", fields)


def add_inspection(draft: EnterpriseBuilder, result: str = "未发现问题") -> None:
    """One visit."""
    inspected_on = draft.before(700)
    draft.add(
        "inspection",
        {
            "task": draft.number("浙抽查", inspected_on),
            "type": "双随机抽查",
            "authority": draft.authority("市场监督管理"),
            "inspected_on": f"{inspected_on}",
            "result": result,
        },
    )


def add_honour(draft: EnterpriseBuilder) -> None:
    """A title that is still valid."""
    granted_on = draft.before(700)
    draft.add(
        "honour",
        {
            "number": draft.number("浙表彰", granted_on),
            "title": draft.rng.choice(("守合同重信用企业", "诚信示范单位", "放心消费单位")),
            "granted_by": f"{draft.division.city}市人民政府",
            "granted_on": f"{granted_on}",
            "valid_to": f"{months_after(granted_on, 36)}",
        },
    )


def add_industry_rating(draft: EnterpriseBuilder, *, published: bool) -> None:
    """Last year's rating in one line of business."""
    rated_on = draft.before(300)
    draft.add(
        "industry_rating",
        {
            "number": draft.number("浙行评", rated_on),
            "domain": draft.rng.choice(("食品药品", "安全生产", "生态环境", "检验检测")),
            "level": draft.rng.choice(("A", "A", "B", "C")),
            "period": f"{rated_on.year - 1}",
            "authority": draft.authority("应急管理"),
            "date": f"{rated_on}",
            "published": published,
        },
    )


def add_third_party_rating(draft: EnterpriseBuilder) -> None:
    """A rating by an agency that does not exist."""
    rated_on = draft.before(300)
    draft.add(
        "third_party_rating",
        {
            "number": draft.number("合成评", rated_on),
            "evaluator": "合成信用评价有限公司",
            "standard": "企业信用等级划分通则",
            "level": draft.rng.choice(("AAA", "AA", "A", "BBB")),
            "date": f"{rated_on}",
        },
    )


def add_annual_report(
    draft: EnterpriseBuilder, *, years_ago: int = 1, published: bool = False
) -> None:
    """The report on one year, where it was there by then."""
    year = draft.today.year - years_ago
    if year < draft.established_on.year:
        return
    revenue = round(draft.rng.lognormvariate(5.5, 1.6), 2)
    reported_on = min(date(year + 1, 5, 20), draft.today - timedelta(days=1))
    draft.add(
        "annual_report",
        {
            "year": f"{year}",
            "reported_on": f"{reported_on}",
            "contact_address": draft.address,
            "web_shops": [],
            "employees": int(draft.rng.lognormvariate(2, 1)) + 1,
            "assets": f"{revenue * 0.8:.6f}",
            "debts": f"{revenue * 0.4:.6f}",
            "revenue": f"{revenue:.6f}",
            "profit": f"{revenue * 0.06:.6f}",
            "tax": f"{revenue * 0.03:.6f}",
            "published": published,
        },
    )


def add_pledge(draft: EnterpriseBuilder) -> None:
    """A mortgage of goods that stands."""
    registered_on = draft.before(700)
    draft.add(
        "pledge",
        {
            "number": draft.number("浙抵", registered_on),
            "type": "动产抵押",
            "pledgor": draft.name,
            "pledgee": "合成银行股份有限公司",
            "amount": f"{draft.rng.randint(10, 900)}.000000",
            "registered_on": f"{registered_on}",
            "authority": draft.authority("市场监督管理"),
            "state": "有效",
        },
    )
