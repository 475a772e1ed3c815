"""OLE2 compound file ([MS-CFB]), the container of an .xls: reads one stream, within its bounds."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ingest.readers.workbook.limits import damaged

SIGNATURE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES: Final = 512
_SHIFTS: Final = struct.Struct("<2H")
_SHIFTS_PLACE, _DIRECTORY_PLACE, _CUTOFF_PLACE, _DIFAT_PLACE, _FAT_PLACE = 30, 48, 56, 68, 76
_SIZE_MASKS: Final = {9: 0xFFFFFFFF, 12: 0xFFFFFFFFFFFFFFFF}
"""Bits of a stream's size that count, by the sector shift."""
_MINI_SHIFT: Final = 6
_NUMBER_BYTES: Final = 4
_ENTRY: Final = struct.Struct("<64s2xB49xLQ")
_LAST: Final = 0xFFFFFFFA
"""Sector numbers above are marks."""
_STREAM, _ROOT = 2, 5
_CUTOFF: Final = 4096
"""Streams below this size are in mini sectors."""
_BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    kind: int
    begin: int
    size: int


class CompoundFile:
    """A compound file in memory. Raises `FileRefused` for chains that lead nowhere."""

    def __init__(self, content: bytes) -> None:
        if len(content) < _HEADER_BYTES:
            raise damaged()
        shift, mini_shift = _SHIFTS.unpack_from(content, _SHIFTS_PLACE)
        if shift not in _SIZE_MASKS or mini_shift != _MINI_SHIFT:
            raise damaged()
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._sectors = content[self._size :]
        self._fat = self._read_fat(content)
        size_mask = _SIZE_MASKS[shift]
        self._entries = list(self._read_directory(_number(content, _DIRECTORY_PLACE), size_mask))
        if _number(content, _CUTOFF_PLACE) != _CUTOFF:
            raise damaged()
        mini_fat = _number(content, _CUTOFF_PLACE + _NUMBER_BYTES)
        self._mini_fat = _numbers(self._chain(mini_fat))
        roots = [each for each in self._entries if each.kind == _ROOT]
        if len(roots) != 1:
            raise damaged()
        self._mini = self._chain(roots[0].begin)

    @property
    def names(self) -> frozenset[str]:
        """Names of the streams and storages."""
        return frozenset(each.name for each in self._entries)

    def stream(self, name: str) -> bytes | None:
        """The content of the stream of this name. `FileRefused` if not one entry alone has it."""
        found = [each for each in self._entries if each.name == name]
        if not found:
            return None
        if len(found) > 1 or found[0].kind != _STREAM:
            raise damaged()
        (entry,) = found
        if entry.size >= _CUTOFF:
            return self._chain(entry.begin)[: entry.size]
        return _join(self._mini, entry.begin, self._mini_fat, self._mini_size)[: entry.size]

    def _chain(self, begin: int) -> bytes:
        return _join(self._sectors, begin, self._fat, self._size)

    def _read_fat(self, content: bytes) -> Sequence[int]:
        """The FAT, whose sectors the header and the DIFAT list."""
        places = list(_numbers(content[_FAT_PLACE:_HEADER_BYTES]))
        difat, most = _number(content, _DIFAT_PLACE), len(content) // self._size
        while difat < _LAST:
            numbers = _numbers(self._sector(difat))
            if not numbers or len(places) > most + _HEADER_BYTES:
                raise damaged()
            places += numbers[:-1]
            difat = numbers[-1]
        return _numbers(b"".join(self._sector(each) for each in places[:most] if each < _LAST))

    def _sector(self, number: int) -> bytes:
        return self._sectors[self._size * number : self._size * (number + 1)]

    def _read_directory(self, begin: int, size_mask: int) -> Iterator[_Entry]:
        """Every entry, unused ones too, under the name before its first NUL: as calamine sees them."""
        content = self._chain(begin)
        for place in range(0, len(content) - _ENTRY.size + 1, _ENTRY.size):
            name, kind, first, size = _ENTRY.unpack_from(content, place)
            if name.startswith(_BYTE_ORDER_MARKS):
                raise damaged()
            text = name.decode("utf-16-le", "replace").partition("\0")[0]
            yield _Entry(name=text, kind=kind, begin=first, size=size & size_mask)


def _number(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + _NUMBER_BYTES], "little")


def _numbers(content: bytes) -> Sequence[int]:
    count = len(content) // _NUMBER_BYTES
    return struct.unpack(f"<{count}L", content[: count * _NUMBER_BYTES])


def _join(content: bytes, begin: int, table: Sequence[int], size: int) -> bytes:
    """The sectors of a chain, each at most once."""
    pieces: list[bytes] = []
    number = begin
    while number < _LAST:
        if number >= len(table) or len(pieces) >= len(table):
            raise damaged()
        pieces.append(content[size * number : size * (number + 1)])
        number = table[number]
    return b"".join(pieces)
