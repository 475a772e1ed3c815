"""Bytes become text in the encoding that was said, or not at all: nothing is guessed, and a file in
another encoding than the one said is refused in place of being misread."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from gateway.ingest.decompression import (
    MOST_LINE,
    DecompressedFile,
    FileRefused,
    TooLong,
    refuse_utf16,
)
from verification.gbk_private_use import ASSIGNED

Encoding = Literal["utf-8", "gb18030"]
ENCODINGS: Final[tuple[Encoding, ...]] = ("utf-8", "gb18030")
_BOM: Final = b"\xef\xbb\xbf"
_PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff]")


def checked_blocks(source: DecompressedFile, encoding: Encoding) -> Iterator[bytes | TooLong]:
    """The lines of `source` without a byte order mark; the first block shows the encoding."""
    is_first = True
    for block in source.blocks():
        if isinstance(block, TooLong) or not is_first:
            yield block
            continue
        is_first = False
        refuse_utf16(block)
        bare = block.removeprefix(_BOM)
        if encoding == "gb18030" and (len(bare) < len(block) or _is(block, "utf-8")):
            raise FileRefused("The file is UTF-8, not GB 18030: leave out --encoding gb18030.")
        if encoding == "utf-8" and not _decodes(bare, "utf-8") and _decodes(bare, "gb18030"):
            raise FileRefused(
                "The file is not UTF-8; if it is GB 18030 (GBK, GB 2312), say --encoding gb18030."
            )
        if bare:
            yield bare


def decoded(block: bytes, encoding: Encoding) -> str:
    """The text of whole lines. Bytes that are no characters become lone surrogates, which no row
    with them survives."""
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError:
        text = block.decode(encoding, "surrogateescape")
    if encoding == "gb18030" and _PRIVATE_USE.search(text):
        return text.translate(ASSIGNED)
    return text


def too_long(row: int) -> FileRefused:
    """Where a line cannot be skipped, since it may end inside a quotation."""
    return FileRefused(
        f"The line of row {row} is longer than {MOST_LINE:,} bytes: the file is taken no further."
    )


def _is(block: bytes, encoding: Encoding) -> bool:
    """Whether it has more than ASCII in it and is well-formed."""
    return not block.isascii() and _decodes(block, encoding)


def _decodes(block: bytes, encoding: Encoding) -> bool:
    try:
        block.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
