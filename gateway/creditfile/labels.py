"""Bilingual labels of record fields and values, for the public page and the portal."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gateway.creditfile.amounts import (
    YUAN,
    amount_text,
    currency_of,
    is_amount,
    without_unit,
)
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.catalogue.parts import Names
from gateway.creditfile.code_names import CODED_FIELDS, code_name
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, REGISTRATION
from gateway.creditfile.value_labels import VALUES
from gateway.pages.i18n import Translated
from gateway.privacy.redaction import readable_masks

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
    "voluntary": (
        Translated("自愿参评", "At the enterprise's wish"),
        Translated("非自愿参评", "Not at the enterprise's wish"),
    ),
    "small_or_micro": (
        Translated("属于小微企业", "Small or micro enterprise"),
        Translated("不属于小微企业", "Not a small or micro enterprise"),
    ),
}
"""Words of the boolean fields, by name: for true and for false."""
_HEADED_BY_ONE: Final = frozenset({"firm", "farmers_cooperative"})
"""Kinds of enterprises that have a legal representative and no operator."""
EMPTY: Final[tuple[Any, ...]] = (None, "", [])
"""Values of a field that are not shown."""
OPEN_END: Final = "2099-12-31"
"""The last day of what has no end."""


def dataset_label(dataset: str, catalogue: Catalogue, kind: str = "") -> Translated:
    """Name of a dataset, by the enterprise's kind."""
    return _translated(catalogue.dataset(dataset).names_for(kind))


def field_label(dataset: str, name: str, catalogue: Catalogue, kind: str = "") -> Translated:
    """Label of a field, from the catalogue, by the enterprise's kind; the unit stands in its value."""
    return field_labels(catalogue, (dataset, kind)).get(name) or Translated(name, name)


@derived_table
def field_labels(catalogue: Catalogue, key: tuple[str, str]) -> Mapping[str, Translated]:
    """Labels of a dataset's fields, by the enterprise's kind."""
    dataset, kind = key
    return {
        each.name: _label_of(each, kind, is_registered=dataset == REGISTRATION)
        for each in catalogue.dataset(dataset).fields
    }


def _label_of(field: FieldDefinition, kind: str, *, is_registered: bool) -> Translated:
    if is_registered and field.name == "entity_type":  # whose value is shown by name
        return Translated("市场主体类型", field.en)
    if is_registered and field.name == "legal_representative" and kind in _HEADED_BY_ONE:
        return Translated("法定代表人", "Legal representative")
    shown = field.of_individual_business if kind == INDIVIDUAL_BUSINESS else field
    return without_unit(Translated(shown.zh, shown.en))


def value_label(value: Any) -> Translated:  # a field's JSON
    """Label of a value; the value itself if it has none."""
    if isinstance(value, str):
        text = readable_masks(value)
        return VALUES.get(text) or Translated(text, text)
    if isinstance(value, list):
        if any(isinstance(each, dict) for each in value):  # a rating's indicators
            return Translated(f"{len(value)} 项指标", f"{len(value)} indicators")
        named = [value_label(each) for each in value]
        return Translated(
            "、".join(each.zh for each in named), ", ".join(each.en for each in named)
        )
    if isinstance(value, bool):
        return Translated("是", "Yes") if value else Translated("否", "No")
    return value_label(str(value))


def field_value(
    dataset: str, name: str, fields: Mapping[str, Any], catalogue: Catalogue
) -> Translated:
    """Label of a field's value; amounts of money with their unit."""
    value = fields.get(name)
    if type(value) is str and name in texts_of(catalogue, dataset):
        return value_label(value)
    field = catalogue.dataset(dataset).field_by_name.get(name)
    if field is None or value is None:
        return value_label(value)
    if field.type == "decimal":
        is_capital = dataset == REGISTRATION and name == "capital"
        return _number(field, f"{value}", fields.get("currency") or YUAN if is_capital else None)
    if isinstance(value, bool) and name in YES_OR_NO:
        return YES_OR_NO[name][not value]
    if dataset == REGISTRATION and not isinstance(value, bool):
        return _registered(name, value)
    table = catalogue.licensing_items if field.labels_from else None
    item = table.by_code.get(value) if table is not None else None
    return value_label(value) if item is None else _translated(item)


@derived_table
def texts_of(catalogue: Catalogue, dataset: str) -> frozenset[str]:
    """Names of a dataset's fields whose texts are labelled by themselves."""
    coded = CODED_FIELDS if dataset == REGISTRATION else ()
    return frozenset(
        each.name
        for each in catalogue.dataset(dataset).fields
        if each.type != "decimal" and not each.labels_from and each.name not in coded
    )


def _number(field: FieldDefinition, held: str, currency: str | None) -> Translated:
    """Label of a number, or of an amount of money: in `currency`, or else in that of its field."""
    name = Translated(field.zh, field.en)
    if not is_amount(name):
        return value_label(_plain(held))
    return amount_text(held, currency_of(name) if currency is None else f"{currency}")


def _registered(name: str, value: Any) -> Translated:  # a field's JSON
    """Label of a value of the registration, coded ones by name."""
    if name not in CODED_FIELDS:
        return value_label(value)
    each = [code_name(name, str(one)) for one in (value if isinstance(value, list) else [value])]
    if [one.zh for one in each] == (value if isinstance(value, list) else [value]):
        return value_label(value)
    return Translated("、".join(one.zh for one in each), ", ".join(one.en for one in each))


class HeadlineFields(NamedTuple):
    """The fields of a dataset's headlines."""

    names: tuple[str, ...]
    by_key: tuple[str, ...]
    """Those of a record without the first of `names`."""
    labels: Mapping[str, Translated]
    """Labels of years, dates, amounts and numbers."""

    def shown(self, fields: Mapping[str, Any]) -> list[str]:
        """Those of a record with these fields: one without the first of them is named by its key."""
        names = self.names if fields.get(self.names[0]) else self.by_key
        return [name for name in names if (held := fields.get(name)) or held not in EMPTY]


def headline(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue, kind: str = ""
) -> list[Translated]:
    """First line of a record; years, dates, amounts and numbers with the field's label."""
    plan = headline_fields(catalogue, (dataset, kind))
    shown = [
        (plan.labels.get(name), field_value(dataset, name, fields, catalogue))
        for name in plan.shown(fields)
    ]
    return [value if label is None else _with_name(label, value) for label, value in shown]


@derived_table
def headline_fields(catalogue: Catalogue, key: tuple[str, str]) -> HeadlineFields:
    """The fields of a dataset's headlines, by the enterprise's kind."""
    dataset, kind = key
    definition = catalogue.dataset(dataset)
    names = definition.headline or definition.key
    by_key = tuple(dict.fromkeys((*definition.key, *names)))
    return HeadlineFields(
        names=names,
        by_key=by_key,
        labels={
            name: field_label(dataset, name, catalogue, kind)
            for name in by_key
            if name == "year" or name.endswith(("_on", "_to")) or _is_number(definition, name)
        },
    )


def _is_number(definition: DatasetDefinition, name: str) -> bool:
    field = definition.field_by_name.get(name)
    return field is not None and field.type in {"decimal", "integer"}


def _translated(names: Names) -> Translated:
    return Translated(names.zh, names.en)


def _plain(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _with_name(name: Translated, value: Translated) -> Translated:
    if value == VALUES[OPEN_END]:
        return value
    return Translated(f"{name.zh} {value.zh}", f"{name.en} {value.en}")
