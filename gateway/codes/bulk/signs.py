"""Sign names of a bulk issue from a CSV file, in a temporary table of one session: memory does not grow."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes.sign_text import TextProblem, parse_sign_name
from gateway.db.statements import Statement
from verification import NotACode, enterprise_code

HEADER: Final = ["uscc", "sign_name"]
_BATCH: Final = 5_000
_CREATE: Final = Statement(
    "CREATE TEMPORARY TABLE IF NOT EXISTS code_sign (uscc text PRIMARY KEY, sign_name text NOT NULL)"
)
_FIND: Final = Statement(
    "SELECT uscc, sign_name FROM code_sign WHERE uscc = ANY(CAST(:usccs AS text[]))"
)
_INSERT: Final = Statement("""
INSERT INTO code_sign (uscc, sign_name)
SELECT * FROM unnest(CAST(:usccs AS text[]), CAST(:names AS text[]))
    ON CONFLICT (uscc) DO NOTHING""")


class SignFileError(ValueError):
    """A file of sign names cannot be taken: the line and what is wrong with it."""

    def __init__(self, line: int, problem: TextProblem | str) -> None:
        self.line = line
        self.problem = problem
        super().__init__(f"line {line}: {problem}")


async def load_signs(connection: AsyncConnection, path: Path, *, today: date) -> int:
    """Load the file; the number of its signs. Nothing is issued where a line is wrong."""
    await connection.execute(_CREATE)
    rows, count = _read_rows(path, today), 0
    while some := list(islice(rows, _BATCH)):
        values = {"usccs": [uscc for _, uscc, _ in some], "names": [name for *_, name in some]}
        if (await connection.execute(_INSERT, values)).rowcount < len(some):
            raise SignFileError(some[0][0], "from here on, an enterprise stands there twice")
        count += len(some)
    return count


async def given_signs(connection: AsyncConnection, usccs: Sequence[str]) -> dict[str, str]:
    """The sign names of these enterprises that the loaded file has."""
    found = await connection.execute(_FIND, {"usccs": list(usccs)})
    return {row.uscc: row.sign_name for row in found}


def _read_rows(path: Path, today: date) -> Iterator[tuple[int, str, str]]:
    """Line number, USCC and sign name of each row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            if next(lines, None) != HEADER:
                raise SignFileError(1, f"the columns are {','.join(HEADER)}")
            for row in lines:
                yield lines.line_num, *_parse_row(row, lines.line_num, today)
        except (csv.Error, UnicodeDecodeError):
            raise SignFileError(lines.line_num, "it is not CSV in UTF-8") from None


def _parse_row(row: list[str], line: int, today: date) -> tuple[str, str]:
    if len(row) != len(HEADER):
        raise SignFileError(line, f"it has {len(row)} columns")
    code = enterprise_code(row[0])
    if isinstance(code, NotACode):
        raise SignFileError(line, "this is not a unified social credit code")
    name = parse_sign_name(row[1], today=today)
    if isinstance(name, TextProblem):
        raise SignFileError(line, name)
    return code.uscc, name
