"""Synthetic positive and neutral records: licences, ratings, payments, reports and others."""

# ruff: noqa: PLR2004  # the shares are data

from datetime import date, timedelta
from typing import Final

from gateway.creditfile.local_dates import months_after
from gateway.synthetic.enterprise_builder import EnterpriseBuilder

OPEN_END: Final = "2099-12-31"
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

_INSURED: Final = {"低": 3, "中": 25, "高": 150}
"""Employees insured, by the band of the amount."""


def add_licence(
    builder: EnterpriseBuilder, *, category: str | None = None, valid: bool = True
) -> None:
    """Add a licence, valid or expired."""
    decided_on = builder.past_day(900, 30) if valid else builder.past_day(3000, 1900)
    until = OPEN_END if valid and builder.rng.random() < 0.3 else f"{months_after(decided_on, 60)}"
    name = builder.rng.choice(_LICENCES)
    number = builder.document_number("浙许", decided_on)
    builder.add(
        "licence",
        number=number,
        name=f"{name}决定书",
        category=category or builder.rng.choice(_CATEGORIES),
        certificate=f"{name}证",
        content=f"准予{name}。",
        decided_on=f"{decided_on}",
        valid_from=f"{decided_on}",
        valid_to=until,
        authority=builder.authority("行政审批"),
        data_source=builder.authority("行政审批"),
    )


def add_rating(builder: EnterpriseBuilder, score: int) -> None:
    """Add a public rating of the last quarter."""
    rated_on = builder.past_day(80)
    level = next(level for least, level in _LEVELS if score >= least)
    builder.add("public_rating", score=score, level=level, model_version="2026", date=f"{rated_on}")


def add_payments(
    builder: EnterpriseBuilder, kind: str, *, months: int = 12, late: int | None = None
) -> None:
    """Add full months of payments; `late` is the month, counted back, paid late."""
    band = builder.rng.choice(tuple(_INSURED))
    for back in range(1, months + 1):
        month = months_after(builder.today.replace(day=1), -back)
        if month < builder.established_on:
            return
        builder.add(
            "tax_and_social",
            kind=kind,
            period=f"{month:%Y-%m}",
            on_time=back != late,
            band=band,
            **({"insured": _INSURED[band]} if kind == "social_insurance" else {}),
        )


def add_all_payments(builder: EnterpriseBuilder) -> None:
    """Add twelve months of punctual payments of each kind."""
    for kind in _PAID:
        add_payments(builder, kind)


def add_commitment(builder: EnterpriseBuilder, fulfilment: str = "fulfilled") -> None:
    """Add a commitment."""
    committed_on = builder.past_day(700, 30)
    fields = {
        "number": builder.document_number("浙信诺", committed_on),
        "type": builder.rng.choice(_COMMITMENTS),
        "content": "承诺所提交材料真实、合法、有效，依法诚信经营。",
        "accepted_by": builder.authority("行政审批"),
        "committed_on": f"{committed_on}",
        "fulfilment": fulfilment,
    }
    if fulfilment == "broken":
        fields["determined_on"] = f"{builder.past_day(29)}"
    builder.add("commitment", **fields)


def add_inspection(builder: EnterpriseBuilder, result: str = "未发现问题") -> None:
    """Add an inspection."""
    inspected_on = builder.past_day(700)
    builder.add(
        "inspection",
        task=builder.document_number("浙抽查", inspected_on),
        type="双随机抽查",
        authority=builder.authority("市场监督管理"),
        inspected_on=f"{inspected_on}",
        result=result,
    )


def add_honour(builder: EnterpriseBuilder) -> None:
    """Add a valid honour."""
    granted_on = builder.past_day(700)
    builder.add(
        "honour",
        number=builder.document_number("浙表彰", granted_on),
        title=builder.rng.choice(("守合同重信用企业", "诚信示范单位", "放心消费单位")),
        granted_by=f"{builder.division.city}市人民政府",
        granted_on=f"{granted_on}",
        valid_to=f"{months_after(granted_on, 36)}",
    )


def add_industry_rating(builder: EnterpriseBuilder, *, published: bool) -> None:
    """Add last year's industry rating."""
    rated_on = builder.past_day(300)
    builder.add(
        "industry_rating",
        number=builder.document_number("浙行评", rated_on),
        domain=builder.rng.choice(("食品药品", "安全生产", "生态环境", "检验检测")),
        level=builder.rng.choice(("A", "A", "B", "C")),
        period=f"{rated_on.year - 1}",
        authority=builder.authority("应急管理"),
        date=f"{rated_on}",
        published=published,
    )


def add_third_party_rating(builder: EnterpriseBuilder) -> None:
    """Add a rating by a made-up agency."""
    rated_on = builder.past_day(300)
    builder.add(
        "third_party_rating",
        number=builder.document_number("合成评", rated_on),
        evaluator="合成信用评价有限公司",
        standard="企业信用等级划分通则",
        level=builder.rng.choice(("AAA", "AA", "A", "BBB")),
        date=f"{rated_on}",
    )


def add_annual_report(
    builder: EnterpriseBuilder, *, years_ago: int = 1, published: bool = False
) -> None:
    """Add an annual report, unless the enterprise is younger."""
    year = builder.today.year - years_ago
    if year < builder.established_on.year:
        return
    revenue = round(builder.rng.lognormvariate(5.5, 1.6), 2)
    reported_on = min(date(year + 1, 5, 20), builder.today - timedelta(days=1))
    builder.add(
        "annual_report",
        year=f"{year}",
        reported_on=f"{reported_on}",
        contact_address=builder.address,
        web_shops=[],
        employees=int(builder.rng.lognormvariate(2, 1)) + 1,
        assets=f"{revenue * 0.8:.6f}",
        debts=f"{revenue * 0.4:.6f}",
        revenue=f"{revenue:.6f}",
        profit=f"{revenue * 0.06:.6f}",
        tax=f"{revenue * 0.03:.6f}",
        published=published,
    )


def add_pledge(builder: EnterpriseBuilder) -> None:
    """Add a chattel mortgage in force."""
    registered_on = builder.past_day(700)
    builder.add(
        "pledge",
        number=builder.document_number("浙抵", registered_on),
        type="动产抵押",
        pledgor=builder.name,
        pledgee="合成银行股份有限公司",
        amount=f"{builder.rng.randint(10, 900)}.000000",
        registered_on=f"{registered_on}",
        authority=builder.authority("市场监督管理"),
        state="有效",
    )
