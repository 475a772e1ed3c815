"""Vetting of an .xlsx: every part is unpacked and parsed once, before calamine opens the file."""

from typing import BinaryIO, Final

from gateway.ingest.workbook.extent import SheetScan
from gateway.ingest.workbook.limits import (
    MAX_FILE_BYTES,
    MAX_SHEETS,
    damaged,
    not_a_workbook,
    too_large_file,
)
from gateway.ingest.workbook.sheet_scan import (
    PartHandler,
    SharedStrings,
    Worksheet,
    local_name,
    scan_xml,
)
from gateway.ingest.workbook.zip_archive import ZipArchive

# Names of parts do not depend on case (ECMA-376 part 2, 6.2.2.3).
_BOOK: Final = "xl/workbook.xml"
_LINKS: Final = "xl/_rels/workbook.xml.rels"
_STRINGS: Final = "xl/sharedstrings.xml"
_XML: Final = (".xml", ".rels")

Scans = dict[str, SheetScan]
"""Scans of the worksheets, by their names; charts and the like are left out."""


class _Book(PartHandler):
    """Sheets of the workbook: the ids of their parts, by name."""

    root = "workbook"

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local_name(name) != "sheet":
            return
        ids = [value for key, value in attributes.items() if key.endswith(":id")]
        title = attributes.get("name")
        if title is None or len(ids) != 1 or title in self.ids or len(self.ids) >= MAX_SHEETS:
            raise damaged()
        self.ids[title] = ids[0]


class _Links(PartHandler):
    """Parts of the workbook, by id."""

    root = "Relationships"

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship":
            target = attributes.get("Target", "")
            part = target[1:] if target.startswith("/") else f"xl/{target}"
            self.parts[attributes.get("Id", "")] = part


def scan_xlsx(file: BinaryIO, size: int) -> Scans:
    """The scans of its worksheets. `FileRefused` if anything in it is not as a workbook has it."""
    if size > MAX_FILE_BYTES:
        raise too_large_file(MAX_FILE_BYTES)
    archive = ZipArchive(file, size)
    entries = {each.filename.casefold(): each for each in archive.entries}
    book, links, strings = _Book(), _Links(), SharedStrings()
    if _BOOK not in entries or _LINKS not in entries:
        raise not_a_workbook()
    for name, handler in ((_BOOK, book), (_LINKS, links), (_STRINGS, strings)):
        if name in entries:
            scan_xml(archive.pieces(entries.pop(name)), handler)
    scans: dict[str, SheetScan] = {}
    for name, entry in entries.items():
        if not name.endswith(_XML):
            for _ in archive.pieces(entry):
                pass
            continue
        sheet = Worksheet(strings)
        if scan_xml(archive.pieces(entry), sheet):
            scans[name] = sheet.scan
    parts = {name: links.parts.get(id_, "").casefold() for name, id_ in book.ids.items()}
    return {name: scans[part] for name, part in parts.items() if part in scans}
