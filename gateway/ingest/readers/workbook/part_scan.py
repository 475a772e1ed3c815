"""Streamed parsing of the XML parts of an .xlsx by expat, without document types and CDATA sections."""

from collections.abc import Iterable
from xml.parsers import expat

from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.workbook.limits import MAX_TOKEN_BYTES, damaged


def scan_xml(pieces: Iterable[bytes], handler: "PartHandler") -> bool:
    """Parse one XML part; false if its root is not the handler's, which then sees nothing of it.

    Raises `FileRefused` for what is not well-formed or has a document type.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    handler.parser = parser
    is_handled: list[bool] = []

    def root(name: str, attributes: dict[str, str]) -> None:
        is_handled.append(local_name(name) == handler.root)
        parser.StartElementHandler = None
        if is_handled[0]:
            parser.StartElementHandler = handler.start
            parser.EndElementHandler = handler.close
            parser.CharacterDataHandler = handler.characters
            parser.StartCdataSectionHandler = _refuse_section
            handler.start(name, attributes)

    parser.StartElementHandler = root
    parser.StartDoctypeDeclHandler = _refuse_document_type
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)  # noqa: FBT003  # expat's own signature
            fed += len(piece)
            if fed - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                raise damaged()
        parser.Parse(b"", True)  # noqa: FBT003
        handler.end()
    except (expat.ExpatError, ValueError, LookupError):
        raise damaged() from None
    return is_handled[0]


class PartHandler:
    """Handler of the elements of one kind of part; names may have a prefix."""

    root = ""
    parser: expat.XMLParserType

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def characters(self, text: str) -> None:
        """Text behind the start of the element that began last."""

    def close(self, name: str) -> None:
        """An element ends."""

    def end(self) -> None:
        """The part has ended."""


def byte_length(text: str) -> int:
    """The length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def local_name(name: str) -> str:
    """The name of an element without its prefix."""
    return name.rpartition(":")[2]


def _refuse_section() -> None:
    """Refuse a CDATA section, which calamine leaves out of a value."""
    raise damaged()


def _refuse_document_type(*_: object) -> None:
    raise FileRefused(
        "A part of the workbook has a document type (DTD), which none has: save it anew in Excel or WPS.",
        "工作簿中含有文档类型声明（DTD），正常工作簿没有：请用 Excel 或 WPS 重新保存。",
    )
