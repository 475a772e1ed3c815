"""Entries of the gateway's lists of a job: rejected rows with their reasons, warnings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from xinqiao.errors import ProtocolError

if TYPE_CHECKING:
    from xinqiao._core.wire.json_reader import Reader

WHOLE_ROW: Final = "?"
"""Field of an entry on the row as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNote:
    """One problem or warning of a row; it holds no value of the file."""

    row: int
    field: str
    column: str
    """The header's cell; the field where the gateway names no column, empty for the whole row."""
    code: str
    reason: str
    accepted: str

    @classmethod
    def read(cls, entry: Reader) -> RowNote:
        """Read an entry of a list; members that are missing are empty. Equal texts are kept once."""
        found = entry.optional_text("field") or WHOLE_ROW
        column = entry.optional_text("column") or ("" if found == WHOLE_ROW else found)
        code = entry.optional_text("code") or entry.optional_text("kind") or ""
        return cls(
            row=entry.integer("row"),
            field=intern(found),
            column=intern(column),
            code=intern(code),
            reason=intern(entry.optional_text("reason") or code),
            accepted=intern(_accepted(entry.members.get("accepted"))),
        )


def by_row(notes: Iterable[RowNote]) -> Mapping[int, Sequence[RowNote]]:
    """Entries by row number, rows in the file's order."""
    found: defaultdict[int, list[RowNote]] = defaultdict(list)
    for each in notes:
        found[each.row].append(each)
    return dict(sorted(found.items()))


def _accepted(value: Any) -> str:
    """Accepted values in one text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "、".join(value)
    raise ProtocolError("In the answer, accepted is neither a text nor a list of texts.")
