"""Bilingual labels of record fields and values, for the public page and the portal."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.pages.i18n import Translated

VALUES: Final[Mapping[str, Translated]] = {
    "active": Translated("存续（在营）", "Active"),
    "suspended": Translated("歇业", "Business suspended"),
    "revoked_not_deregistered": Translated("吊销，未注销", "Licence revoked, not deregistered"),
    "revoked_deregistered": Translated("吊销，已注销", "Licence revoked, deregistered"),
    "deregistered": Translated("注销", "Deregistered"),
    "annulled": Translated("撤销", "Registration annulled"),
    "moved_out": Translated("迁出", "Moved out"),
    "firm": Translated("企业", "Firm"),
    "individual_business": Translated("个体工商户", "Individual business"),
    "farmers_cooperative": Translated("农民专业合作社", "Farmers' cooperative"),
    "fulfilled": Translated("已履约", "Fulfilled"),
    "in_progress": Translated("履约中", "In progress"),
    "broken": Translated("未履约", "Broken"),
    "tax": Translated("纳税", "Tax"),
    "social_insurance": Translated("社保", "Social insurance"),
    "housing_fund": Translated("公积金", "Housing fund"),
    "utilities": Translated("水电气", "Utilities"),
    "2099-12-31": Translated("长期有效", "No end"),
}

YUAN: Final = "CNY"
AMOUNTS: Final = frozenset(
    {"fine", "confiscated", "amount", "paid_capital", "assets", "debts", "revenue", "profit", "tax"}
)

HEADLINES: Final[Mapping[str, tuple[str, ...]]] = {
    "penalty": ("kinds", "violation_type", "decided_on"),
    "abnormal_listing": ("reason", "added_on"),
    "serious_violation": ("category", "added_on"),
    "judgment_defaulter": ("performance", "published_on"),
    "licence": ("name", "valid_to"),
    "commitment": ("type", "fulfilment"),
    "honour": ("title", "granted_on"),
    "registration": ("name", "status"),
    "inspection": ("type", "result", "inspected_on"),
    "public_rating": ("level", "date"),
    "industry_rating": ("domain", "level", "date"),
    "third_party_rating": ("evaluator", "level", "date"),
    "annual_report": ("year", "reported_on"),
    "pledge": ("type", "amount", "registered_on"),
    "tax_and_social": ("kind", "period", "on_time"),
}
"""Fields shown on the first line of a record."""


def field_label(dataset: str, name: str, catalogue: Catalogue) -> Translated:
    """Label of a field, from the catalogue."""
    field = next((f for f in catalogue.dataset(dataset).fields if f.name == name), None)
    return Translated(field.zh, field.en) if field else Translated(name, name)


def value_label(value: Any) -> Translated:  # a field's JSON
    """Label of a value; the value itself if it has none."""
    if isinstance(value, list):
        return Translated("、".join(map(str, value)), ", ".join(map(str, value)))
    if isinstance(value, bool):
        return Translated("是", "Yes") if value else Translated("否", "No")
    return VALUES.get(str(value), Translated(str(value), str(value)))


def field_value(name: str, fields: Mapping[str, Any]) -> Translated:
    """Label of a field's value; amounts in 万元 without trailing zeros, other currencies named."""
    value = fields.get(name)
    if value is None or name not in {*AMOUNTS, "capital"}:
        return value_label(value)
    currency = (fields.get("currency") or YUAN) if name == "capital" else YUAN
    return value_label(_plain(str(value)) + (f" {currency}" if currency != YUAN else ""))


def headline(dataset: str, fields: Mapping[str, Any], catalogue: Catalogue) -> list[Translated]:
    """First line of a record; dates, amounts and yes or no with the field's label.

    A record without the first of these fields is named by its key.
    """
    key = catalogue.dataset(dataset).key
    names = HEADLINES.get(dataset, key)
    if not fields.get(names[0]):
        names = tuple(dict.fromkeys((*key, *names)))
    return [
        _with_name(field_label(dataset, name, catalogue), field_value(name, fields))
        if name.endswith(("_on", "_to")) or name in AMOUNTS or isinstance(fields[name], bool)
        else field_value(name, fields)
        for name in names
        if fields.get(name) not in (None, "", [])
    ]


def named_fields(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue
) -> list[tuple[Translated, Translated]]:
    """Labels and values of all non-empty fields."""
    return [
        (field_label(dataset, name, catalogue), field_value(name, fields))
        for name, held in fields.items()
        if held not in (None, "", [])
    ]


def _plain(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _with_name(name: Translated, value: Translated) -> Translated:
    return Translated(f"{name.zh} {value.zh}", f"{name.en} {value.en}")
