"""Cells of a workbook that reject their row: their value is lost, or cannot be told as a text."""

from enum import StrEnum


class UnfitCell(StrEnum):
    """Why a cell is rejected, whatever its value is."""

    ERROR = "an error value, such as #REF!"
    NOT_CALCULATED = "a formula without its value: save the workbook in Excel or WPS"
    MERGED = "a merged cell: unmerge it and fill in each cell"
    STORED_AS_NUMBER = "stored as a number, with digits lost: format the column as text"
    STORED_AS_DATE = "stored as a date or time: format the column as text"
