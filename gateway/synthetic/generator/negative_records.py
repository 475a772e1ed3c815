"""Synthetic negative records: penalties within their statutes, listings, court cases, alerts."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.creditfile.local_dates import months_after
from gateway.creditfile.penalty_publicity import NEVER, Penalty, last_day_of_publicity
from gateway.creditfile.records import INDIVIDUAL_BUSINESS
from gateway.synthetic.generator.enterprise_builder import EnterpriseBuilder
from gateway.synthetic.generator.people import make_name
from gateway.synthetic.generator.violations import Violation, violations_of

_YEAR: Final = 12
_NOT_LOW: Final = Decimal("1.05")
_LATE_REPORTS: Final = 0.7
_REPORTS_END: Final = (6, 30)
"""Last day of the annual reports of the year before."""


def add_penalty(
    builder: EnterpriseBuilder,
    *,
    decided_on: date,
    violation: Violation | None = None,
    fine_from: Decimal = Decimal(0),
    events: Mapping[str, datetime] | None = None,
    **changed: Any,  # a field's JSON
) -> None:
    """Add a fine of ordinary severity, of at least `fine_from`; `changed` overrides fields."""
    broken = violation or builder.rng.choice(
        violations_of(builder.company_name.industry.code, fine_from)
    )
    fine = _fine(builder, broken, fine_from)
    fields: dict[str, Any] = {
        "document_number": builder.document_number(broken.word, decided_on),
        "violation_type": broken.type,
        "facts": broken.facts,
        "legal_basis": broken.basis,
        "kinds": ["罚款"],
        "content": f"罚款{fine.normalize():f}万元。",
        "fine": f"{fine:.6f}",
        "confiscated": "0.000000",
        "decided_on": f"{decided_on}",
        "authority": builder.authority(broken.authority),
        "data_source": builder.authority(broken.authority),
        "severity": "一般",
        "procedure": "普通",
        "determined_on": f"{decided_on}",
        "published_on": f"{decided_on + timedelta(days=5)}",
        "conduct_ended_on": f"{decided_on - timedelta(days=40)}",
        "appeal_state": "none",
        **changed,
    }
    last_day = _last_day(builder, fields)
    if last_day is not None and "publicity_ends_on" not in fields:
        fields["publicity_ends_on"] = f"{last_day}"
    builder.add("penalty", events, **fields)


def _fine(builder: EnterpriseBuilder, violation: Violation, fine_from: Decimal) -> Decimal:
    """A fine within the statute, near its lower end, in steps of 500 yuan."""
    step, least = Decimal("0.05"), max(violation.least, fine_from)
    steps = int((violation.most - least) / step)
    return least + step * int(steps * builder.rng.random() ** 3)


def add_live_penalty(
    builder: EnterpriseBuilder,
    violation: Violation | None = None,
    **changed: Any,  # penalty fields
) -> None:
    """Add a penalty within its publicity term for months."""
    add_penalty(builder, decided_on=builder.past_day(155, 35), violation=violation, **changed)


def add_penalty_ending(builder: EnterpriseBuilder, last_day: date) -> None:
    """Add a penalty whose publicity term ends on `last_day`.

    Its fine is not a low one, whose publicity ended sooner by the rule before April 2026.
    """
    decided_on = months_after(last_day, -_YEAR)
    while months_after(decided_on, _YEAR) < last_day:
        decided_on += timedelta(days=1)
    add_penalty(
        builder,
        decided_on=decided_on,
        fine_from=_NOT_LOW,
        publicity_ends_on=f"{last_day}",
    )


def add_abnormal_listing(builder: EnterpriseBuilder) -> None:
    """Add a listing (of an individual business a mark) for abnormal operations.

    For a late annual report it is of July, and the report of that year is not there.
    """
    added_on, reason = builder.past_day(300, 10), "无法联系"
    late = _july_listing(builder)
    if late is not None and builder.rng.random() < _LATE_REPORTS:
        added_on, reason = late, "未按期年报"
        year = f"{late.year - 1}"
        builder.deliveries[:] = [
            each
            for each in builder.deliveries
            if (each.dataset, each.fields.get("year")) != ("annual_report", year)
        ]
    word = "市监标异" if builder.kind == INDIVIDUAL_BUSINESS else "市监列异"
    builder.add(
        "abnormal_listing",
        decision_number=builder.document_number(word, added_on),
        reason=reason,
        authority=builder.authority("市场监督管理"),
        added_on=f"{added_on}",
    )


def _july_listing(builder: EnterpriseBuilder) -> date | None:
    """A day of the last July in which late annual reports were listed; none for the youngest."""
    year = builder.today.year
    if builder.today <= date(year, *_REPORTS_END) + timedelta(days=10):
        year -= 1
    if builder.established_on.year >= year:
        return None
    return date(year, *_REPORTS_END) + timedelta(days=builder.rng.randint(1, 10))


def add_serious_violation(builder: EnterpriseBuilder) -> None:
    """Add a listing for serious violations."""
    added_on = builder.past_day(300, 10)
    builder.add(
        "serious_violation",
        decision_number=builder.document_number("市监严违列", added_on),
        category="产品质量",
        reason="生产销售不符合保障人身健康标准的产品，情节严重。",
        authority=builder.authority("市场监督管理"),
        added_on=f"{added_on}",
    )


def add_untrustworthy_listing(builder: EnterpriseBuilder) -> None:
    """Add a listing in another field, with a measure that follows from it."""
    added_on = builder.past_day(300, 10)
    authority = builder.authority("人力资源和社会保障")
    builder.add(
        "untrustworthy_list",
        list_code="拖欠农民工工资",
        decision_number=builder.document_number("人社失信", added_on),
        reason="拖欠农民工工资达到认定拒不支付劳动报酬罪数额标准，经责令限期支付逾期未支付。",
        basis="《拖欠农民工工资失信联合惩戒对象名单管理暂行办法》",
        valid_to=f"{months_after(added_on, 36)}",
        authority=authority,
        added_on=f"{added_on}",
    )
    builder.add(
        "measure",
        number=builder.document_number("惩戒", added_on),
        type="失信惩戒",
        list_item="限制申请财政性资金项目",
        basis="《保障农民工工资支付条例》第四十八条",
        valid_from=f"{added_on}",
        valid_to=f"{months_after(added_on, 36)}",
        authority=authority,
        published=True,
    )


def add_judgment_default(builder: EnterpriseBuilder) -> None:
    """Add an open enforcement case, its consumption limit, and the listing as judgment defaulter."""
    published_on = builder.past_day(600, 10)
    number, amount = builder.case_number("执", published_on), builder.rng.randint(5, 300)
    builder.add(
        "judgment_defaulter",
        case_number=number,
        court=builder.court,
        basis=builder.case_number("民初", published_on - timedelta(days=365)),
        obligation=f"支付货款人民币{amount}万元及利息。",
        performance="全部未履行",
        published_on=f"{published_on}",
    )
    filed_on = max(published_on - timedelta(days=60), builder.established_on)
    add_enforcement_case(builder, number, filed_on, amount)
    builder.add(
        "consumption_limit",
        case_number=number,
        court=builder.court,
        limited_person=builder.legal_representative,
        ordered_on=f"{published_on}",
    )


def add_enforcement_case(
    builder: EnterpriseBuilder, number: str, filed_on: date, amount: int
) -> None:
    """Add an enforcement case that is open."""
    builder.add(
        "enforcement_case",
        case_number=number,
        court=builder.court,
        amount=f"{amount}.000000",
        filed_on=f"{filed_on}",
    )


def add_equity_freeze(builder: EnterpriseBuilder) -> None:
    """Add a freeze of its legal representative's share."""
    frozen_on = builder.past_day(600, 10)
    builder.add(
        "equity_freeze",
        document_number=builder.case_number("执", frozen_on) + "之一",
        court=builder.court,
        holder_type="自然人",
        holder=builder.legal_representative,
        holder_id_number=builder.person.id_number,
        amount=f"{builder.rng.randint(10, 500)}.000000",
        frozen_on=f"{frozen_on}",
        valid_to=f"{months_after(frozen_on, 36) - timedelta(days=1)}",
    )


def add_judgment_case(builder: EnterpriseBuilder) -> None:
    """Add a judgment in a case of contract."""
    decided_on = builder.past_day(900, 30)
    amount = builder.rng.randint(3, 200)
    builder.add(
        "judgment_case",
        case_number=builder.case_number("民初", decided_on),
        court=builder.court,
        cause=builder.rng.choice(("买卖合同纠纷", "租赁合同纠纷", "承揽合同纠纷")),
        role=builder.rng.choice(("原告", "被告")),
        result=f"被告于判决生效之日起十日内支付原告价款{amount}万元。",
        amount=f"{amount}.000000",
        decided_on=f"{decided_on}",
    )


def add_tax_arrears(builder: EnterpriseBuilder) -> None:
    """Add a notice of tax arrears, and the coercion that followed."""
    announced_on = builder.past_day(85, 40)
    builder.add(
        "arrears_notice",
        number=builder.document_number("税欠告", announced_on),
        tax="增值税",
        amount=f"{builder.rng.randint(1, 80)}.000000",
        announced_on=f"{announced_on}",
        authority=builder.tax_office,
    )
    decided_on = announced_on + timedelta(days=20)
    builder.add(
        "administrative_coercion",
        document_number=builder.document_number("税强", decided_on),
        measure="加处罚款或滞纳金",
        facts="未按规定期限缴纳税款。",
        legal_basis="《中华人民共和国税收征收管理法》第三十二条",
        decided_on=f"{decided_on}",
        authority=builder.tax_office,
    )


def add_liquidation(builder: EnterpriseBuilder) -> None:
    """Add a liquidation that has begun."""
    began_on = builder.past_day(40, 5)
    builder.add(
        "liquidation",
        number=builder.document_number("清算备", began_on),
        leader=builder.legal_representative,
        members=[builder.legal_representative, make_name(builder.rng)],
        began_on=f"{began_on}",
        creditors_notice="请债权人自公告之日起四十五日内申报债权。",
    )


def add_alert(builder: EnterpriseBuilder) -> None:
    """Add a risk alert, for government only."""
    day = builder.past_day(200)
    builder.add(
        "supervision",
        **{
            "number": builder.document_number("市监预警", day),
            "class": builder.rng.choice("BCD"),
            "indicator": builder.rng.choice(("一址多照", "一人多企", "查无下落")),
            "date": f"{day}",
        },
    )


def _last_day(builder: EnterpriseBuilder, fields: Mapping[str, Any]) -> date | None:
    penalty = Penalty(
        uscc=builder.uscc,
        decided_on=date.fromisoformat(fields["decided_on"]),
        determined_on=date.fromisoformat(fields["determined_on"]),
        published_on=date.fromisoformat(fields["published_on"]),
        severity=fields.get("severity"),
        fields=fields,
    )
    last_day = last_day_of_publicity(penalty, builder.catalogue.rules_of("penalty"))
    return None if last_day == NEVER else last_day
