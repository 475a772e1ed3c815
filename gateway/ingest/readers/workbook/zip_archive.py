"""ZIP archive of a workbook (APPNOTE 6.3): its structure and true sizes, checked before it is read.

Two readers must not see two archives in one file: no data before, between or behind the entries, no
name twice or under a second one, and what is declared of each entry is what it unpacks to.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

from gateway.ingest.readers.decompression import MAX_RATIO, RATIO_FREE_BYTES, FileRefused
from gateway.ingest.readers.workbook.limits import (
    MAX_DIRECTORY_BYTES,
    MAX_PARTS,
    MAX_UNPACKED_BYTES,
    damaged,
    protected,
    too_large_file,
)

_PIECE: Final = 1 << 16
_UNPACKED_PIECE: Final = 1 << 20
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_BYTES: Final = 20
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_END_MARK, _END64_MARK, _LOCAL_MARK = b"PK\x05\x06", b"PK\x06\x06", b"PK\x03\x04"
_IS_ENCRYPTED: Final = 0x1
_IS_UTF8: Final = 0x800
_MOST_DESCRIPTOR: Final = 24
"""Bytes of the descriptor that may stand behind an entry's data."""
_UNICODE_PATH: Final = 0x7075
"""Extra field with another name of the entry, which some readers prefer."""
_EXTRA: Final = struct.Struct("<2H")
_UNSAFE_NAME: Final = re.compile(r"[\\&\x00-\x1f]|^/|(^|/)\.{1,2}(/|$)")
"""Separators, references and relative steps that readers do not resolve alike."""


class ZipArchive:
    """A ZIP archive whose structure has been checked; `pieces` unpacks an entry."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._unpacked = 0
        directory = _check_end(file, size)
        try:
            self.entries: list[ZipInfo] = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
            raise damaged() from None
        self._begins = _check_entries(file, self.entries, directory)

    def pieces(self, entry: ZipInfo) -> Iterator[bytes]:
        """The unpacked bytes of an entry, counted. `FileRefused` where they are not as declared."""
        length, checksum = 0, 0
        for piece in self._unpack(entry):
            length += len(piece)
            checksum = zlib.crc32(piece, checksum)
            self._count(len(piece))
            if length > entry.file_size:
                break
            yield piece
        if length != entry.file_size or checksum != entry.CRC:
            raise damaged()

    def _unpack(self, entry: ZipInfo) -> Iterator[bytes]:
        left = entry.compress_size
        self._file.seek(self._begins[entry.header_offset])
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        while left > 0 and (packed := self._file.read(min(left, _PIECE))):
            left -= len(packed)
            if entry.compress_type == ZIP_STORED:
                yield packed
                continue
            try:
                yield from _inflate(inflater, packed)
            except zlib.error:
                raise damaged() from None
        if entry.compress_type == ZIP_DEFLATED and not (inflater.eof and not inflater.unused_data):
            raise damaged()

    def _count(self, length: int) -> None:
        self._unpacked += length
        if self._unpacked > MAX_UNPACKED_BYTES:
            raise too_large_file(MAX_UNPACKED_BYTES)
        if self._unpacked > RATIO_FREE_BYTES and self._unpacked > MAX_RATIO * self._size:
            raise FileRefused(
                f"The workbook unpacks to more than {MAX_RATIO} times its size, which no delivery does.",
                f"工作簿解压后超过原大小的 {MAX_RATIO} 倍，不是正常的报送文件。",
            )


def _inflate(inflater: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    while packed and not inflater.eof:
        if piece := inflater.decompress(packed, _UNPACKED_PIECE):
            yield piece
        packed = inflater.unconsumed_tail


def _check_end(file: BinaryIO, size: int) -> int:
    """Check the end of the archive, which has no comment; returns where its directory begins."""
    place = size - _END.size
    mark, _, _, _, entries, length, begin, comment = _unpack_at(file, place, _END)
    end = place
    if begin + length + _END64.size + _LOCATOR_BYTES == place:
        end = begin + length
        mark64, _, _, _, _, _, _, entries64, length64, begin64 = _unpack_at(file, end, _END64)
        if (mark64, entries64, length64, begin64) != (_END64_MARK, entries, length, begin):
            raise damaged()
    if mark != _END_MARK or comment or begin + length != end:
        raise damaged()
    if entries > MAX_PARTS or length > MAX_DIRECTORY_BYTES:
        raise FileRefused(
            f"The workbook has more than {MAX_PARTS:,} parts: save only the table in a new one.",
            f"工作簿的组成部分超过 {MAX_PARTS:,} 个：请将表格单独另存。",
        )
    return int(begin)


def _check_entries(file: BinaryIO, entries: list[ZipInfo], directory: int) -> dict[int, int]:
    """Check that the entries lie one behind the other; returns where the data of each begin."""
    if len({each.filename.casefold() for each in entries}) < len(entries):
        raise damaged()
    begins: dict[int, int] = {}
    place = slack = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.flag_bits & _IS_ENCRYPTED:
            raise protected()
        if _UNSAFE_NAME.search(entry.orig_filename) or _has_other_name(entry.extra):
            raise damaged()
        is_next = place <= entry.header_offset <= place + slack
        if not is_next or entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise damaged()
        begins[entry.header_offset] = _begin(file, entry)
        place = begins[entry.header_offset] + entry.compress_size
        slack = _MOST_DESCRIPTOR
    if not place <= directory <= place + slack:
        raise damaged()
    return begins


def _begin(file: BinaryIO, entry: ZipInfo) -> int:
    """Offset of an entry's data, by its own header."""
    found = _unpack_at(file, entry.header_offset, _LOCAL)
    mark, name_length, extra_length = found[0], found[-2], found[-1]
    encoding = "utf-8" if entry.flag_bits & _IS_UTF8 else "cp437"
    name = file.read(name_length)
    if mark != _LOCAL_MARK or name != entry.orig_filename.encode(encoding, "replace"):
        raise damaged()
    if _has_other_name(file.read(extra_length)):
        raise damaged()
    return int(entry.header_offset + _LOCAL.size + name_length + extra_length)


def _has_other_name(extra: bytes) -> bool:
    """True if the extra fields give the entry a second name, or are cut off."""
    place = 0
    while place + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, place)
        place += _EXTRA.size + length
        if kind == _UNICODE_PATH or place > len(extra):
            return True
    return False


def _unpack_at(file: BinaryIO, place: int, form: struct.Struct) -> tuple[Any, ...]:
    file.seek(max(place, 0))
    data = file.read(form.size)
    if place < 0 or len(data) < form.size:
        raise damaged()
    return form.unpack(data)
