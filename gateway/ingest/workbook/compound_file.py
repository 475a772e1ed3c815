"""OLE2 compound file ([MS-CFB]), the container of an .xls: reads one stream, within its bounds."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ingest.workbook.limits import damaged

SIGNATURE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES: Final = 512
_SHIFTS: Final = struct.Struct("<2H")
_SHIFTS_PLACE, _DIRECTORY_PLACE, _CUTOFF_PLACE, _DIFAT_PLACE, _FAT_PLACE = 30, 48, 56, 68, 76
_SECTOR_SHIFTS: Final = frozenset({9, 12})
_MINI_SHIFT: Final = 6
_NUMBER_BYTES: Final = 4
_ENTRY: Final = struct.Struct("<64sHB49xLQ")
_LAST: Final = 0xFFFFFFFA
"""Sector numbers above are marks."""
_STREAM, _ROOT = 2, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    kind: int
    begin: int
    size: int


class CompoundFile:
    """A compound file in memory. Raises `FileRefused` for chains that lead nowhere."""

    def __init__(self, content: bytes) -> None:
        if len(content) < _HEADER_BYTES:
            raise damaged()
        shift, mini_shift = _SHIFTS.unpack_from(content, _SHIFTS_PLACE)
        if shift not in _SECTOR_SHIFTS or mini_shift != _MINI_SHIFT:
            raise damaged()
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._sectors = content[self._size :]
        self._fat = self._read_fat(content)
        self._entries = dict(self._read_directory(_number(content, _DIRECTORY_PLACE)))
        self._cutoff = _number(content, _CUTOFF_PLACE)
        mini_fat = _number(content, _CUTOFF_PLACE + _NUMBER_BYTES)
        self._mini_fat = _numbers(self._chain(mini_fat))
        roots = [each for each in self._entries.values() if each.kind == _ROOT]
        if len(roots) != 1:
            raise damaged()
        self._mini = self._chain(roots[0].begin)

    @property
    def names(self) -> frozenset[str]:
        """Names of the streams and storages."""
        return frozenset(self._entries)

    def stream(self, name: str) -> bytes | None:
        """The content of the stream of this name."""
        entry = self._entries.get(name)
        if entry is None or entry.kind != _STREAM:
            return None
        if entry.size >= self._cutoff:
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

    def _read_directory(self, begin: int) -> Iterator[tuple[str, _Entry]]:
        content = self._chain(begin)
        for place in range(0, len(content) - _ENTRY.size + 1, _ENTRY.size):
            name, length, kind, first, size = _ENTRY.unpack_from(content, place)
            if kind:
                text = name[: max(length - 2, 0)].decode("utf-16-le", "replace")
                yield text, _Entry(kind=kind, begin=first, size=size & 0xFFFFFFFF)


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
