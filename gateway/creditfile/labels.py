"""Bilingual labels of record fields and values, for the public page and the portal."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_parts import Names
from gateway.creditfile.code_names import code_name
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, REGISTRATION
from gateway.pages.i18n import Translated
from gateway.privacy.redaction import readable_masks

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
    # Kinds of penalties, as the Administrative Penalty Law (行政处罚法, article 9) names them.
    "警告": Translated("警告", "Warning"),
    "通报批评": Translated("通报批评", "Public criticism"),
    "罚款": Translated("罚款", "Fine"),
    "没收": Translated("没收违法所得、非法财物", "Confiscation"),
    "暂扣许可": Translated("暂扣许可证件", "Temporary seizure of a licence"),
    "吊销许可": Translated("吊销许可证件", "Revocation of a licence"),
    "降级": Translated("降低资质等级", "Lowering of a qualification"),
    "限制经营": Translated("限制开展生产经营活动", "Restriction of business"),
    "停产停业": Translated("责令停产停业", "Suspension of business"),
    "关闭": Translated("责令关闭", "Closure"),
    "限制从业": Translated("限制从业", "Ban from the trade"),
    "拘留": Translated("行政拘留", "Administrative detention"),
    "其他": Translated("其他", "Other"),
    # Reasons of abnormal operations; an individual business files its report and need not publish it.
    "未按期年报": Translated(
        "未按规定的期限报送或公示年度报告", "Annual report not filed or published in time"
    ),
    "未按责令公示": Translated("未在责令的期限内公示信息", "Information not published as ordered"),
    "隐瞒或弄虚作假": Translated("公示信息隐瞒真实情况、弄虚作假", "False or withheld information"),
    "无法联系": Translated(
        "通过登记的住所（经营场所）无法联系", "Not reachable at its registered address"
    ),
    "全部未履行": Translated("全部未履行", "Not performed at all"),
    "部分未履行": Translated("部分未履行", "Performed in part"),
}

YES_OR_NO: Final[Mapping[str, tuple[Translated, Translated]]] = {
    "on_time": (
        Translated("按时缴纳", "Paid on time"),
        Translated("未按时缴纳", "Not paid on time"),
    ),
    "published": (Translated("已公示", "Published"), Translated("未公示", "Not published")),
    "fulfilled": (Translated("已履行", "Fulfilled"), Translated("未履行", "Not fulfilled")),
    "publish_decided": (
        Translated("决定公示", "To be published"),
        Translated("未决定公示", "Publication not decided"),
    ),
    "small_or_micro": (
        Translated("属于小微企业", "Small or micro enterprise"),
        Translated("不属于小微企业", "Not a small or micro enterprise"),
    ),
}
"""Words of the boolean fields, by name: for true and for false."""
YUAN: Final = "CNY"


def dataset_label(dataset: str, catalogue: Catalogue, kind: str = "") -> Translated:
    """Name of a dataset, by the enterprise's kind."""
    return _translated(catalogue.dataset(dataset).names_for(kind))


def field_label(dataset: str, name: str, catalogue: Catalogue, kind: str = "") -> Translated:
    """Label of a field, from the catalogue, by the enterprise's kind."""
    field = catalogue.dataset(dataset).field_by_name.get(name)
    if field is None:
        return Translated(name, name)
    if dataset == REGISTRATION and name == "entity_type":  # whose value is shown by name
        return Translated("市场主体类型", field.en)
    shown = field.of_individual_business if kind == INDIVIDUAL_BUSINESS else field
    return Translated(shown.zh, shown.en)


def value_label(value: Any) -> Translated:  # a field's JSON
    """Label of a value; the value itself if it has none."""
    if isinstance(value, list):
        named = [value_label(each) for each in value]
        return Translated(
            "、".join(each.zh for each in named), ", ".join(each.en for each in named)
        )
    if isinstance(value, bool):
        return Translated("是", "Yes") if value else Translated("否", "No")
    text = readable_masks(str(value))
    return VALUES.get(text, Translated(text, text))


def field_value(
    dataset: str, name: str, fields: Mapping[str, Any], catalogue: Catalogue
) -> Translated:
    """Label of a field's value; amounts in 万元 without trailing zeros, other currencies named."""
    value, field = fields.get(name), catalogue.dataset(dataset).field_by_name.get(name)
    if field is None or value is None:
        return value_label(value)
    if field.type == "decimal":
        currency = (fields.get("currency") or YUAN) if name == "capital" else YUAN
        amount = _plain(str(value))
        if currency == YUAN:
            return value_label(amount)
        unit = code_name("currency", str(currency))
        return Translated(f"{amount} {unit.zh}", f"{amount} {unit.en}")
    if isinstance(value, bool) and name in YES_OR_NO:
        return YES_OR_NO[name][not value]
    if dataset == REGISTRATION and not isinstance(value, bool):
        return _registered(name, value)
    table = catalogue.licensing_items if field.labels_from else None
    item = table.by_code.get(value) if table is not None else None
    return value_label(value) if item is None else _translated(item)


def _registered(name: str, value: Any) -> Translated:  # a field's JSON
    """Label of a value of the registration, coded ones by name."""
    each = [code_name(name, str(one)) for one in (value if isinstance(value, list) else [value])]
    if [one.zh for one in each] == (value if isinstance(value, list) else [value]):
        return value_label(value)
    return Translated("、".join(one.zh for one in each), ", ".join(one.en for one in each))


def headline(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue, kind: str = ""
) -> list[Translated]:
    """First line of a record; dates, amounts and numbers with the field's label.

    A record without the first of these fields is named by its key.
    """
    definition = catalogue.dataset(dataset)
    types = {each.name: each.type for each in definition.fields}
    names = definition.headline or definition.key
    if not fields.get(names[0]):
        names = tuple(dict.fromkeys((*definition.key, *names)))
    return [
        _with_name(
            field_label(dataset, name, catalogue, kind),
            field_value(dataset, name, fields, catalogue),
        )
        if name.endswith(("_on", "_to")) or types.get(name) in {"decimal", "integer"}
        else field_value(dataset, name, fields, catalogue)
        for name in names
        if fields.get(name) not in (None, "", [])
    ]


def named_fields(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue, kind: str = ""
) -> list[tuple[Translated, Translated]]:
    """Labels and values of all non-empty fields."""
    return [
        (
            field_label(dataset, name, catalogue, kind),
            field_value(dataset, name, fields, catalogue),
        )
        for name, held in fields.items()
        if held not in (None, "", [])
    ]


def _translated(names: Names) -> Translated:
    return Translated(names.zh, names.en)


def _plain(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _with_name(name: Translated, value: Translated) -> Translated:
    return Translated(f"{name.zh} {value.zh}", f"{name.en} {value.en}")
