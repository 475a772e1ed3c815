"""Hostile workbooks: each is refused in one sentence before its reader would need much memory."""

import asyncio
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.ingest.reader_processes import (
    MAX_WORKBOOK_MEMORY,
    MAX_WORKBOOK_SECONDS,
    chunks_in_order,
)
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.workbook import sheet_scan, workbook_file
from gateway.ingest.readers.workbook.biff_scan import scan_xls
from tests.creditfile_builders import USCC
from tests.ingest_fixture import children_of
from tests.ingest_reader import Reader, make_plan, reader_in
from tests.workbook_builders import (
    biff_record,
    biff_workbook,
    compound_file,
    raw_cell,
    raw_workbook,
    sheet_rows,
    workbook,
)

DAMAGED = "is damaged or not whole"
TOO_LARGE = "spans more than 3,000,000 cells or 192 MiB of text"
NOT_ONE = "is no Excel workbook, though its name says so"
ONE_CELL = sheet_rows(['<c r="A1"><v>1</v></c>'])
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes as a file of penalties."""
    return reader_in(tmp_path)


@pytest.fixture(autouse=True)
def unopened(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """calamine, which fails the test if it is given a hostile file."""
    if "content" in request.fixturenames:
        monkeypatch.setattr(workbook_file, "CalamineWorkbook", None)


def repacked(content: bytes, change: Callable[[bytearray], None]) -> bytes:
    """The archive with some bytes changed."""
    changed = bytearray(content)
    change(changed)
    return bytes(changed)


def with_entry(name: str, content: bytes) -> bytes:
    """A workbook with one more entry."""
    made = io.BytesIO(raw_workbook(ONE_CELL))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(name, content)
    return made.getvalue()


def with_lying_size() -> bytes:
    """A sheet that unpacks to far more than is declared, with a checksum of what is declared."""
    shown = f"<worksheet>{ONE_CELL}</worksheet>".encode()
    content = raw_workbook("", parts={"xl/worksheets/sheet1.xml": shown + b" " * (1 << 20)})

    def change(data: bytearray) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = archive.getinfo("xl/worksheets/sheet1.xml")
        place = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02"))
        while data[place + 46 : place + 46 + len(found.filename)] != found.filename.encode():
            place = data.index(b"PK\x01\x02", place + 4)
        struct.pack_into("<L", data, place + 16, zlib.crc32(shown))
        struct.pack_into("<L", data, place + 24, len(shown))

    return repacked(content, change)


def overlapping() -> bytes:
    """Two entries of the directory that point to the same data."""
    content = with_entry("xl/a.xml", b"<a/>")
    place = content.rindex(b"PK\x01\x02")
    before = content.index(b"PK\x01\x02")

    def change(data: bytearray) -> None:
        data[place + 42 : place + 46] = data[before + 42 : before + 46]

    return repacked(content, change)


def shared_and_repeated(length: int, count: int) -> bytes:
    """One long shared string in many cells."""
    cells = sheet_rows('<c t="s"><v>0</v></c>' for _ in range(count))
    return raw_workbook(cells, f"<si><t>{'字' * length}</t></si>")


def encrypted_entries() -> bytes:
    """Entries with the bit of encryption."""

    def change(data: bytearray) -> None:
        data[data.index(b"PK\x01\x02") + 8] |= 1

    return repacked(raw_workbook(ONE_CELL), change)


def with_second_name() -> bytes:
    """An entry that gives another name in its extra field, which calamine would believe."""
    name = b"xl/sharedStrings.xml"
    entry = zipfile.ZipInfo("xl/a.xml")
    entry.extra = struct.pack("<2HBL", 0x7075, 5 + len(name), 1, zlib.crc32(b"xl/a.xml")) + name
    made = io.BytesIO(raw_workbook(ONE_CELL))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(entry, b"<a/>")
    return made.getvalue()


def with_cells(cells: str, strings: str = "") -> bytes:
    """A workbook with these cells in its first row."""
    return raw_workbook(sheet_rows([cells]), strings)


def linked(
    target: str, links: str = "xl/_rels/workbook.xml.rels", kind: str = "worksheet"
) -> bytes:
    """A workbook with another relationship of this id and target before the usual one."""
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    others = {
        "xl/_rels/workbook.xml.rels": "worksheets/sheet1.xml",
        "_rels/.rels": "xl/workbook.xml",
    }
    made = "".join(
        f'<Relationship Id="{id_}" Type="{kinds}/{kind}" Target="{each}"/>'
        for id_, each in (("r&#49;", target), ("r1", others[links]))
    )
    return raw_workbook(ONE_CELL, parts={links: f"<Relationships>{made}</Relationships>"})


FAR = sheet_rows(['<c r="A1"><v>1</v></c>', '<c r="XFD1048576"><v>1</v></c>'])
COMMENT = b"PK\x05\x06" + bytes(16) + struct.pack("<H", 5) + b"hello"
XLSX: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": ("统一社会信用代码,处罚类别\n".encode, NOT_ONE),
    "a web page": (lambda: b"<html><table><tr><td>1</td></tr></table></html>", NOT_ONE),
    "empty": (lambda: b"", NOT_ONE),
    "another archive": (lambda: _archive(**{"word/document.xml": b"<a/>"}), NOT_ONE),
    "packed": (lambda: b"\x1f\x8b" + bytes(100), "packed already"),
    "truncated": (lambda: raw_workbook(ONE_CELL)[:-40], DAMAGED),
    "cut in the middle": (lambda: raw_workbook(ONE_CELL)[:700], DAMAGED),
    "something behind": (lambda: raw_workbook(ONE_CELL) + b"x", DAMAGED),
    "a comment": (lambda: raw_workbook(ONE_CELL)[:-2] + COMMENT[-7:], DAMAGED),
    "something before": (lambda: b"PK\x03\x04" + raw_workbook(ONE_CELL), DAMAGED),
    "a name twice": (lambda: with_entry("xl/WORKBOOK.xml", b"<a/>"), DAMAGED),
    "a size that lies": (with_lying_size, DAMAGED),
    "entries that overlap": (overlapping, DAMAGED),
    "encrypted entries": (encrypted_entries, "protected by a password"),
    "many entries": (lambda: _archive(**{f"xl/{n}.xml": b"" for n in range(2_001)}), "2,000 parts"),
    "a bomb": (lambda: with_entry_packed(b" " * (80 << 20)), "more than 250 times its size"),
    "a workbook in it": (lambda: with_entry("xl/a.xml", raw_workbook(ONE_CELL)), DAMAGED),
    "a document type": (lambda: raw_workbook(ONE_CELL, before=LAUGHS), "document type (DTD)"),
    "entities in strings": (
        lambda: raw_workbook(ONE_CELL, "<si><t>&c;</t></si>", before=LAUGHS), "document type (DTD)"),
    "an entity": (lambda: raw_workbook(ONE_CELL.replace("1</v>", "&c;</v>")), DAMAGED),
    "no end of an element": (lambda: raw_workbook("<sheetData><row>"), DAMAGED),
    "text before the root": (lambda: raw_workbook(ONE_CELL, before="x"), DAMAGED),
    "a long tag": (lambda: raw_workbook(f'<sheetData a="{"x" * (9 << 20)}"/>'), DAMAGED),
    "a cell in the last corner": (lambda: raw_workbook(FAR), TOO_LARGE),
    "a cell beyond": (lambda: raw_workbook(sheet_rows(['<c r="XFE1"><v>1</v></c>'])), DAMAGED),
    "a row beyond": (lambda: raw_workbook(sheet_rows(['<c r="A1048577"><v>1</v></c>'])), DAMAGED),
    "no reference": (lambda: raw_workbook(sheet_rows(['<c r="A-1"><v>1</v></c>'])), DAMAGED),
    "too many columns": (lambda: raw_workbook(sheet_rows(["<c><v>1</v></c>" * 16_385])), DAMAGED),
    "one string in many cells": (lambda: shared_and_repeated(32_767, 2_100), TOO_LARGE),
    "a string that is not there": (
        lambda: raw_workbook(sheet_rows(['<c t="s"><v>0</v></c>'])), DAMAGED),
    "a second name of an entry": (with_second_name, DAMAGED),
    "another separator": (lambda: with_entry("xl\\sharedStrings.xml", b"<a/>"), DAMAGED),
    "an absolute name": (lambda: with_entry("/xl/a.xml", b"<a/>"), DAMAGED),
    "a relative name": (lambda: with_entry("xl/../xl/a.xml", b"<a/>"), DAMAGED),
    "a reference in a name": (lambda: with_entry("xl/a&#49;.xml", b"<a/>"), DAMAGED),
    "a NUL in a name": (
        lambda: with_entry("xl/a.xml", b"<a/>").replace(b"xl/a.xml", b"xl/a\0xml"), DAMAGED),
    "an id twice": (lambda: linked("a.xml"), DAMAGED),
    "another workbook": (
        lambda: linked("evil/workbook.xml", "_rels/.rels", "officeDocument"), DAMAGED),
    "two ids of a sheet": (
        lambda: raw_workbook(ONE_CELL, parts={"xl/workbook.xml": '<workbook xmlns:r="r"><sheets>'
            '<sheet name="a" r:id="r1" id="r2"/></sheets></workbook>'}), DAMAGED),
    "an element in a value": (lambda: with_cells('<c t="str"><v><x/>a</v></c>'), DAMAGED),
    "an element in a text": (
        lambda: with_cells('<c t="inlineStr"><is><t>a<x/>b</t></is></c>'), DAMAGED),
    "CDATA": (lambda: with_cells('<c t="str"><v><![CDATA[a]]></v></c>'), DAMAGED),
    "a comment in a number": (lambda: with_cells("<c><v>1<!-- -->2</v></c>"), DAMAGED),
    "a string in a string": (lambda: raw_workbook(ONE_CELL, "<si><x><si/></x></si>"), DAMAGED),
    "cells without a row": (lambda: raw_workbook("<sheetData><c><v>1</v></c></sheetData>"), DAMAGED),
    "a row in a row": (lambda: raw_workbook("<sheetData><row><row/></row></sheetData>"), DAMAGED),
    "two tables": (lambda: raw_workbook(ONE_CELL * 2), DAMAGED),
    "a cell in another row": (
        lambda: raw_workbook('<sheetData><row><c><v>1</v></c></row><row r="1048576"><c r="XFC2"/>'
            "<c><v>1</v></c></row></sheetData>"), TOO_LARGE),
    "many merged cells": (
        lambda: raw_workbook(f"{ONE_CELL}<mergeCells>{'<mergeCell/>' * 10_001}</mergeCells>"),
        "10,000 merged cells"),
}  # fmt: skip


def _archive(**content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return made.getvalue()


def with_entry_packed(content: bytes) -> bytes:
    """A workbook with one more entry, deflated."""
    made = io.BytesIO(raw_workbook(ONE_CELL))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/a.bin", content)
    return made.getvalue()


@pytest.mark.parametrize("content", XLSX)
def test_a_hostile_xlsx_is_refused_before_its_reader_opens_it(read: Reader, content: str) -> None:
    """In one sentence."""
    make, sentence = XLSX[content]
    found = read(make(), "xlsx")
    assert found.refused is not None
    assert sentence in found.refused


@pytest.mark.parametrize(
    "value", ["-1", "+1", " 1 ", "１", "1_0", "1<!-- -->0", "1&#48;", "0000000001", "1</v><v>0"]
)
def test_an_index_of_a_shared_string_is_read_in_one_way(read: Reader, value: str) -> None:
    """Or calamine would take another string than the scan has counted."""
    found = read(with_cells(f'<c t="s"><v>{value}</v></c>', "<si><t>a</t></si>" * 11), "xlsx")
    assert found.refused is not None
    assert DAMAGED in found.refused


def test_cells_without_a_value_are_counted(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost time, though no memory."""
    monkeypatch.setattr(sheet_scan, "MAX_WRITTEN", 1_000)
    found = read(raw_workbook(sheet_rows(["<c/>" * 50] * 20)), "xlsx")
    assert found.refused is not None
    assert "cells, most of them empty" in found.refused


def test_merged_ranges_that_overlap_are_refused(read: Reader) -> None:
    """Each row would be marked by all of them."""
    header = [
        raw_cell(each) for each in ("uscc", "document_number", "kinds", "decided_on", "facts")
    ]
    merged = [f"A{2 + n}:E{200_000 + n}" for n in range(3)]
    for refs, is_refused in ((merged, True), (["D2:D9", "A2:C5", "A6:C9"], False)):
        cells = "".join(f'<mergeCell ref="{each}"/>' for each in refs)
        found = read(
            raw_workbook(f"{sheet_rows([''.join(header)] * 2)}<mergeCells>{cells}</mergeCells>"),
            "xlsx",
        )
        assert (found.refused is not None and DAMAGED in found.refused) == is_refused


NUMBER = biff_record(0x203, "3Hd", 0, 0, 0, 1.0)
CORNER = biff_record(0x203, "3Hd", 65_535, 255, 0, 1.0)


def looped() -> bytes:
    """A chain of sectors without an end, which its reader would follow until no memory is left."""
    content = bytearray(biff_workbook(NUMBER))
    fat = 512 * (1 + struct.unpack_from("<L", content, 76)[0])
    struct.pack_into("<L", content, fat + 4, 0)
    return bytes(content)


def with_entry_of_directory(name: bytes, kind: int) -> bytes:
    """One more entry of the directory, with the workbook's records under this name."""
    content = bytearray(biff_workbook(NUMBER))
    directory = 512 * (1 + struct.unpack_from("<L", content, 48)[0])
    entry = bytearray(content[directory + 128 : directory + 256])
    entry[:64] = name.ljust(64, b"\0")
    entry[64:67] = bytes([2, 0, kind])
    content[directory + 256 : directory + 384] = entry
    return bytes(content)


def with_cutoff(length: int) -> bytes:
    """Another limit of streams in mini sectors than the standard's, which its reader assumes."""
    content = bytearray(biff_workbook(NUMBER))
    struct.pack_into("<L", content, 56, length)
    return bytes(content)


SAME_NAME = "Workbook".encode("utf-16-le")
XLS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a web page": (lambda: b"<html xmlns:x='urn:excel'><table/></html>", NOT_ONE),
    "XML of 2003": (lambda: b"<?xml version='1.0'?><?mso-application progid='Excel.Sheet'?>", NOT_ONE),
    "text": (lambda: b"a\tb\n1\t2\n", NOT_ONE),
    "a letter": (lambda: compound_file("WordDocument", b""), NOT_ONE),
    "encrypted .xlsx": (lambda: compound_file("EncryptedPackage", b""), "protected by a password"),
    "encrypted": (
        lambda: biff_workbook(NUMBER, before=biff_record(0x2F, "3H", 1, 1, 1)),
        "protected by a password"),
    "truncated": (lambda: biff_workbook(NUMBER)[:3_000], DAMAGED),
    "only a signature": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DAMAGED),
    "a chain that loops": (looped, DAMAGED),
    "two workbooks": (lambda: with_entry_of_directory(SAME_NAME, 2), DAMAGED),
    "an unused entry of its name": (lambda: with_entry_of_directory(SAME_NAME, 0), DAMAGED),
    "a name behind a mark": (lambda: with_entry_of_directory(b"\xef\xbb\xbfWorkbook", 2), DAMAGED),
    "another cutoff": (lambda: with_cutoff(0), DAMAGED),
    "a cell in the last corner": (lambda: biff_workbook(NUMBER + CORNER), TOO_LARGE),
    "sheets that are large together": (
        lambda: biff_workbook(*[NUMBER + biff_record(0x203, "3Hd", 9_999, 99, 0, 1.0)] * 4), TOO_LARGE),
    "a record cut off": (lambda: biff_workbook(biff_record(0x205, "3H", 0, 0, 0)), DAMAGED),
    "no sheets": (biff_workbook, DAMAGED),
}  # fmt: skip


@pytest.mark.parametrize("content", XLS)
def test_a_hostile_xls_is_refused_before_its_reader_opens_it(read: Reader, content: str) -> None:
    """In one sentence."""
    make, sentence = XLS[content]
    found = read(make(), "xls")
    assert found.refused is not None
    assert sentence in found.refused


@pytest.mark.parametrize(("place", "sentence"), [(0, TOO_LARGE), (3, DAMAGED), (1 << 31, DAMAGED)])
def test_sheets_of_an_xls_begin_where_the_file_says(place: int, sentence: str) -> None:
    """Even among the records of the workbook itself, whose cells its reader would place too."""
    content = bytearray(biff_workbook(NUMBER, before=NUMBER + CORNER))
    listed = content.index(biff_record(0x85)[:2], 512)
    struct.pack_into("<L", content, listed + 4, place)
    with pytest.raises(FileRefused, match=sentence):
        scan_xls(bytes(content))


def test_a_dimension_that_lies_costs_nothing(read: Reader) -> None:
    """What the sheet says of itself is not believed."""
    found = read(raw_workbook(f'<dimension ref="A1:XFD1048576"/>{ONE_CELL}'), "xlsx")
    assert found.refused is not None
    assert "there is no such field" in found.refused


def test_macros_are_data_of_no_interest(read: Reader) -> None:
    """An .xlsm is read as a workbook; nothing of it is run."""
    found = read(with_entry("xl/vbaProject.bin", bytes(1000)), "xlsx")
    assert found.refused is not None
    assert "there is no such field" in found.refused


def test_a_formula_that_calls_out_is_never_evaluated(read: Reader) -> None:
    """Its stored value is a text like any other, and stays one."""
    header = ["uscc", "document_number", "kinds", "decided_on", "facts"]
    row = [USCC, "罚1", "罚款", "2026-08-01", "+cmd|' /C calc'!A0"]
    found = read(workbook([header, row]), "xlsx")
    assert found.rejects == []
    assert "+cmd" in found.lines[0][-3]


async def test_a_workbooks_reader_has_limits_of_memory_and_time(tmp_path: Path) -> None:
    """For what no scan foresees; and one process reads it, however large it is."""
    path, before = tmp_path / "file.xlsx", set(children_of(os.getpid()))
    header = ["uscc", "document_number", "kinds", "decided_on", "facts"]
    rows = [[USCC, f"罚{n}", "罚款", "2026-08-01", "未按规定明码标价。" * 99] for n in range(600)]
    path.write_bytes(workbook([header, *rows]))
    plan = make_plan(path, format="xlsx", chunk_rows=100)
    async with chunks_in_order(plan, count=2) as chunks:
        assert (await anext(chunks)).rows == 100
        (reader,) = set(children_of(os.getpid())) - before
        limits = await asyncio.to_thread(Path(f"/proc/{reader}/limits").read_text)
    assert re.search(rf"Max address space +{MAX_WORKBOOK_MEMORY} +{MAX_WORKBOOK_MEMORY} ", limits)
    assert re.search(rf"Max cpu time +{MAX_WORKBOOK_SECONDS} +{MAX_WORKBOOK_SECONDS} ", limits)


async def test_a_string_repeated_in_an_xls_ends_its_reader_and_not_the_gateway(
    tmp_path: Path,
) -> None:
    """No scan counts these texts: the limit of memory holds, and says so."""
    length, count = 8_000, 3 * MAX_WORKBOOK_MEMORY // 8_000 // 2
    strings = biff_record(0xFC, f"LLHB{length}s", count, 1, length, 0, b"x" * length)
    cells = b"".join(biff_record(0xFD, "3HL", n // 60, n % 60, 0, 0) for n in range(count))
    path = tmp_path / "file.xls"
    path.write_bytes(biff_workbook(cells, before=strings))
    async with chunks_in_order(make_plan(path, format="xls")) as chunks:
        with pytest.raises(FileRefused, match="may have needed too much memory"):
            await anext(chunks)
