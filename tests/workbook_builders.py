"""Workbooks for tests: usual ones by XlsxWriter, and hostile ones written by hand. All data is synthetic."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import xlsxwriter

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SECTOR: Final = 512

Rows = Iterable[Sequence[Any]]


def workbook(
    rows: Rows, others: Mapping[str, Rows] | None = None, *, hidden: Sequence[str] = ()
) -> bytes:
    """An .xlsx with these rows in the sheet 数据, and other sheets before it."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy/m/d"})
        moment = book.add_format({"num_format": "yyyy/m/d hh:mm"})
        for name, content in {**(others or {}), "数据": rows}.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            else:
                sheet.activate()
            for row, cells in enumerate(content):
                for column, value in enumerate(cells):
                    if isinstance(value, datetime | time):
                        sheet.write_datetime(row, column, value, moment)
                    elif isinstance(value, date):
                        sheet.write_datetime(row, column, value, day)
                    elif value != "":
                        sheet.write(row, column, value)
    return made.getvalue()


def raw_workbook(
    sheet: str,
    strings: str = "",
    *,
    before: str = "",
    parts: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """An .xlsx with this content of `worksheet` and `sst`, `before` the root element, and other parts."""
    head = f'<?xml version="1.0"?>{before}'
    content: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>'
        '<sheet name="数据" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'{head}<worksheet xmlns="{_MAIN}">{sheet}</worksheet>',
        "xl/sharedStrings.xml": f'{head}<sst xmlns="{_MAIN}">{strings}</sst>',
        **(parts or {}),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return made.getvalue()


def sheet_rows(rows: Iterable[str]) -> str:
    """`sheetData` with these cells (XML) of each row."""
    numbered = (f'<row r="{number}">{cells}</row>' for number, cells in enumerate(rows, 1))
    return f"<sheetData>{''.join(numbered)}</sheetData>"


def raw_cell(text: str) -> str:
    """A cell of text, in place."""
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def compound_file(name: str, content: bytes) -> bytes:
    """An OLE2 file with one stream, of more than 4,096 bytes."""
    count = max(-(-len(content) // _SECTOR), 8)
    content = content.ljust(count * _SECTOR, b"\0")
    most = _SECTOR // 4
    fats = -(-(count + 1) // (most - 1))
    table = [*range(1, count), 0xFFFFFFFE, 0xFFFFFFFE, *[0xFFFFFFFD] * fats]
    table += [0xFFFFFFFF] * (fats * most - len(table))
    places = [count + 1 + each for each in range(fats)]
    header = struct.pack(
        "<8s16x5H6x9L",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, fats, count, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0),
    )
    header += struct.pack("<109L", *places, *[0xFFFFFFFF] * (109 - fats))
    entries = _entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1) + _entry(name, 2, 0, len(content))
    directory = entries.ljust(_SECTOR, b"\0")
    return header + content + directory + struct.pack(f"<{len(table)}L", *table)


def _entry(name: str, kind: int, begin: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    none = 0xFFFFFFFF
    return struct.pack(
        "<64sHBB3L36xLQ", text.ljust(64, b"\0"), len(text), kind, 1, none, none, child, begin, size
    )


def biff_record(kind: int, form: str = "", *values: Any) -> bytes:
    """A record of an .xls."""
    data = struct.pack(f"<{form}", *values)
    return struct.pack("<2H", kind, len(data)) + data


def biff_workbook(*sheets: bytes, before: bytes = b"") -> bytes:
    """An .xls (BIFF8) with these records in its sheets, and `before` among those of the whole."""
    end, names = biff_record(0x0A), [f"s{each}".encode() for each in range(len(sheets))]
    begin = biff_record(0x0809, "HH12x", 0x0600, 0x0005) + before
    place = len(begin) + len(end) + sum(len(each) + 12 for each in names)
    listed, contents = b"", b""
    for name, records in zip(names, sheets, strict=True):
        listed += biff_record(
            0x85, f"LHBB{len(name)}s", place + len(contents), 0, len(name), 0, name
        )
        contents += biff_record(0x0809, "HH12x", 0x0600, 0x0010) + records + end
    return compound_file("Workbook", begin + listed + end + contents)
