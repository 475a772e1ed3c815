"""Questions of `xinqiao verify`: a fixed value, or `@` and the name of the file's column that holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xinqiao._core.wire.questions import QuestionValue
from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import parse_question
from xinqiao.cli.deliver.text_rows import fold_name

COLUMN: Final = "@"
USCC_NAMES: Final = frozenset(
    map(
        fold_name,
        (
            "uscc",
            "统一社会信用代码",
            "社会信用代码",
            "信用代码",
            "统一代码",
            "unified social credit code",
        ),
    )
)

Column = tuple[str, int]
"""The member of a group whose value a column holds (`""`: the value itself), and the column's place."""


@dataclass(frozen=True, slots=True)
class AskedOfRows:
    """One question: its tag, a fixed value, or the columns that hold its values."""

    tag: str
    value: QuestionValue | None
    columns: tuple[Column, ...]

    def of_row(self, cells: Sequence[str]) -> tuple[str, QuestionValue | None]:
        """Tag and value for one row."""
        if not self.columns:
            return self.tag, self.value
        values = {member: cells[place].strip() for member, place in self.columns}
        return self.tag, values.get("", values)


def code_place(columns: Sequence[str]) -> int:
    """The place of the column of codes."""
    found = [place for place, name in enumerate(columns) if fold_name(name) in USCC_NAMES]
    if len(found) != 1:
        raise InputError(
            "表头须有且仅有一列“统一社会信用代码”（或 uscc）。",
            "The header must name one column 统一社会信用代码 (or uscc).",
        )
    return found[0]


def asked_of_rows(questions: Sequence[str], columns: Sequence[str]) -> list[AskedOfRows]:
    """The questions of `-q`, with the places of their columns."""
    places = {fold_name(name): place for place, name in enumerate(columns)}
    return [_asked(*parse_question(each), places) for each in questions]


def _asked(tag: str, value: QuestionValue | None, places: Mapping[str, int]) -> AskedOfRows:
    members = value if isinstance(value, Mapping) else {"": value or ""}
    named = {name: text[1:] for name, text in members.items() if text.startswith(COLUMN)}
    if not named:
        return AskedOfRows(tag, value, ())
    missing = [name for name in named.values() if fold_name(name) not in places]
    if missing or len(named) < len(members):
        shown = "、".join(missing) or tag
        raise InputError(
            f"-q {tag}：文件中没有列“{shown}”。写法：-q {tag}=@列名。",
            f"-q {tag}: the file has no column {shown!r}. Write -q {tag}=@COLUMN.",
        )
    return AskedOfRows(
        tag, None, tuple((member, places[fold_name(name)]) for member, name in named.items())
    )
