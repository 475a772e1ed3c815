"""Decoding of text files in the encoding that was declared or that the first block shows."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from gateway.ingest.readers.decompression import (
    MAX_LINE_BYTES,
    DecompressedFile,
    FileRefused,
    OversizedLine,
)
from verification.gbk_private_use import ASSIGNED

Encoding = Literal["utf-8", "gb18030"]
DeclaredEncoding = Literal["auto", "utf-8", "gb18030"]
"""`auto`: GB 18030 if the file's first block is valid in it and not in UTF-8, else UTF-8."""
ENCODINGS: Final[tuple[DeclaredEncoding, ...]] = ("auto", "utf-8", "gb18030")
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff]")


class TextBlocks:
    """Blocks of lines without a byte order mark; the first one is checked for its encoding."""

    def __init__(self, source: DecompressedFile, declared: DeclaredEncoding) -> None:
        self._source = source
        self._declared = declared
        self.encoding: Encoding = "gb18030" if declared == "gb18030" else "utf-8"

    def __iter__(self) -> Iterator[bytes | OversizedLine]:
        is_first = True
        for block in self._source.blocks():
            if isinstance(block, OversizedLine) or not is_first:
                yield block
                continue
            is_first = False
            if bare := self._checked(block):
                yield bare

    def _checked(self, block: bytes) -> bytes:
        """The first block without its byte order mark; `FileRefused` if its encoding is another."""
        if block.startswith(_UTF16):  # every row would fail to decode
            raise FileRefused(
                "The file is UTF-16: save it as UTF-8.", "文件编码为 UTF-16：请另存为 UTF-8。"
            )
        bare = block.removeprefix(_BOM)
        has_mark = len(bare) < len(block)
        is_other = not has_mark and not _decodes(bare, "utf-8") and _decodes(bare, "gb18030")
        if self._declared == "gb18030" and (has_mark or _is_distinctly(block, "utf-8")):
            raise FileRefused(
                "The file is UTF-8, not GB 18030: leave out --encoding gb18030.",
                "文件编码为 UTF-8，不是 GB 18030：请去掉 --encoding gb18030。",
            )
        if self._declared == "utf-8" and is_other:
            raise FileRefused(
                "The file is not UTF-8; if it is GB 18030 (GBK, GB 2312), say --encoding gb18030.",
                "文件编码不是 UTF-8；如为 GB 18030（GBK、GB 2312），请指定 --encoding gb18030。",
            )
        if self._declared == "auto" and is_other:
            self.encoding = "gb18030"
        return bare


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
        f"The line of row {row} is longer than {MAX_LINE_BYTES:,} bytes: the file is taken no further.",
        f"第 {row} 行超过 {MAX_LINE_BYTES:,} 字节，后续内容未处理。",
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
