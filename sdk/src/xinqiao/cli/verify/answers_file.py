"""File of answers, by its name's ending: CSV, xlsx or NDJSON; the rows' own columns first.

Every cell is a text, never a formula. The file has mode 0600 and its name only once it is whole.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from xinqiao.cli._errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao import RowResult

_OURS: Final = ("problem", "detail", "disclosure_id", "as_of")
_FORMULA: Final = frozenset("=+-@＝＋－＠")
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_CELL: Final = 32_767
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class AnswersWriter(Protocol):
    """Writes rows of answers."""

    def write(self, cells: Sequence[str], result: RowResult) -> None:
        """Write one row: its own cells, and what was answered."""
        ...


@contextmanager
def answers_file(
    path: Path, columns: Sequence[str], tags: Sequence[str], *, force: bool
) -> Iterator[AnswersWriter]:
    """A writer of the file at `path`; an existing one is replaced only with `force`, at the end."""
    kinds = {".csv": _csv, ".xlsx": _xlsx, ".ndjson": _ndjson}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            f"--out {path.name}：请以 .xlsx、.csv 或 .ndjson 结尾。",
            f"--out {path.name}: end it with .xlsx, .csv or .ndjson.",
        )
    if path.exists() and not force:
        raise InputError(
            f"{path} 已存在：请换名，或加 --force。",
            f"{path} exists: choose another, or add --force.",
        )
    part = path.with_name(f"{path.name}.{token_hex(4)}.part")
    try:
        with open(part, "xb", opener=_private) as file, kind(file, columns, tags) as writer:
            yield writer
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def answer_cells(result: RowResult, tags: Sequence[str]) -> list[str]:
    """The answers by question, and the row's problem or ids."""
    told: dict[str, list[str]] = {}
    for each in result.answers:
        shown = each.answer if each.match is None else f"{each.answer} ({each.match})"
        told.setdefault(each.question, []).append(shown)
    problem = result.problem
    return [
        *("; ".join(told.get(tag, ())) for tag in tags),
        "" if problem is None else problem.code,
        "; ".join(result.warnings) if problem is None else problem.detail,
        result.disclosure_id or "",
        "" if result.as_of is None else result.as_of.isoformat(),
    ]


@contextmanager
def _csv(file: BinaryIO, columns: Sequence[str], tags: Sequence[str]) -> Iterator[AnswersWriter]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="replace")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([_safe(each) for each in (*columns, *tags, *_OURS)])

    class Writer:
        def write(self, cells: Sequence[str], result: RowResult) -> None:
            writer.writerow([_safe(each) for each in (*cells, *answer_cells(result, tags))])

    yield Writer()
    text.flush()
    text.detach()


@contextmanager
def _xlsx(file: BinaryIO, columns: Sequence[str], tags: Sequence[str]) -> Iterator[AnswersWriter]:
    from xlsxwriter import Workbook  # noqa: PLC0415 - an extra

    with Workbook(file, _OPTIONS) as workbook:
        form = workbook.add_format({"num_format": "@"})
        sheet = workbook.add_worksheet("results")
        _put(sheet, 0, (*columns, *tags, *_OURS), form)
        sheet.freeze_panes(1, 0)

        class Writer:
            row = 0

            def write(self, cells: Sequence[str], result: RowResult) -> None:
                self.row += 1
                _put(sheet, self.row, (*cells, *answer_cells(result, tags)), form)

        yield Writer()


@contextmanager
def _ndjson(
    file: BinaryIO, columns: Sequence[str], _tags: Sequence[str]
) -> Iterator[AnswersWriter]:
    class Writer:
        def write(self, cells: Sequence[str], result: RowResult) -> None:
            own = dict(zip(columns, cells, strict=False))
            line = {"row": own, "answer": json.loads(result.evidence.line)}
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    yield Writer()


def _put(sheet: Any, row: int, cells: Sequence[str], form: Any) -> None:
    for place, cell in enumerate(cells):
        shown = _UNWRITABLE.sub("\ufffd", cell)[:_LONGEST_CELL]
        if shown:
            sheet.write_string(row, place, shown, form)


def _safe(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would read as a formula."""
    rest = text.lstrip()
    leading = text[: len(text) - len(rest)]
    starts = rest[:1] in _FORMULA or not {"\t", "\r", "\n"}.isdisjoint(leading)
    return f"'{text}" if starts else text
