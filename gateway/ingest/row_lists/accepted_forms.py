"""Descriptions of what a field accepts, by the problem it had; of the catalogue, not of the value."""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.creditfile.catalogue.column_names import KEY, USCC
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import ANY_TEXT
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.value_labels import VALUES
from gateway.pages.i18n import Language, Translated

_USCC: Final = Translated(
    "营业执照上的 18 位统一社会信用代码，以 91、92 或 93 开头",
    "the 18 characters on the business licence, which begin with 91, 92 or 93",
)
_JSON_LINE: Final = Translated("每行一个 JSON 对象", "one JSON object per line")
_TEXT_CELL: Final = Translated(
    "将该列设为文本格式后重新填写", "the value as text: format the column as text and type it again"
)
_BY_CODE: Final[Mapping[ProblemCode, Translated]] = {
    ProblemCode.NOT_A_TEXT: Translated(
        "文本；JSON 中须加引号", "a text, in JSON between quotation marks"
    ),
    ProblemCode.NUL_CHARACTER: Translated("不含 U+0000 的文本", "a text without U+0000"),
    ProblemCode.TOO_LONG: Translated("至多 {0} 个字符", "at most {0} characters"),
    ProblemCode.NOT_A_LIST: Translated('["…", "…"]', '["…", "…"]'),
    ProblemCode.TOO_MANY_TEXTS: Translated("至多 {0} 项", "at most {0} texts"),
    ProblemCode.NOT_A_TIME: Translated("2026-03-02T10:00:00+08:00", "2026-03-02T10:00:00+08:00"),
    ProblemCode.TOO_EARLY: Translated("1800-01-01 及以后", "1800-01-01 or later"),
    ProblemCode.IN_THE_FUTURE: Translated(
        "不晚于报送当日", "the day of the delivery at the latest"
    ),
    ProblemCode.NEGATIVE: Translated("0 或正数", "0 or more"),
    ProblemCode.NOT_A_USCC: _USCC,
    ProblemCode.NOT_A_MARKET_ENTITY: _USCC,
    ProblemCode.PERSONAL_NUMBER: _USCC,
    ProblemCode.KEY_TOO_LONG: Translated("至多 {0} 个字符", "at most {0} characters"),
    ProblemCode.PERSONAL_NUMBER_IN_KEY: Translated(
        "不含个人号码的文号", "a number of the document without one of a person"
    ),
    ProblemCode.NUMBER_OF_CELLS: Translated(
        "{1} 个单元格；含分隔符的内容放在双引号内",
        "{1} cells; a text with separators stands between quotation marks",
    ),
    ProblemCode.QUOTATION_MARKS: Translated(
        "双引号成对；内容中的双引号写两次",
        "quotation marks in pairs; one within a text is written twice",
    ),
    ProblemCode.NOT_CHARACTERS: Translated("UTF-8 或 GB 18030 编码", "UTF-8 or GB 18030"),
    ProblemCode.ERROR_CELL: Translated("值，或留空", "a value, or an empty cell"),
    ProblemCode.NOT_CALCULATED: Translated(
        "用 Excel 或 WPS 打开并保存后的值", "its value, as Excel or WPS save it"
    ),
    ProblemCode.MERGED_CELL: Translated(
        "取消合并，逐格填写", "cells that are not merged, each filled in"
    ),
    ProblemCode.STORED_AS_NUMBER: _TEXT_CELL,
    ProblemCode.STORED_AS_DATE: _TEXT_CELL,
    ProblemCode.COLUMN_WITHOUT_NAME: Translated(
        "只在有列名的列中填写", "values in columns with a name only"
    ),
    ProblemCode.LINE_TOO_LONG: Translated("每行至多 {0} 字节", "at most {0} bytes per line"),
    ProblemCode.NOT_JSON: _JSON_LINE,
    ProblemCode.NOT_AN_OBJECT: _JSON_LINE,
    ProblemCode.MEMBER_TWICE: Translated("每个成员只出现一次", "each member once"),
    ProblemCode.NUMBER_TOO_LARGE: Translated(
        "64 位整数；小数写作文本", "an integer of 64 bits; a decimal as text"
    ),
    ProblemCode.NESTED_TOO_DEEP: Translated("至多 {0} 层", "at most {0} deep"),
}
"""Accepted forms that do not depend on the field; `{0}` and `{1}` stand for the problem's numbers."""
BY_TYPE: Final[Mapping[str, Translated]] = {
    "date": Translated(
        "2026-03-02、2026/3/2、20260302、2026年3月2日、2026.3.2",
        "2026-03-02, 2026/3/2, 20260302, 2026年3月2日, 2026.3.2",
    ),
    "month": Translated("2026-03、2026/3、202603、2026年3月", "2026-03, 2026/3, 202603, 2026年3月"),
    "boolean": Translated(
        "是、否、true、false、1、0；JSON 中为 true、false",
        "是, 否, true, false, 1, 0; in JSON true, false",
    ),
    "integer": Translated("整数，如 12", "a whole number, as 12"),
    "decimal": Translated(
        "数字，如 1.2 或 12,000.50，小数点前至多 14 位、后至多 6 位；JSON 中写作文本",
        "a number, as 1.2 or 12,000.50, with at most 14 digits before the point and 6 after it; "
        "in JSON as text",
    ),
}
_OF_THE_FIELD: Final = frozenset(
    {
        ProblemCode.MISSING,
        ProblemCode.NOT_IN_CATALOGUE,
        ProblemCode.NOT_A_DATE,
        ProblemCode.NOT_A_MONTH,
        ProblemCode.NOT_A_BOOLEAN,
        ProblemCode.NOT_A_WHOLE_NUMBER,
        ProblemCode.NOT_A_DECIMAL,
        ProblemCode.UNREADABLE,
    }
)
"""Problems for which the field's own values or type say what is accepted."""
MOST_ACCEPTED: Final = 5
"""Names that are listed as accepted; the catalogue has them all."""
_NOTHING: Final = Translated("", "")


class AcceptedForms:
    """Accepted forms and values of one dataset's fields, in one language."""

    def __init__(self, dataset: DatasetDefinition, language: Language) -> None:
        self._dataset = dataset
        self._language = language

    def of(self, problem: FieldProblem) -> str:
        """Forms or values accepted in place of the rejected one; empty where there are none to name."""
        field = self._dataset.field_by_name.get(problem.field)
        if problem.code is ProblemCode.UNKNOWN_FIELD:
            return self._fields(problem.nearest)
        if problem.field == KEY and problem.code in {*_OF_THE_FIELD, *_OF_THE_KEY}:
            return "|".join(self._dataset.key)
        if problem.field == USCC and problem.code is ProblemCode.MISSING:
            return _USCC.text(self._language)
        if problem.code in _OF_THE_FIELD and field is not None:
            return self._of_field(field, problem.nearest)
        accepted = _BY_CODE.get(problem.code, _NOTHING)
        return accepted.text(self._language).format(*problem.numbers)

    def _of_field(self, field: FieldDefinition, nearest: tuple[str, ...]) -> str:
        if field.values:
            known = [each for each in nearest if each in field.values]
            return self._joined([(each, _label(field, each)) for each in known or field.values])
        return BY_TYPE.get(field.type, _NOTHING).text(self._language)

    def _fields(self, nearest: tuple[str, ...]) -> str:
        by_name = self._dataset.field_by_name
        known = [by_name[each] for each in nearest if each in by_name] or by_name.values()
        return self._joined([(each.name, Translated(each.zh, each.en)) for each in known])

    def _joined(self, names: Sequence[tuple[str, Translated | None]]) -> str:
        """The first names, each with its label in brackets where that differs."""
        is_zh = self._language == "zh"
        shown = [
            name
            if label is None or label.text(self._language) == name
            else f"{name}（{label.zh}）"
            if is_zh
            else f"{name} ({label.en})"
            for name, label in names[:MOST_ACCEPTED]
        ]
        if len(names) > MOST_ACCEPTED:
            shown.append("等" if is_zh else "…")
        return ("；" if is_zh else "; ").join(shown)


def _label(field: FieldDefinition, value: str) -> Translated | None:
    """Label of a value: in Chinese a word that files may have in its place, if there is one.

    A field that is never told has no labels of pages.
    """
    on_pages = None if field.disclosure is DisclosureClass.NEVER else VALUES.get(value)
    words = (each for each in field.values_also.get(value, ()) if not each.endswith(ANY_TEXT))
    zh = next(words, on_pages.zh if on_pages else None)
    return Translated(zh, on_pages.en if on_pages else zh) if zh else None


_OF_THE_KEY: Final = frozenset({ProblemCode.KEY_PARTS, ProblemCode.KEY_DIFFERS})
