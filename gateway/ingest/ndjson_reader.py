"""Rows of a file with one JSON object per line: what is none is a row with a problem.

Rows of every format are counted from 1, without a header and without empty lines, so that they have the
same numbers whenever the file is read again.
"""

from collections.abc import Iterator
from typing import Final

from gateway import strict_json
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.decompression import MOST_LINE, DecompressedFile, FileRefused, TooLong
from gateway.ingest.row_reader import RowReader
from gateway.ingest.text_encoding import Encoding, checked_blocks, decoded
from gateway.ingest.validate_columns import Form, Row, columns_of
from gateway.strict_json import NotJsonError, StrictJsonError

NOT_JSON: Final = FieldProblem(field="?", reason="not JSON in UTF-8")
NOT_AN_OBJECT: Final = FieldProblem(field="?", reason="not a JSON object")
LINE_TOO_LONG: Final = FieldProblem(field="?", reason=f"a line longer than {MOST_LINE} bytes")


def rows_of_ndjson(source: DecompressedFile, encoding: Encoding) -> RowReader:
    """The rows of a file with one JSON object per line."""

    def read(line: bytes | FieldProblem) -> Row:
        if isinstance(line, FieldProblem):
            return line
        try:
            row = strict_json.parse(line)
        except NotJsonError:
            return NOT_JSON
        except StrictJsonError as error:
            return FieldProblem(field="?", reason=str(error))
        return row if type(row) is dict else NOT_AN_OBJECT

    form = Form(read=read, columns=lambda lines: columns_of(map(read, lines)))
    return RowReader(source, _json_lines(source, encoding), form)


def _json_lines(source: DecompressedFile, encoding: Encoding) -> Iterator[bytes | FieldProblem]:
    """In UTF-8; bytes that are no characters stay such that their line is no JSON."""
    is_first = True
    for block in checked_blocks(source, encoding):
        if isinstance(block, TooLong):
            yield LINE_TOO_LONG
            continue
        if is_first and block.lstrip()[:1] == b"[":
            raise FileRefused("The file is a JSON array: write one object per line (NDJSON).")
        is_first = False
        text = (
            block
            if encoding == "utf-8"
            else decoded(block, encoding).encode("utf-8", "surrogatepass")
        )
        for line in text.split(b"\n"):
            if line and not line.isspace():
                yield line
