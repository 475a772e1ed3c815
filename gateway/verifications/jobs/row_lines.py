"""Lines of a job from rows of cells, as CSV files and workbooks have them. Pure.

The header names the code's column and the columns of values; further columns are ignored. A row that
cannot be asked becomes a line with its problem.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson

from gateway.creditfile.catalogue.delivery_forms import fold_name
from gateway.verifications.jobs.job_line import broken_line
from gateway.verifications.jobs.template import Template, TemplateQuestion

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
HEADER_ROWS: Final = 10
"""Rows among which the header is looked for: titles may stand before it."""
TWO_CELLS: Final = "This row has {found} cells, and the header has {wanted}."
NO_CODE: Final = "This row has no code in the column {name}."


class HeaderError(ValueError):
    """The header does not fit the job; `en` and `zh` say why."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


def is_header(cells: Sequence[str]) -> bool:
    """True where a row names the column of codes."""
    return any(fold_name(each) in USCC_NAMES for each in cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLines:
    """Makes lines of the rows below one header."""

    template: Template
    width: int
    code: int
    code_name: str
    places: Mapping[str, int]
    """Places of the columns of values, by the names that the job gives them."""

    @classmethod
    def below(cls, header: Sequence[str], template: Template) -> Self:
        """The maker for this header. Raises `HeaderError`."""
        names = [fold_name(each) for each in header]
        codes = [place for place, name in enumerate(names) if name in USCC_NAMES]
        if len(codes) != 1:
            raise HeaderError(
                "The header must name one column 统一社会信用代码 (or uscc).",
                "表头须有且仅有一列“统一社会信用代码”（或 uscc）。",
            )
        places: dict[str, int] = {}
        for question in template.questions:
            for _, column in question.columns:
                found = [place for place, name in enumerate(names) if name == fold_name(column)]
                if len(found) == 1:
                    places[column] = found[0]
                elif found or not question.optional:
                    raise HeaderError(
                        f"The values of {question.tag} need one column of the name that the job "
                        "gives them, or of the question's own.",
                        f"{question.tag} 的值须有且仅有一列，列名为任务所指定的名称或核验项名称。",
                    )
        return cls(
            template=template,
            width=len(header),
            code=codes[0],
            code_name="uscc",
            places=places,
        )

    def line(self, cells: Sequence[str], number: int) -> bytes:
        """The line of one row."""
        if len(cells) < self.width or any(each.strip() for each in cells[self.width :]):
            return broken_line(number, TWO_CELLS.format(found=len(cells), wanted=self.width))
        code = cells[self.code].strip()
        if not code:
            return broken_line(number, NO_CODE.format(name=self.code_name))
        questions: list[dict[str, Any]] = []
        for each in self.template.questions:
            value = self._value(each, cells)
            if value is None and each.columns and not each.optional:
                return broken_line(number, f"{each.tag} needs a value.")
            questions.append({"question": each.tag} | ({} if value is None else {"value": value}))
        return orjson.dumps(
            {
                "line": number,
                "enterprise": {"uscc": code},
                "purpose": self.template.purpose,
                "questions": questions,
            }
        )

    def _value(
        self, question: TemplateQuestion, cells: Sequence[str]
    ) -> str | Mapping[str, str] | None:
        if not question.columns:
            return question.value
        given = {
            member: cells[self.places[column]].strip()
            for member, column in question.columns
            if column in self.places
        }
        if not all(given.values()):
            return None
        return given.get("") if "" in given or not given else given
