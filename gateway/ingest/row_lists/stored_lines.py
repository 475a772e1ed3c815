"""Stored lines of a job's lists: rejected rows and warnings, by code, without any delivered value."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.creditfile.catalogue.column_names import USCC
from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.merge.copy_batch import CopyBatch
from gateway.ingest.results import WARNING_OF_NUMBER, RowWarning

REJECTS_HEADER: Final = b"row,field,code,column,numbers,nearest\n"
WARNINGS_HEADER: Final = b"row,field,item,kind,start,length,code,column,day\n"
REJECTS_CUT: Final = f"%b,{WHOLE_ROW},{ProblemCode.LIST_CUT},,,\n".encode()
WARNINGS_CUT: Final = f"%b,{WHOLE_ROW},,,,,{RowWarning.LIST_CUT},,\n".encode()
"""Last lines of a list that was cut, by the first row that it lacks."""
BETWEEN_NUMBERS: Final = " "
BETWEEN_NAMES: Final = "|"

ColumnNames = Mapping[str, str] | None
"""Names of a file's columns by field; None where rows name their fields themselves."""

_OF_A_NUMBER: Final = frozenset(WARNING_OF_NUMBER.values())
_OF_THE_END: Final = RowWarning.PUBLICITY_END.value
_OF_THE_CODE: Final = frozenset({RowWarning.CHECK_CHARACTER, RowWarning.LIKE_AN_ID_NUMBER})


def reject_lines(rejected: Mapping[int, tuple[FieldProblem, ...]], columns: ColumnNames) -> bytes:
    """Lines of rejected rows, by row."""
    return _lines(
        (
            number,
            each.field,
            each.code.value,
            _column(each.field, columns),
            BETWEEN_NUMBERS.join(map(str, each.numbers)),
            BETWEEN_NAMES.join(each.nearest),
        )
        for number, problems in rejected.items()
        for each in problems
    )


def warning_lines(batch: CopyBatch, columns: ColumnNames, end_of_publicity: str) -> bytes:
    """Lines of the warnings of a batch, in the order of its rows."""
    found = sorted(_warnings(batch, end_of_publicity), key=lambda line: line[0])
    ends = batch.publicity_ends
    return _lines(
        (*line, _column(line[1], columns), ends.get(line[0], "") if line[6] == _OF_THE_END else "")
        for line in found
    )


def whole_row_lines(rows: Iterable[tuple[int, RowWarning]]) -> bytes:
    """Lines of warnings about whole rows."""
    return _lines((row, WHOLE_ROW, "", "", "", "", each.value, "", "") for row, each in rows)


_Warning = tuple[int, str, int | None, str, int | None, int | None, str]


def _warnings(batch: CopyBatch, end_of_publicity: str) -> Iterator[_Warning]:
    for row, warnings in batch.warned.items():
        for each in warnings:
            if each is RowWarning.LIKE_YUAN:
                fields = batch.yuan[row]
            elif each in _OF_A_NUMBER:
                continue  # listed by its place, below
            elif each is RowWarning.PUBLICITY_END:
                fields = (end_of_publicity,)
            else:
                fields = (USCC,) if each in _OF_THE_CODE else (WHOLE_ROW,)
            yield from ((row, field, None, "", None, None, each.value) for field in fields)
    for row, numbers in batch.masked.items():
        for number in numbers:
            kind, start, length = number.masking.kind, number.masking.start, number.masking.length
            code = WARNING_OF_NUMBER[kind].value
            yield row, number.field, number.item, kind.value, start, length, code
    for row in batch.superseded:
        yield row, WHOLE_ROW, None, "", None, None, RowWarning.SUPERSEDED.value


def _column(field: str, columns: ColumnNames) -> str:
    if field == WHOLE_ROW:
        return ""
    return field if columns is None else columns.get(field, "")


def _lines(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
