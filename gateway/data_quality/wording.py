"""Sentences on faults and how to mend them, in both languages."""

from collections.abc import Callable
from typing import Final

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.records import REGISTRATION
from gateway.data_quality.figures import Fault, FaultKind
from gateway.data_quality.rules import DatasetRules
from gateway.pages.i18n import Translated

FAULT_NAMES: Final = {
    Fault.LATE: Translated("报送超期", "Late"),
    Fault.MISSING: Translated("应填项缺失", "Field missing"),
    Fault.CHECK_CHARACTER: Translated("代码校验位有误", "Wrong check character"),
    Fault.PUBLICITY_END: Translated("公示截止期有误", "Wrong end of publicity"),
    Fault.UPHELD: Translated("异议成立", "Objection upheld"),
    Fault.ABSENT: Translated("比对缺失", "Absent in a comparison"),
    Fault.DIFFERS: Translated("比对不一致", "Different in a comparison"),
    Fault.REJECTED: Translated("文件行退回", "File row not taken"),
}
_MENDING: Final = {
    Fault.MISSING: Translated(
        "请补齐后以同一编号重新报送。",
        "Fill it in and deliver the records again under their own keys.",
    ),
    Fault.CHECK_CHARACTER: Translated(
        "请对照营业执照核对代码；确系早年发放的，向登记机关核实并留存记录。",
        "Check the codes against the business licences; where an old code was issued so, have the "
        "registration authority confirm it.",
    ),
    Fault.PUBLICITY_END: Translated(
        "请按处罚的严重程度重新核定公示截止期，更正后报送。",
        "Compute the end of publicity from the severity again, and correct the records.",
    ),
    Fault.UPHELD: Translated(
        "请查明差错原因，复核同批次、同类数据。",
        "Find the cause, and look through the records of the same batch and kind.",
    ),
    Fault.ABSENT: Translated(
        "请核实后补报缺失的记录。", "Check these records, and deliver what is missing."
    ),
    Fault.DIFFERS: Translated(
        "请对照原始文书核实，有误的更正后报送。",
        "Check them against the documents, and correct what is wrong.",
    ),
    Fault.REJECTED: Translated(
        "请对照退回清单逐行改正后重新报送。",
        "Mend the rows by the list of rejected rows and deliver them again.",
    ),
}


_UNITS: Final = {Fault.UPHELD: "件", Fault.REJECTED: "行"}
_NEARLY_ALL: Final = Translated("绝大部分", "nearly all")


def fault_name(kind: FaultKind, dataset: DatasetDefinition) -> Translated:
    """Name of a fault; of a missing field with the field's."""
    name, field = FAULT_NAMES[kind.fault], dataset.field_by_name.get(kind.field)
    if field is None:
        return name
    return Translated(f"{name.zh}：{field.zh}", f"{name.en}: {field.en}")


def fault_sentence(
    kind: FaultKind, count: int | None, dataset: DatasetDefinition, rules: DatasetRules
) -> Translated:
    """Sentence on a fault, with its count; `None` where it is of all records but too few to be named."""
    unit = _UNITS.get(kind.fault, "条")
    number = _NEARLY_ALL if count is None else Translated(f"{count:,}{unit}", f"{count:,}")
    return _SENTENCES[kind.fault](kind, number, dataset, rules)


def how_to_mend(kind: FaultKind, rules: DatasetRules) -> Translated:
    """Sentence on what the source is asked to do."""
    if kind.fault is Fault.LATE:
        return Translated(
            f"请在{rules.days}个工作日内报送，积压数据尽快补报。",
            f"Deliver within {rules.days} working days from now on, and the backlog at once.",
        )
    return _MENDING[kind.fault]


def own_day_field(dataset: DatasetDefinition) -> FieldDefinition | None:
    """The field whose day begins the term of timeliness."""
    name = "approved_on" if dataset.code == REGISTRATION else dataset.field_of.get("decided_on")
    return dataset.field_by_name.get(name or "")


def _late(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, rules: DatasetRules
) -> Translated:
    day = own_day_field(dataset)
    begin = Translated("产生之日", "its day") if day is None else Translated(day.zh, day.en)
    return Translated(
        f"{count.zh}{dataset.zh}未在{begin.zh}后{rules.days}个工作日内报送",
        f"{dataset.en}: {count.en} delivered later than {rules.days} working days after “{begin.en}”",
    )


def _missing(
    kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    field = dataset.field_by_name.get(kind.field)
    name = Translated(kind.field, kind.field) if field is None else Translated(field.zh, field.en)
    return Translated(
        f"{count.zh}{dataset.zh}缺“{name.zh}”", f"{dataset.en}: {count.en} without “{name.en}”"
    )


def _check(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    return Translated(
        f"{count.zh}{dataset.zh}的统一社会信用代码校验位有误",
        f"{dataset.en}: {count.en} under a code with a wrong check character",
    )


def _end(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    return Translated(
        f"{count.zh}{dataset.zh}的公示截止期与规定不符",
        f"{dataset.en}: {count.en} with another end of publicity than the rules give",
    )


def _upheld(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    return Translated(
        f"{count.zh}对{dataset.zh}的异议成立或部分成立",
        f"{dataset.en}: {count.en} objections upheld, wholly or in part",
    )


def _absent(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    return Translated(
        f"两源比对发现{count.zh}{dataset.zh}未报送",
        f"{dataset.en}: {count.en} that a comparison found missing here",
    )


def _differs(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    return Translated(
        f"两源比对发现{count.zh}{dataset.zh}内容不一致",
        f"{dataset.en}: {count.en} that a comparison found to differ",
    )


def _rejected(
    _kind: FaultKind, count: Translated, dataset: DatasetDefinition, _: DatasetRules
) -> Translated:
    return Translated(
        f"{dataset.zh}文件中有{count.zh}被退回", f"{dataset.en}: {count.en} rows of files not taken"
    )


_SENTENCES: Final[
    dict[Fault, Callable[[FaultKind, Translated, DatasetDefinition, DatasetRules], Translated]]
] = {
    Fault.LATE: _late,
    Fault.MISSING: _missing,
    Fault.CHECK_CHARACTER: _check,
    Fault.PUBLICITY_END: _end,
    Fault.UPHELD: _upheld,
    Fault.ABSENT: _absent,
    Fault.DIFFERS: _differs,
    Fault.REJECTED: _rejected,
}
