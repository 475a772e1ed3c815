"""How what a credit file holds is named, in both languages: on the public page and in the portal."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import FieldOf
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
    "2099-12-31": Translated("长期", "No end"),
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
"""What stands on the first line of a record; the rest unfolds."""


def label(dataset: str, name: str, catalogue: Catalogue) -> Translated:
    """The name of a field, as the catalogue has it."""
    field = _field(dataset, name, catalogue)
    return Translated(field.zh, field.en) if field else Translated(name, name)


def said(held: Any) -> Translated:  # a field's JSON
    """A value, in words where there are words for it."""
    if isinstance(held, list):
        return Translated("、".join(map(str, held)), ", ".join(map(str, held)))
    if isinstance(held, bool):
        return Translated("是", "Yes") if held else Translated("否", "No")
    return VALUES.get(str(held), Translated(str(held), str(held)))


def value(name: str, fields: Mapping[str, Any]) -> Translated:
    """The value of a field; an amount without the zeros that its six decimals bring."""
    held = fields.get(name)
    if name == "capital" and held is not None:
        return _amount(_plain(str(held)), str(fields.get("currency") or YUAN))
    if name in AMOUNTS and held is not None:
        return Translated(_plain(str(held)), _plain(str(held)))
    return said(held)


def headline(dataset: str, fields: Mapping[str, Any], catalogue: Catalogue) -> list[Translated]:
    """The first line of a record; a day with what it is the day of.

    A record without the first of these is named by its key.
    """
    key = catalogue.dataset(dataset).key
    names = HEADLINES.get(dataset, key)
    if not fields.get(names[0]):
        names = tuple(dict.fromkeys((*key, *names)))
    return [
        _with_name(label(dataset, name, catalogue), value(name, fields), name)
        for name in names
        if fields.get(name)
    ]


def rest(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue
) -> list[tuple[Translated, Translated]]:
    """Every field that has a value, with its name."""
    return [
        (label(dataset, name, catalogue), value(name, fields))
        for name, held in fields.items()
        if held not in (None, "", [])
    ]


def _field(dataset: str, name: str, catalogue: Catalogue) -> FieldOf | None:
    return next((f for f in catalogue.dataset(dataset).fields if f.name == name), None)


def _plain(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _with_name(name: Translated, held: Translated, field: str) -> Translated:
    if not field.endswith(("_on", "_to")):
        return held
    return Translated(f"{name.zh} {held.zh}", f"{name.en} {held.en}")


def _amount(amount: str, currency: str) -> Translated:
    """The label says 万元; another currency is named."""
    written = amount if currency == YUAN else f"{amount} {currency}"
    return Translated(written, written)
