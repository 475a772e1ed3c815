"""Synthetic records of an enterprise's structure and standing: owners, persons, branches, levels."""

# ruff: noqa: PLR2004  # the shares are data

from datetime import date, timedelta
from typing import Final

from gateway.creditfile.local_dates import months_after
from gateway.synthetic.generator.enterprise_builder import EnterpriseBuilder
from gateway.synthetic.generator.licence_kinds import FOOD_TRADES
from gateway.synthetic.generator.people import make_name
from gateway.synthetic.generator.uscc_generator import random_uscc

_TAX_LEVELS: Final = ("A", "B", "B", "B", "M", "M", "C", "D")
_SAMPLED: Final = {
    "F5229": ("食品安全监督抽检", ("香蕉", "小青菜", "鲫鱼"), "销售", ("吡虫啉", "恩诺沙星")),
    "H6210": ("食品安全监督抽检", ("复用餐饮具", "油条", "凉拌黄瓜"), "餐饮", ("大肠菌群",)),
    "C1819": ("产品质量监督抽查", ("女式衬衫", "儿童T恤"), "生产", ("纤维含量", "pH值")),
    "C3311": ("产品质量监督抽查", ("电源插座", "家用梯"), "生产", ("标志", "结构")),
}


def add_shareholders(builder: EnterpriseBuilder) -> None:
    """Add one to three shareholders: the legal representative, others, a firm."""
    names = [(builder.legal_representative, "自然人")]
    if builder.rng.random() < 0.4:
        names.append((make_name(builder.rng), "自然人"))
    if builder.rng.random() < 0.2:
        names.append((f"{builder.division.city}合成投资有限公司", "企业法人"))
    share = 100 // len(names)
    for number, (name, kind) in enumerate(names, start=1):
        builder.add(
            "shareholder",
            number=f"{number}",
            type=kind,
            name=name,
            subscribed=f"{share}.000000",
            paid=f"{share // 2}.000000",
            share=f"{100 - share * (len(names) - 1) if number == 1 else share}.000000",
            since=f"{builder.established_on}",
        )


def add_key_persons(builder: EnterpriseBuilder) -> None:
    """Add a director and a supervisor."""
    for number, (position, name) in enumerate(
        (("执行董事", builder.legal_representative), ("监事", make_name(builder.rng))), start=1
    ):
        builder.add(
            "key_person",
            number=f"{number}",
            name=name,
            position=position,
            since=f"{builder.established_on}",
        )


def add_change(builder: EnterpriseBuilder) -> None:
    """Add a change of address, or of the legal representative."""
    changed_on = builder.past_day(1500, 20)
    if builder.kind == "firm" and builder.rng.random() < 0.3:
        item, before = "法定代表人变更", make_name(builder.rng)
        after = builder.legal_representative
    else:
        item, before, after = "住所变更", f"{builder.division.full_name}旧址路1号", builder.address
    builder.add("change", item=item, before=before, after=after, changed_on=f"{changed_on}")


def add_branch(builder: EnterpriseBuilder) -> None:
    """Add a branch in its own division."""
    founded = builder.past_day(1000, 60)
    place = builder.division.name.rstrip("区县市")
    builder.add(
        "branch",
        branch_uscc=random_uscc(builder.rng, "firm", builder.division.code),
        name=f"{builder.name}{place}分公司",
        authority=builder.authority("市场监督管理"),
        established_on=f"{founded}",
    )


def add_tax_level(builder: EnterpriseBuilder, level: str | None = None) -> None:
    """Add the tax credit level of the last year that was rated, unless it is younger."""
    today = builder.today
    year = today.year - (1 if today > date(today.year, 5, 10) else 2)
    if builder.established_on.year > year:
        return
    rated_on = date(year + 1, 4, builder.rng.randint(20, 30))
    builder.add(
        "tax_credit_level",
        year=f"{year}",
        level=level or builder.rng.choice(_TAX_LEVELS),
        rated_on=f"{rated_on}",
        authority=builder.tax_office,
    )


def add_customs_level(builder: EnterpriseBuilder) -> None:
    """Add a customs registration with its level."""
    decided_on = builder.past_day(1200, 30)
    is_certified = builder.rng.random() < 0.1
    builder.add(
        "customs_level",
        customs_code=f"{builder.division.code[:4]}96{builder.rng.randrange(36**4):04X}"[:10],
        level="高级认证企业" if is_certified else "常规企业",
        decided_on=f"{decided_on}",
        authority="宁波海关" if builder.division.city == "宁波" else "杭州海关",
    )


def add_comprehensive_rating(builder: EnterpriseBuilder) -> None:
    """Add the nation's comprehensive rating beside the province's."""
    rated_on = builder.past_day(300, 20)
    for scheme, levels in (
        ("浙江省公共信用综合评价", ("优秀", "良好", "良好", "中等")),
        ("全国公共信用综合评价", ("A", "B", "B", "C")),
    ):
        builder.add(
            "comprehensive_rating",
            scheme=scheme,
            level=builder.rng.choice(levels),
            date=f"{rated_on}",
            valid_to=f"{months_after(rated_on, 12)}",
        )


def add_contract(builder: EnterpriseBuilder, performance: str = "已履约") -> None:
    """Add a public contract and how it was performed."""
    determined_on = builder.past_day(700, 10)
    builder.add(
        "contract_performance",
        number=builder.document_number("采合", determined_on),
        type=builder.rng.choice(("政府采购", "工程建设")),
        performance=performance,
        determined_on=f"{determined_on}",
        authority=builder.authority("财政"),
    )


def add_incentive(builder: EnterpriseBuilder) -> None:
    """Add an incentive in force."""
    decided_on = builder.past_day(300, 10)
    builder.add(
        "measure",
        number=builder.document_number("激励", decided_on),
        type="守信激励",
        list_item="行政审批绿色通道",
        basis="国发〔2016〕33号",
        valid_from=f"{decided_on}",
        valid_to=f"{months_after(decided_on, 24)}",
        authority=builder.authority("发展和改革"),
        published=True,
    )


def add_sampling(builder: EnterpriseBuilder, result: str = "合格") -> None:
    """Add a sampling of what the trade makes, sells or serves; of other trades none."""
    found = _SAMPLED.get(builder.company_name.industry.code)
    if found is None:
        return
    kind, products, role, items = found
    announced_on = builder.past_day(330, 10)
    fields: dict[str, object] = {
        "number": f"SC{announced_on:%y}{builder.division.code}{builder.rng.randrange(10**7):07}",
        "kind": kind,
        "product": builder.rng.choice(products),
        "role": role,
        "result": result,
        "sampled_on": f"{announced_on - timedelta(days=30)}",
        "announced_on": f"{announced_on}",
        "authority": builder.authority("市场监督管理"),
    }
    if result == "不合格":
        fields["failed_items"] = [builder.rng.choice(items)]
    builder.add("sampling_result", **fields)


def add_complaints(builder: EnterpriseBuilder) -> None:
    """Add the complaints of a month by number; half of the authorities publish them."""
    month = months_after(builder.today.replace(day=1), -builder.rng.randint(1, 6))
    received = builder.rng.randint(1, 12)
    builder.add(
        "complaint",
        period=f"{month:%Y-%m}",
        received=received,
        settled=builder.rng.randint(0, received),
        authority=builder.authority("市场监督管理"),
        published=builder.rng.random() < 0.5,
    )


def is_sampled(builder: EnterpriseBuilder) -> bool:
    """True if products of its trade are sampled; of food trades often."""
    industry = builder.company_name.industry.code
    return builder.rng.random() < (0.3 if industry in FOOD_TRADES else 0.05)
