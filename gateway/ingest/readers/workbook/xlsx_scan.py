"""Vetting of an .xlsx: every part is unpacked and parsed once, before calamine opens the file."""

from typing import BinaryIO, Final

from gateway.ingest.readers.workbook.extent import SheetScan
from gateway.ingest.readers.workbook.limits import (
    MAX_FILE_BYTES,
    MAX_SHEETS,
    damaged,
    not_a_workbook,
    too_large_file,
)
from gateway.ingest.readers.workbook.part_scan import PartHandler, local_name, scan_xml
from gateway.ingest.readers.workbook.sheet_scan import SharedStrings, Worksheet
from gateway.ingest.readers.workbook.zip_archive import ZipArchive

# Names of parts do not depend on case (ECMA-376 part 2, 6.2.2.3).
_BOOK: Final = "xl/workbook.xml"
_LINKS: Final = "xl/_rels/workbook.xml.rels"
_PACKAGE_LINKS: Final = "_rels/.rels"
_BOOK_LINK: Final = "/officeDocument"
_STRINGS: Final = "xl/sharedstrings.xml"
_XML: Final = (".xml", ".rels")


class _Book(PartHandler):
    """Sheets of the workbook: the ids of their parts, by name."""

    root = "workbook"

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local_name(name) != "sheet":
            return
        ids = [value for key, value in attributes.items() if local_name(key) == "id"]
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
            id_, target = attributes.get("Id", ""), attributes.get("Target", "")
            if id_ in self.parts:
                raise damaged()
            self.parts[id_] = target[1:] if target.startswith("/") else f"xl/{target}"


class _PackageLinks(PartHandler):
    """Parts of the package, of which the workbook has its usual name."""

    root = "Relationships"

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship" and attributes.get("Type", "").endswith(_BOOK_LINK):
            target = attributes.get("Target", "")
            if target.removeprefix("/").casefold() != _BOOK:
                raise damaged()


def scan_xlsx(file: BinaryIO, size: int) -> list[SheetScan | None]:
    """The scan of each sheet, in their order; None for one that has no cells, such as a chart.

    Raises `FileRefused` if anything in the workbook is not as a workbook has it.
    """
    if size > MAX_FILE_BYTES:
        raise too_large_file(MAX_FILE_BYTES)
    archive = ZipArchive(file, size)
    entries = {each.filename.casefold(): each for each in archive.entries}
    book, links, strings = _Book(), _Links(), SharedStrings()
    if _BOOK not in entries or _LINKS not in entries:
        raise not_a_workbook()
    known = {_PACKAGE_LINKS: _PackageLinks(), _BOOK: book, _LINKS: links, _STRINGS: strings}
    for name, handler in known.items():
        if name in entries:
            scan_xml(archive.pieces(entries.pop(name)), handler)
    scans: dict[str, SheetScan] = {}
    written = 0
    for name, entry in entries.items():
        if not name.endswith(_XML):
            for _ in archive.pieces(entry):
                pass
            continue
        sheet = Worksheet(strings, written)
        if scan_xml(archive.pieces(entry), sheet):
            scans[name], written = sheet.scan, sheet.written
    return [scans.get(links.parts.get(each, "").casefold()) for each in book.ids.values()]
