"""Synthetic negative records: penalties, listings, judgment defaults, risk alerts."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.creditfile.local_dates import months_after
from gateway.creditfile.penalty_publicity import NEVER, Penalty, last_day_of_publicity
from gateway.synthetic.enterprise_builder import EnterpriseBuilder

_VIOLATIONS: Final = (
    ("虚假宣传", "《反不正当竞争法》第八条", "在网店页面对商品性能作引人误解的商业宣传。"),
    ("销售不合格产品", "《产品质量法》第三十九条", "销售的电源插座经抽样检验为不合格产品。"),
    ("未按规定明码标价", "《价格法》第十三条", "经营场所内部分商品未标明价格。"),
)
_YEAR: Final = 12


def add_penalty(
    builder: EnterpriseBuilder,
    *,
    decided_on: date,
    events: Mapping[str, datetime] | None = None,
    **changed: Any,  # a field's JSON
) -> None:
    """Add a fine of ordinary severity; `changed` overrides fields."""
    violation, basis, facts = builder.rng.choice(_VIOLATIONS)
    fine = Decimal(builder.rng.randint(110, 900)) / 100
    fields: dict[str, Any] = {
        "document_number": builder.document_number("浙市监罚", decided_on),
        "violation_type": violation,
        "facts": facts,
        "legal_basis": basis,
        "kinds": ["罚款"],
        "content": f"罚款{fine}万元。",
        "fine": f"{fine:.6f}",
        "confiscated": "0.000000",
        "decided_on": f"{decided_on}",
        "authority": builder.authority("市场监督管理"),
        "data_source": builder.authority("市场监督管理"),
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


def add_live_penalty(builder: EnterpriseBuilder, **changed: Any) -> None:  # penalty fields
    """Add a penalty within its publicity term for months."""
    add_penalty(builder, decided_on=builder.past_day(155, 35), **changed)


def add_penalty_ending(builder: EnterpriseBuilder, last_day: date) -> None:
    """Add a penalty whose publicity term ends on `last_day`."""
    decided_on = months_after(last_day, -_YEAR)
    while months_after(decided_on, _YEAR) < last_day:
        decided_on += timedelta(days=1)
    add_penalty(builder, decided_on=decided_on, publicity_ends_on=f"{last_day}")


def add_abnormal_listing(builder: EnterpriseBuilder, *, removed_on: date | None = None) -> None:
    """Add a listing for abnormal operations."""
    added_on = builder.past_day(900, 400) if removed_on else builder.past_day(300, 10)
    removed = {"removed_on": f"{removed_on}"} if removed_on else {}
    builder.add(
        "abnormal_listing",
        decision_number=builder.document_number("浙市监异", added_on),
        reason=builder.rng.choice(("未按期年报", "无法联系")),
        authority=builder.authority("市场监督管理"),
        added_on=f"{added_on}",
        **removed,
    )


def add_serious_violation(builder: EnterpriseBuilder) -> None:
    """Add a listing for serious violations."""
    added_on = builder.past_day(300, 10)
    builder.add(
        "serious_violation",
        decision_number=builder.document_number("浙市监严", added_on),
        category="产品质量",
        reason="生产销售不符合保障人身健康标准的产品，情节严重。",
        authority=builder.authority("市场监督管理"),
        added_on=f"{added_on}",
    )


def add_judgment_default(builder: EnterpriseBuilder) -> None:
    """Add a listing as judgment defaulter."""
    published_on = builder.past_day(600, 10)
    number = builder.rng.randrange(1, 9000)
    builder.add(
        "judgment_defaulter",
        case_number=f"({published_on.year})浙{builder.division.code[2:]}执{number}号",
        court=f"{builder.division.name}人民法院",
        basis=f"({published_on.year - 1})浙{builder.division.code[2:]}民初{number}号",
        obligation="支付货款人民币壹拾万元及利息。",
        performance="全部未履行",
        published_on=f"{published_on}",
    )


def add_alert(builder: EnterpriseBuilder) -> None:
    """Add a risk alert, for government only."""
    day = builder.past_day(200)
    builder.add(
        "supervision",
        number=builder.document_number("浙预警", day),
        **{"class": builder.rng.choice("BCD")},
        indicator=builder.rng.choice(("一址多照", "一人多企", "查无下落")),
        date=f"{day}",
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
