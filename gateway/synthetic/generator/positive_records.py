"""Synthetic positive and neutral records: licences, ratings, payments, reports and inspections."""

from datetime import date, timedelta
from typing import Final

from gateway.creditfile.local_dates import months_after
from gateway.synthetic.generator.enterprise_builder import EnterpriseBuilder
from gateway.synthetic.generator.licence_kinds import (
    CATERING,
    CONSTRUCTION,
    MANUFACTURING,
    LicenceKind,
    further_kinds,
    required_kind,
)

OPEN_END: Final = "2099-12-31"
_COMMITMENTS: Final = ("审批替代型", "主动型", "行业自律型")
_LEVELS: Final = ((850, "优秀"), (750, "良好"), (650, "中等"), (550, "较差"), (0, "差"))
_PAID: Final = {
    "tax": "税费缴纳",
    "social_insurance": "社会保险",
    "housing_fund": "住房公积金",
    "utilities": "水电气",
}

TWO_YEARS: Final = 24
_INSURED: Final = {"低": 3, "中": 25, "高": 150}
"""Employees insured, by the band of the amount."""


def add_licence(
    builder: EnterpriseBuilder, *, category: str | None = None, valid: bool = True
) -> None:
    """Add a licence that fits the trade, valid or expired."""
    industry, is_firm = builder.company_name.industry.code, builder.kind == "firm"
    kinds = further_kinds(industry, category, firm=is_firm)
    _add_licence(builder, builder.rng.choice(kinds), valid=valid)


def add_required_licence(builder: EnterpriseBuilder) -> bool:
    """Add the licence that the trade may not be carried on without; false if it needs none."""
    kind = required_kind(builder.company_name.industry.code)
    if kind is not None:
        _add_licence(builder, kind, valid=True)
    return kind is not None


def _add_licence(builder: EnterpriseBuilder, kind: LicenceKind, *, valid: bool) -> None:
    term = 12 * (kind.years or 5)
    last = min(900, 30 * term - 60)
    decided_on = builder.past_day(last, 30) if valid else builder.past_day(3000, 30 * term + 90)
    is_open = kind.years is None and valid
    until = OPEN_END if is_open else f"{months_after(decided_on, term) - timedelta(days=1)}"
    number = kind.numbering(builder, decided_on)
    fields = {
        "number": number,
        "name": f"{kind.name}决定书",
        "category": kind.category,
        "content": f"准予{kind.name}。",
        "decided_on": f"{decided_on}",
        "valid_from": f"{decided_on}",
        "valid_to": until,
        "authority": builder.authority(kind.authority),
        "data_source": builder.authority(kind.authority),
    }
    if kind.certificate is not None:
        fields["certificate"] = f"{kind.certificate}（{number}）"
    if kind.item_code is not None:
        fields["item_code"] = kind.item_code
    builder.add("licence", **fields)


def add_rating(builder: EnterpriseBuilder, score: int) -> None:
    """Add a public rating of the last quarter."""
    rated_on = builder.past_day(80)
    level = next(level for least, level in _LEVELS if score >= least)
    builder.add(
        "public_rating",
        score=score,
        level=level,
        model_version="2026",
        date=f"{rated_on}",
    )


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
    """Add punctual payments of each kind: two years, of utilities a quarter."""
    for kind in _PAID:
        add_payments(builder, kind, months=3 if kind == "utilities" else TWO_YEARS)


def add_commitment(builder: EnterpriseBuilder, fulfilment: str = "fulfilled") -> None:
    """Add a commitment."""
    committed_on = builder.past_day(700, 30)
    fields = {
        "number": builder.document_number("信诺", committed_on),
        "type": builder.rng.choice(_COMMITMENTS),
        "content": "承诺所提交材料真实、合法、有效，依法诚信经营。",
        "accepted_by": builder.authority("市场监督管理"),
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
        task=builder.document_number("双随机", inspected_on),
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
        number=builder.document_number("政发", granted_on),
        title=builder.rng.choice(("守合同重信用企业", "诚信示范单位", "放心消费单位")),
        granted_by=f"{builder.division.office}人民政府",
        granted_on=f"{granted_on}",
        valid_to=f"{months_after(granted_on, 36)}",
    )


def add_industry_rating(builder: EnterpriseBuilder, *, published: bool) -> None:
    """Add last year's rating of its line of business, by the authority that gives it."""
    domain, scheme, field, levels = _scheme_of(builder.company_name.industry.code)
    rated_on = builder.past_day(300)
    builder.add(
        "industry_rating",
        number=builder.document_number("评", rated_on),
        domain=domain,
        scheme=scheme,
        level=builder.rng.choice(levels),
        period=f"{rated_on.year - 1}",
        authority=builder.authority(field),
        date=f"{rated_on}",
        published=published,
        valid_to=f"{months_after(rated_on, 24)}",
    )


def _scheme_of(industry: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Domain, scheme, authority's field and levels of the rating of an industry."""
    if industry in CATERING:
        levels = ("A（优秀）", "B（良好）", "B（良好）", "C（一般）")
        return "食品药品", "餐饮服务食品安全等级", "市场监督管理", levels
    if industry in MANUFACTURING:
        return "生态环境", "企业环境信用评价", "生态环境", ("A", "B", "B", "C", "D")
    if industry in CONSTRUCTION:
        return "工程建设", "建筑市场信用评价", "住房和城乡建设", ("A", "B", "B", "C")
    return "安全生产", "安全生产标准化", "应急管理", ("二级", "三级", "三级")


def add_third_party_rating(builder: EnterpriseBuilder) -> None:
    """Add a rating by a made-up agency."""
    rated_on = builder.past_day(300)
    builder.add(
        "third_party_rating",
        number=builder.numbered("合成评", rated_on),
        evaluator="合成信用评价有限公司",
        standard="企业信用等级划分通则",
        level=builder.rng.choice(("AAA", "AA", "A", "BBB")),
        date=f"{rated_on}",
        method="综合评分",
        voluntary=True,
        filing_kind="信用服务机构备案",
        filing_number="合成信服备〔2026〕7号",
        filing_until=f"{months_after(builder.today.replace(month=12, day=31), 12)}",
        valid_to=f"{months_after(rated_on, 12)}",
    )


def add_annual_report(
    builder: EnterpriseBuilder, *, years_ago: int = 1, published: bool = False
) -> None:
    """Add an annual report, unless the enterprise is younger."""
    year = builder.today.year - years_ago
    if year < builder.established_on.year:
        return
    revenue = round(builder.rng.lognormvariate(5.5, 1.6), 2)
    reported_on = date(year + 1, builder.rng.randint(1, 6), builder.rng.randint(1, 28))
    reported_on = min(reported_on, builder.today - timedelta(days=1))
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
        number=builder.document_number("抵登", registered_on),
        type="动产抵押",
        pledgor_type="个体工商户" if builder.kind == "individual_business" else "企业法人",
        pledgor=builder.name,
        pledgee_type="企业法人",
        pledgee="合成银行股份有限公司",
        amount=f"{builder.rng.randint(10, 900)}.000000",
        registered_on=f"{registered_on}",
        authority=builder.authority("市场监督管理"),
        state="有效",
    )
