"""Decompression of delivered files (gzip, zstd): sequential, in bounded blocks, with a ratio limit.

The ratio limit refuses decompression bombs.
"""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

import zstandard

BLOCK_BYTES: Final = 1 << 20
MAX_LINE_BYTES: Final = 1 << 20
MAX_RATIO: Final = 250
RATIO_FREE_BYTES: Final = 64 << 20
"""Unpacked bytes that are exempt from the ratio: small repetitive files compress extremely well."""
_WINDOW: Final = 1 << 27  # zstd's own default limit, 128 MiB

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"


class FileRefused(Exception):  # named in the past tense
    """The file cannot be taken, or no further; `en` and `zh` are the sentence that says why."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh)
        self.en, self.zh = en, zh

    def __str__(self) -> str:
        return self.en


class OversizedLine:
    """Placeholder for a line longer than `MAX_LINE_BYTES`."""


OVERSIZED_LINE: Final = OversizedLine()


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class _Zstd:
    """Reader of concatenated Zstandard frames; unlike the library's, it reports a truncated file."""

    _SLICE: Final = 1 << 10
    """A block of 128 KiB can be packed into 4 bytes, so a slice yields 32 MiB at most."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame = self._new_frame()
        self._is_begun = False
        self._left = b""

    def read1(self, _size: int, /) -> bytes:
        """The next unpacked bytes; empty at the end of the last frame."""
        while packed := self._left or self._raw.read(self._SLICE):
            piece = self._frame.decompress(packed)
            self._left, self._is_begun = b"", True
            if self._frame.eof:
                self._left = self._frame.unused_data
                self._frame, self._is_begun = self._new_frame(), False
            if piece:
                return piece
        if self._is_begun:
            raise EOFError
        return b""

    @staticmethod
    def _new_frame() -> "zstandard.ZstdDecompressionObj":
        return zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()


class DecompressedFile:
    """Unpacked bytes of a file, with the position in the packed file."""

    def __init__(self, path: Path) -> None:
        self.raw = open_regular_file(path)
        """The packed file."""
        self.size = os.fstat(self.raw.fileno()).st_size
        head = self.raw.read(4)
        self.raw.seek(0)
        if head.startswith(_ZIP):
            raise FileRefused(
                "The file is a ZIP archive: unpack it, or pack it by gzip or zstd; if it is an Excel "
                "workbook, name it .xlsx.",
                "文件是 ZIP 压缩包：请解压，或改用 gzip、zstd 压缩；如为 Excel 工作簿，请以 .xlsx 命名。",
            )
        self.is_parquet = head == _PARQUET
        self._stream = self._open_stream(head)
        self.unpacked = 0
        """Unpacked bytes read so far."""
        self._is_broken = False

    def _open_stream(self, head: bytes) -> _Readable:
        if head.startswith(_GZIP):
            return gzip.GzipFile(fileobj=self.raw)
        return _Zstd(self.raw) if head == _ZSTD else self.raw

    @property
    def position(self) -> int:
        """Bytes of the packed file read so far."""
        return self.raw.tell()

    def read(self) -> bytes:
        """The next block of at most `BLOCK_BYTES` bytes; empty at the end."""
        pieces, length = [], 0
        while length < BLOCK_BYTES and not self._is_broken:
            try:
                piece = self._stream.read1(BLOCK_BYTES)
            except (EOFError, OSError, zlib.error, zstandard.ZstdError):
                self._is_broken = True
                break
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
        if self._is_broken and not pieces:
            raise FileRefused(
                "The file breaks off or is damaged: it cannot be unpacked any further.",
                "文件不完整或已损坏，无法继续解压。",
            )
        self._check_ratio(length)
        return b"".join(pieces)

    def _check_ratio(self, length: int) -> None:
        self.unpacked += length
        if self.unpacked > RATIO_FREE_BYTES and self.unpacked > MAX_RATIO * self.position:
            raise FileRefused(
                f"The file unpacks to more than {MAX_RATIO} times its size, which no delivery does.",
                f"文件解压后超过原大小的 {MAX_RATIO} 倍，不是正常的报送文件。",
            )

    def blocks(self) -> Iterator[bytes | OversizedLine]:
        """Blocks of whole lines with their newlines; `OVERSIZED_LINE` in place of a long line."""
        rest, skipping = b"", False
        while piece := self.read():
            if skipping:
                _, newline, piece = piece.partition(b"\n")
                if not newline:
                    continue
                skipping = False
            end = piece.rfind(b"\n") + 1
            if end:
                if len(rest) + piece.find(b"\n") > MAX_LINE_BYTES:
                    yield OVERSIZED_LINE
                    begin = piece.find(b"\n") + 1
                    if begin < end:
                        yield piece[begin:end]
                else:
                    yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
            if len(rest) > MAX_LINE_BYTES:
                yield OVERSIZED_LINE
                rest, skipping = b"", True
        if rest:
            yield rest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()


def is_packed(head: bytes) -> bool:
    """True if a file that begins so is packed by gzip or zstd."""
    return head.startswith((_GZIP, _ZSTD))


def open_regular_file(path: Path) -> io.BufferedReader:
    """Open a regular file, never a pipe or device. Raises `FileRefused`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        kind = type(error).__name__
        raise FileRefused(
            f"The file cannot be opened ({kind}).", f"无法打开文件（{kind}）。"
        ) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileRefused("This is not a regular file.", "这不是普通文件。")
    return os.fdopen(descriptor, "rb")
