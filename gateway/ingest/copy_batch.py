"""Judged rows on their way into one COPY: of rows with the same key the last one counts."""

import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.copy_encoding import Liner
from gateway.ingest.results import MaskedField, RejectedRow, RowWarning
from gateway.ingest.staging_table import ID_BYTES
from gateway.ingest.validate_columns import ROWS, Columns, ColumnValidator, Form, Row, RowBatch
from gateway.ingest.validate_row import RowValidator

UNWRITABLE: Final = FieldProblem(field="?", reason="has bytes that are no characters")

MOST_TOGETHER: Final = 500
_FEW: Final = 8
"""So many rows are sooner looked at one by one."""
_UNWRITABLE: Final = (UnicodeEncodeError, orjson.JSONEncodeError)


def key_of(uscc: str, natural_key: str) -> str:
    """By what a row of a batch is known; in the order of the keys."""
    return f"{uscc}\0{natural_key}"


class CopyBatch:
    """Rows of one dataset, by their numbers. Small whatever it is given: a rejected row leaves
    only its problems."""

    def __init__(
        self,
        judge: RowValidator,
        liner: Liner,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._judge = judge.judge
        self._judge_columns = ColumnValidator(judge.expected).judge
        self._liner = liner
        self._random = random
        self._together = MOST_TOGETHER
        self._lines: dict[str, tuple[int, bytes]] = {}
        self.rejected: dict[int, tuple[FieldProblem, ...]] = {}
        self.warned: dict[int, tuple[RowWarning, ...]] = {}
        self.masked: dict[int, tuple[MaskedField, ...]] = {}
        self.superseded: dict[int, str] = {}
        """Of a row that does not count, the key."""
        self.rows = 0
        self.size = 0

    def add(
        self,
        first: int,
        items: Sequence[Any],
        form: Form = ROWS,
        *,
        most_bytes: int = sys.maxsize,
    ) -> int:
        """Judge rows, numbered from `first`, and keep their lines, or their problems.

        How many there were until the batch had so many bytes. As many are looked at together as were
        lately found to be without fault, a few by themselves.
        """
        at = 0
        while at < len(items) and self.size < most_bytes:
            some = items[at : at + self._together]
            numbers = range(first + at, first + at + len(some))
            if len(some) <= _FEW:
                pairs = zip(numbers, some, strict=True)
                faulty = [n for n, item in pairs if not self._add_one(n, form.read(item))]
                self._together = 2 if faulty else min(2 * self._together, MOST_TOGETHER)
            elif self._add_at_once(numbers, form.columns(some)):
                self._together = min(2 * self._together, MOST_TOGETHER)
            else:
                self._together = max(len(some) // 2, _FEW)
                continue
            at += len(some)
        return at

    def _add_at_once(self, numbers: range, columns: Columns | None) -> bool:
        lot = None if columns is None else self._judge_columns(columns)
        if lot is None:
            return False
        try:
            self._keep(numbers, lot)
        except _UNWRITABLE:
            return False
        self.rows += len(numbers)
        return True

    def _add_one(self, number: int, row: Row) -> bool:
        """Whether nothing is to be said of it."""
        self.rows += 1
        if isinstance(row, FieldProblem):
            self.rejected[number] = (row,)
            return False
        verdict = self._judge(row)
        if isinstance(verdict, RejectedRow):
            self.rejected[number] = verdict.problems
            return False
        try:
            self._keep((number,), RowBatch.of_one(verdict))
        except _UNWRITABLE:
            self.rejected[number] = (UNWRITABLE,)
            return False
        if verdict.warnings:
            self.warned[number] = verdict.warnings
        if verdict.masked:
            self.masked[number] = verdict.masked
        return not verdict.warnings

    def _keep(self, numbers: Sequence[int], lot: RowBatch) -> None:
        lines = self._liner(numbers, _new_ids(self._random, len(numbers)), lot)
        keys = list(map(key_of, lot.usccs, lot.keys))
        new = dict(zip(keys, zip(numbers, lines, strict=True), strict=True))
        if len(new) < len(keys) or not self._lines.keys().isdisjoint(new):
            for number, key in zip(numbers, keys, strict=True):
                earlier = self._lines.get(key)
                if earlier is not None:
                    self.superseded[earlier[0]] = key
                self._lines[key] = number, b""
        self._lines.update(new)
        self.size += sum(map(len, lines))

    def payload(self) -> bytes:
        """What COPY is given, in the order of the keys: so the table's indexes are walked once."""
        lines = [self._lines[key][1] for key in sorted(self._lines)]
        lines.append(b"")
        return b"\n".join(lines)


def _new_ids(random: Callable[[int], bytes], count: int) -> list[str]:
    """Opaque ids, all from one call for randomness."""
    length = 2 * ID_BYTES
    many = random(ID_BYTES * count).hex()
    return [many[at : at + length] for at in range(0, len(many), length)]
