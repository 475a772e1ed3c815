"""CSV and NDJSON encoding of a job's worded lists, with a size limit and a last line where it is reached."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.db.engine import to_json
from gateway.ingest.row_lists.list_file import MAX_LIST_BYTES, ROOM_FOR_CUT
from gateway.pages.csv_safe import escape_formula

NUMERIC_MEMBERS: Final = frozenset({"row", "item", "start", "length"})
_MOST_KNOWN: Final = 10_000
"""Encoded lines that are remembered, without their row: most lines of a list differ in that only."""

Listed = dict[str, str]
"""One line of a list, by member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWords:
    """Wording of one list: its members, of which `row` is first, the words of stored cells, and the
    stored line that stands at the end of a list that was cut."""

    members: tuple[str, ...]
    of: Callable[[list[str]], Listed]
    cut: bytes


def encode_list(
    words: ListWords, lines: str, *, is_csv: bool, max_bytes: int = MAX_LIST_BYTES
) -> bytes:
    """Stored lines in words, as CSV with its header or as NDJSON. Where they would be longer than
    `max_bytes`, the last line says from which row on lines are missing."""
    text = bytearray(csv_header(words.members) if is_csv else b"")
    for line in _encoded(words, lines, is_csv=is_csv):
        if len(text) + len(line.encoded) > max_bytes - ROOM_FOR_CUT:
            cut = (words.cut % line.row).decode()
            text += next(_encoded(words, cut, is_csv=is_csv)).encoded
            break
        text += line.encoded
    return bytes(text)


def encode_lines(words: ListWords, lines: str) -> bytes:
    """Stored lines in words, as CSV without a header."""
    return b"".join(line.encoded for line in _encoded(words, lines, is_csv=True))


def csv_header(members: Iterable[str]) -> bytes:
    """Header line of a served list."""
    return f"{','.join(members)}\n".encode()


@dataclass(slots=True)  # not frozen, for speed: one is made for each line
class _Line:
    row: bytes
    encoded: bytes


def _encoded(words: ListWords, lines: str, *, is_csv: bool) -> Iterator[_Line]:
    """Each stored line in words; what follows the row is encoded once for all equal lines."""
    encode, start = (_csv_rest, b"") if is_csv else (_json_rest, b'{"row":')
    known: dict[tuple[str, ...], bytes] = {}
    for cells in csv.reader(io.StringIO(lines)):
        row, stored = cells[0].encode(), tuple(cells[1:])
        rest = known.get(stored)
        if rest is None:
            rest = encode(words.of(cells), words.members[1:])
            if len(known) < _MOST_KNOWN:
                known[stored] = rest
        yield _Line(row, start + row + rest)


def _csv_rest(listed: Listed, members: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    cells = (escape_formula(listed.get(name, "")) for name in members)
    csv.writer(text, lineterminator="\n").writerow(cells)
    return f",{text.getvalue()}".encode()


def _json_rest(listed: Listed, members: tuple[str, ...]) -> bytes:
    """The members behind `row` of a JSON object in a line, without empty ones."""
    document = {
        name: int(cell) if name in NUMERIC_MEMBERS else cell
        for name in members
        if (cell := listed.get(name))
    }
    return f",{to_json(document)[1:]}\n".encode()
