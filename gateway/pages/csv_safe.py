"""CSV output (RFC 4180) safe from formula injection. Pure.

Files are UTF-8 with a byte order mark, without which Excel garbles Chinese.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = "\ufeff"
# Characters that start a formula in Excel, WPS and LibreOffice, full-width forms included.
# A separator before one may be dropped when the file is read.
_FORMULA: Final = frozenset("=+-@＝＋－＠")  # full width on purpose
_SEPARATING: Final = frozenset("\t\r\n")


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV lines, every cell quoted and escaped."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(
        [escape_formula(each) for each in row] for row in rows
    )
    return written.getvalue()


def escape_formula(text: str) -> str:
    """The cell text, with a leading apostrophe where it would start a formula."""
    rest = text.lstrip()
    leading = text[: len(text) - len(rest)]
    starts_formula = rest[:1] in _FORMULA or not _SEPARATING.isdisjoint(leading)
    return f"'{text}" if starts_formula else text
