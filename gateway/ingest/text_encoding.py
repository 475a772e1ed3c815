"""Decoding of text files in the declared encoding; a file in another encoding is refused."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from gateway.ingest.decompression import (
    MAX_LINE_BYTES,
    DecompressedFile,
    FileRefused,
    OversizedLine,
)
from verification.gbk_private_use import ASSIGNED

Encoding = Literal["utf-8", "gb18030"]
ENCODINGS: Final[tuple[Encoding, ...]] = ("utf-8", "gb18030")
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff]")


def read_text_blocks(
    source: DecompressedFile, encoding: Encoding
) -> Iterator[bytes | OversizedLine]:
    """Blocks of lines without a byte order mark; the first one is checked for its encoding."""
    is_first = True
    for block in source.blocks():
        if isinstance(block, OversizedLine) or not is_first:
            yield block
            continue
        is_first = False
        if block.startswith(_UTF16):  # every row would fail to decode
            raise FileRefused("The file is UTF-16: save it as UTF-8.")
        bare = block.removeprefix(_BOM)
        if encoding == "gb18030" and (len(bare) < len(block) or _is_distinctly(block, "utf-8")):
            raise FileRefused("The file is UTF-8, not GB 18030: leave out --encoding gb18030.")
        if encoding == "utf-8" and not _decodes(bare, "utf-8") and _decodes(bare, "gb18030"):
            raise FileRefused(
                "The file is not UTF-8; if it is GB 18030 (GBK, GB 2312), say --encoding gb18030."
            )
        if bare:
            yield bare


def decode_block(block: bytes, encoding: Encoding) -> str:
    """Text of whole lines. Undecodable bytes become lone surrogates, which the validator rejects."""
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError:
        text = block.decode(encoding, "surrogateescape")
    if encoding == "gb18030" and _PRIVATE_USE.search(text):
        return text.translate(ASSIGNED)
    return text


def oversized_row(row: int) -> FileRefused:
    """Refusal of a CSV line too long to read; it may end in a quotation, so cannot be skipped."""
    return FileRefused(
        f"The line of row {row} is longer than {MAX_LINE_BYTES:,} bytes: the file is taken no further."
    )


def _is_distinctly(block: bytes, encoding: Encoding) -> bool:
    """True if the block is valid in this encoding and not only ASCII."""
    return not block.isascii() and _decodes(block, encoding)


def _decodes(block: bytes, encoding: Encoding) -> bool:
    try:
        block.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
