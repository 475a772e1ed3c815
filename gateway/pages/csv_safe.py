"""No cell of a file that we make is read as a formula, whoever wrote what stands in it. Pure.

The file is CSV (RFC 4180) in UTF-8 behind a byte order mark, without which Excel reads Chinese as
something else.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = "\ufeff"
# What Excel, WPS and LibreOffice begin a formula with; the wide forms too, where East Asian input
# is usual. A separator in front of them may be dropped when the file is read.
_FORMULA: Final = frozenset("=+-@＝＋－＠")  # the wide forms are meant
_SEPARATING: Final = frozenset("\t\r\n")


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines, every cell quoted and read as text."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(
        [cell(each) for each in row] for row in rows
    )
    return written.getvalue()


def cell(text: str) -> str:
    """`text` for a cell: behind an apostrophe where it would begin a formula."""
    rest = text.lstrip()
    before = text[: len(text) - len(rest)]
    runs = rest[:1] in _FORMULA or not _SEPARATING.isdisjoint(before)
    return f"'{text}" if runs else text
