"""Scan of an .xls ([MS-XLS], BIFF5 and BIFF8): extents of its sheets and their error values.

calamine places the cells of every sheet when it opens the file, and tells an error as an empty cell.
"""

import struct
from collections.abc import Iterator
from typing import Final

from gateway.ingest.readers.workbook.compound_file import CompoundFile
from gateway.ingest.readers.workbook.extent import SheetScan
from gateway.ingest.readers.workbook.limits import (
    MAX_CELLS,
    MAX_SHEETS,
    MAX_XLS_BYTES,
    damaged,
    not_a_workbook,
    protected,
    too_large,
    too_large_file,
)
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell

_PAIR: Final = struct.Struct("<2H")
"""Kind and length of a record; row and column of a cell."""
_PLACE: Final = struct.Struct("<L")
_BOF, _EOF, _FILE_PASS, _SHEET = 0x0809, 0x000A, 0x002F, 0x0085
_FORMULA, _BOOLEAN_OR_ERROR, _MANY_NUMBERS = 0x0006, 0x0205, 0x00BD
_ONE_CELL: Final = frozenset({_FORMULA, _BOOLEAN_OR_ERROR, 0x0203, 0x0204, 0x027E, 0x00D6, 0x00FD})
"""Records of one cell; also numbers, texts and RK numbers."""
_SHEET_OF_CELLS: Final = 0x0010
_VERSIONS: Final = frozenset({0x0500, 0x0600})
_STREAMS: Final = ("Workbook", "Book")
_ENCRYPTED: Final = "EncryptedPackage"


def scan_xls(content: bytes) -> list[SheetScan | None]:
    """The scan of each sheet, in their order; None for one that has no cells, such as a chart."""
    if len(content) > MAX_XLS_BYTES:
        raise too_large_file(MAX_XLS_BYTES)
    container = CompoundFile(content)
    if _ENCRYPTED in container.names:
        raise protected()
    stream = next(filter(None, map(container.stream, _STREAMS)), None)
    if stream is None:
        raise not_a_workbook()
    places = _sheet_places(stream)
    if not 0 < len(set(places)) == len(places) <= MAX_SHEETS:
        raise damaged()
    found = [_scan_substream(stream, place) for place in places]
    if sum(scan.extent.cells for _, scan in found) > MAX_CELLS:  # of charts as well
        raise too_large()
    return [scan if kind == _SHEET_OF_CELLS else None for kind, scan in found]


def _sheet_places(stream: bytes) -> list[int]:
    """Offsets of the sheets, by the workbook's first substream."""
    places: list[int] = []
    for kind, data in _records(stream, 0):
        if kind == _FILE_PASS:
            raise protected()
        if kind == _SHEET:
            (place,) = _PLACE.unpack_from(_whole(data, _PLACE.size))
            places.append(place)
    return places


def _scan_substream(stream: bytes, begin: int) -> tuple[int, SheetScan]:
    """The kind of the substream, and the scan of its cells."""
    scan, records = SheetScan(), _records(stream, begin)
    first, data = next(records, (0, b""))
    version, kind = _PAIR.unpack_from(_whole(data, _PAIR.size))
    if first != _BOF or version not in _VERSIONS:
        raise damaged()
    for each, cell in records:
        _add(scan, each, cell)
    return kind, scan


def _records(stream: bytes, begin: int) -> Iterator[tuple[int, bytes]]:
    """Records of one substream to its end, with those of substreams within it."""
    place, depth = begin, 0
    while place + _PAIR.size <= len(stream):
        kind, length = _PAIR.unpack_from(stream, place)
        place += _PAIR.size
        yield kind, stream[place : place + length]
        place += length
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return


def _add(scan: SheetScan, kind: int, data: bytes) -> None:
    if kind == _MANY_NUMBERS:
        row, first = _PAIR.unpack_from(_whole(data, 6))
        last = int.from_bytes(data[-2:], "little")
        scan.extent.add(row, first)
        scan.extent.add(row, max(first, last))
    elif kind in _ONE_CELL:
        row, column = _PAIR.unpack_from(_whole(data, 4))
        scan.extent.add(row, column)
        if kind == _BOOLEAN_OR_ERROR:
            is_error = _whole(data, 8)[7] == 1
        else:
            is_error = kind == _FORMULA and data[6:7] == b"\2" and data[12:14] == b"\xff\xff"
        if is_error:
            scan.mark(row, column, UnfitCell.ERROR)


def _whole(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise damaged()
    return data
