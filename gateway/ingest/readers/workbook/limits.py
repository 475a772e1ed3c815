"""Limits of workbooks, and the sentences with which larger or damaged ones are refused."""

from typing import Final

from gateway.ingest.readers.decompression import FileRefused

MAX_FILE_BYTES: Final = 256 << 20
MAX_XLS_BYTES: Final = 64 << 20
"""An .xls is held in memory as a whole."""
MAX_PARTS: Final = 2_000
MAX_DIRECTORY_BYTES: Final = 1 << 20
MAX_UNPACKED_BYTES: Final = 1 << 30
"""Unpacked bytes of all parts of a workbook."""
MAX_CELLS: Final = 3_000_000
"""Cells between the first and the last one of a sheet, empty ones too; 200,000 rows of 15."""
MAX_WRITTEN: Final = 15_000_000
"""Cells and rows that the sheets of a workbook list, cells without a value too."""
MAX_TEXT_BYTES: Final = 192 << 20
"""Bytes of the texts of a sheet, each counted as often as it stands in a cell."""
MAX_ROWS: Final = 1 << 20
MAX_COLUMNS: Final = 1 << 14
MAX_SHEETS: Final = 100
MAX_MERGED: Final = 10_000
MAX_UNFIT: Final = 500_000
MAX_TOKEN_BYTES: Final = 8 << 20
"""Bytes of one tag or text of XML; a cell has 32,767 characters at most."""


def damaged() -> FileRefused:
    """Refusal of a workbook that cannot be read."""
    return FileRefused(
        "The workbook is damaged or not whole: open it in Excel or WPS, save it and deliver it again.",
        "工作簿已损坏或不完整：请用 Excel 或 WPS 打开并重新保存后再报送。",
    )


def too_large() -> FileRefused:
    """Refusal of a sheet with more cells or text than are read."""
    return FileRefused(
        f"A sheet of the workbook spans more than {MAX_CELLS:,} cells or {MAX_TEXT_BYTES >> 20} MiB of "
        "text: delete cells far from the table, or deliver it as CSV.",
        f"工作表的单元格范围超过 {MAX_CELLS:,} 个，或文本超过 {MAX_TEXT_BYTES >> 20} MiB："
        "请删除表格以外的内容，或改用 CSV 报送。",
    )


def too_many_written() -> FileRefused:
    """Refusal of a workbook that lists more cells than are read, most of them empty."""
    return FileRefused(
        f"The workbook lists more than {MAX_WRITTEN:,} cells, most of them empty: delete the empty rows "
        "and columns in which only formats are left, and sheets that are not needed.",
        f"工作簿列出的单元格超过 {MAX_WRITTEN:,} 个，多为空单元格："
        "请删除仅留有格式的空行、空列和不需要的工作表。",
    )


def too_many_merged() -> FileRefused:
    """Refusal of a sheet with more merged cells than a table has."""
    return FileRefused(
        f"A sheet of the workbook has more than {MAX_MERGED:,} merged cells: unmerge them.",
        f"工作表的合并单元格超过 {MAX_MERGED:,} 处：请取消合并。",
    )


def too_large_file(most: int) -> FileRefused:
    """Refusal of a workbook that is too large as a file or unpacked."""
    return FileRefused(
        f"The workbook has more than {most >> 20:,} MiB: deliver it in parts, or as CSV.",
        f"工作簿超过 {most >> 20:,} MiB：请分批报送，或改用 CSV。",
    )


def protected() -> FileRefused:
    """Refusal of an encrypted workbook."""
    return FileRefused(
        "The workbook is protected by a password: save it without one.",
        "工作簿设有密码：请取消密码后重新保存。",
    )


def not_a_workbook() -> FileRefused:
    """Refusal of a file that is none, though its name says so."""
    return FileRefused(
        "The file is no Excel workbook, though its name says so (a web page, XML or text under the "
        "name .xls is none): open it in Excel or WPS and save it as .xlsx; name text .csv.",
        "文件不是 Excel 工作簿，与其名称不符（以 .xls 命名的网页、XML 或文本不是工作簿）："
        "请用 Excel 或 WPS 打开并另存为 .xlsx；文本文件请以 .csv 命名。",
    )
