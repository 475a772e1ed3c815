"""QR symbols (ISO/IEC 18004) as SVG and PNG, with a quiet zone of four modules.

The scheme of an address as bytes and the rest in alphanumeric mode; error correction level H as long
as the symbol stays within version 5: stickers are small and wear.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_H, ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.exceptions import DataOverflowError

QUIET_ZONE_MODULES: Final = 4
MAX_VERSION: Final = 5
SHORTEST_SEGMENT: Final = 20
"""Characters in capitals from which a segment of their own saves space."""
PNG_PIXELS_PER_MODULE: Final = 16
_DARK: Final = re.compile(rb"\x01+")

Matrix = tuple[tuple[bool, ...], ...]


def matrix_of(address: str) -> Matrix:
    """The modules of the symbol for `address`, quiet zone included; True is dark."""
    for level in (ERROR_CORRECT_H, ERROR_CORRECT_Q, ERROR_CORRECT_M):
        symbol = qrcode.QRCode(version=None, error_correction=level, border=QUIET_ZONE_MODULES)
        symbol.add_data(address, optimize=SHORTEST_SEGMENT)
        try:
            if symbol.best_fit() <= MAX_VERSION or level == ERROR_CORRECT_M:
                break
        except DataOverflowError:
            if level == ERROR_CORRECT_M:
                raise
    symbol.make(fit=False)
    return tuple(tuple(map(bool, row)) for row in symbol.get_matrix())


def runs(matrix: Matrix) -> Iterator[tuple[int, int, int]]:
    """The dark runs of each row: column, row and length."""
    for y, row in enumerate(matrix):
        for found in _DARK.finditer(bytes(row)):
            start, end = found.span()
            yield start, y, end - start


def as_path(matrix: Matrix) -> str:
    """The dark modules as SVG path data, one unit a module."""
    return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(matrix))


def as_svg(matrix: Matrix, *, label: str) -> bytes:
    """An SVG of one path on white. `label` is not escaped: trusted text only."""
    size = len(matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" '
        f'shape-rendering="crispEdges" role="img" aria-label="{label}">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{as_path(matrix)}"/></svg>'
    ).encode()


def as_png(matrix: Matrix) -> bytes:
    """A black and white PNG (ISO/IEC 15948), one bit per pixel."""
    width = len(matrix) * PNG_PIXELS_PER_MODULE
    lines = b"".join(_line(row) * PNG_PIXELS_PER_MODULE for row in matrix)
    header = struct.pack(">IIBBBBB", width, width, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _line(row: tuple[bool, ...]) -> bytes:
    """One scan line: filter type 0, then each module as whole bytes of one-bit pixels."""
    whole = PNG_PIXELS_PER_MODULE // 8
    return b"\0" + b"".join((b"\x00" if dark else b"\xff") * whole for dark in row)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
