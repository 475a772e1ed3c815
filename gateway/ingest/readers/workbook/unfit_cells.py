"""Cell values of a workbook that reject their row, such as errors, with the problem of each."""

from enum import Enum

from gateway.creditfile.field_problems import ProblemCode


class UnfitCell(Enum):
    """Marker in place of a cell's value, with the problem that its field has."""

    ERROR = ProblemCode.ERROR_CELL
    NOT_CALCULATED = ProblemCode.NOT_CALCULATED
    MERGED = ProblemCode.MERGED_CELL
    STORED_AS_NUMBER = ProblemCode.STORED_AS_NUMBER
    STORED_AS_DATE = ProblemCode.STORED_AS_DATE
