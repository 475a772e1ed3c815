"""Rows of an NDJSON file: one JSON object per line; an invalid line is a row with a problem.

In every format rows are counted from 1, without header and empty lines, so that row numbers are
stable when a file is read again.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from gateway import strict_json
from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.readers.decompression import (
    MAX_LINE_BYTES,
    DecompressedFile,
    FileRefused,
    OversizedLine,
)
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.member_names import MEMBER_TWICE, PASSED_OVER, MemberNames
from gateway.ingest.readers.row_reader import RowReader
from gateway.ingest.readers.text_encoding import DeclaredEncoding, TextBlocks, decode_block
from gateway.ingest.rows import Row, RowParser, columns_of_rows
from gateway.strict_json import NotJsonError, StrictJsonError

NOT_JSON: Final = FieldProblem(field=WHOLE_ROW, code=ProblemCode.NOT_JSON)
NOT_AN_OBJECT: Final = FieldProblem(field=WHOLE_ROW, code=ProblemCode.NOT_AN_OBJECT)
LINE_TOO_LONG: Final = FieldProblem(
    field=WHOLE_ROW, code=ProblemCode.LINE_TOO_LONG, numbers=(MAX_LINE_BYTES,)
)
_NOT_STRICT: Final = {
    strict_json.TOO_DEEP: FieldProblem(
        field=WHOLE_ROW, code=ProblemCode.NESTED_TOO_DEEP, numbers=(strict_json.MAX_DEPTH,)
    ),
    strict_json.MEMBER_TWICE: MEMBER_TWICE,
    strict_json.INTEGER_TOO_LARGE: FieldProblem(field=WHOLE_ROW, code=ProblemCode.NUMBER_TOO_LARGE),
}
"""Problems by the message of the error."""


def read_ndjson(
    source: DecompressedFile, header: HeaderReader, encoding: DeclaredEncoding
) -> RowReader:
    """The rows of a file with one JSON object per line."""
    return _JsonRows(source, header, encoding)


class _JsonRows(RowReader):
    """Row reader over lines, each parsed once; those that are skipped are not parsed."""

    def __init__(
        self, source: DecompressedFile, header: HeaderReader, encoding: DeclaredEncoding
    ) -> None:
        self._lines = _json_lines(source, encoding)
        self._members = MemberNames(header)
        super().__init__(source, map(self._read, self._lines), _PARSER)

    @property
    def names(self) -> Mapping[str, str] | None:
        return self._members.names

    @property
    def ignored(self) -> tuple[str, ...]:
        return self._members.ignored

    def pass_over(self, count: int) -> int:
        return sum(1 for _ in islice(self._lines, count))

    def _read(self, line: bytes | FieldProblem) -> Row:
        if isinstance(line, FieldProblem):
            return line
        try:
            row = strict_json.parse(line)
        except NotJsonError:
            return NOT_JSON
        except StrictJsonError as error:
            return _NOT_STRICT.get(str(error), NOT_JSON)
        return self._members.row(row) if type(row) is dict else NOT_AN_OBJECT


_PARSER: Final = RowParser(
    read=lambda row: row,
    columns=columns_of_rows,
    is_passed_over=lambda row: row is PASSED_OVER,
)


def _json_lines(
    source: DecompressedFile, encoding: DeclaredEncoding
) -> Iterator[bytes | FieldProblem]:
    """Lines as UTF-8; undecodable bytes are kept so that the line fails to parse."""
    is_first = True
    blocks = TextBlocks(source, encoding)
    for block in blocks:
        if isinstance(block, OversizedLine):
            yield LINE_TOO_LONG
            continue
        if is_first and block.lstrip()[:1] == b"[":
            raise FileRefused(
                "The file is a JSON array: write one object per line (NDJSON).",
                "文件是 JSON 数组：请每行写一个对象（NDJSON）。",
            )
        is_first = False
        text = (
            block
            if blocks.encoding == "utf-8"
            else decode_block(block, blocks.encoding).encode("utf-8", "surrogatepass")
        )
        for line in text.split(b"\n"):
            if line and not line.isspace():
                yield line
