"""Batch of validated rows for one COPY; of rows with the same key the last one counts."""

import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.merge.copy_encoding import RowEncoder
from gateway.ingest.merge.staging_table import RECORD_ID_BYTES
from gateway.ingest.results import MaskedField, RejectedRow, RowWarning
from gateway.ingest.rows import IDENTITY_PARSER, Columns, Row, RowParser
from gateway.ingest.validation.validate_columns import ColumnValidator, RowBatch
from gateway.ingest.validation.validate_row import RowValidator

NOT_ENCODABLE: Final = FieldProblem(field=WHOLE_ROW, code=ProblemCode.NOT_CHARACTERS)

MAX_ROWS_AT_ONCE: Final = 500
_FEW_ROWS: Final = 8
"""At or below this size, row-by-row validation is faster."""
_ENCODING_ERRORS: Final = (UnicodeEncodeError, orjson.JSONEncodeError)


def batch_key(uscc: str, natural_key: str) -> str:
    """Sort key of a row within a batch."""
    return f"{uscc}\0{natural_key}"


class CopyBatch:
    """Collects validated rows of one dataset; a rejected row leaves only its problems."""

    def __init__(
        self,
        validator: RowValidator,
        encoder: RowEncoder,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._validate = validator.validate
        self._validate_columns = ColumnValidator(validator.rules).validate
        self._encode = encoder
        self._random = random
        self._rows_at_once = MAX_ROWS_AT_ONCE
        self._lines: dict[str, tuple[int, bytes]] = {}
        self.rejected: dict[int, tuple[FieldProblem, ...]] = {}
        self.warned: dict[int, tuple[RowWarning, ...]] = {}
        self.publicity_ends: dict[int, str] = {}
        self.masked: dict[int, tuple[MaskedField, ...]] = {}
        self.yuan: dict[int, tuple[str, ...]] = {}
        """Amounts of the warning `LIKE_YUAN`."""
        self.superseded: dict[int, str] = {}
        """Row numbers replaced by a later row of the same key, with that key."""
        self.passed_over = 0
        """Rows of natural persons, of which nothing is kept."""
        self.rows = 0
        self.size = 0

    def add(
        self,
        first: int,
        items: Sequence[Any],
        parser: RowParser = IDENTITY_PARSER,
        *,
        max_bytes: int = sys.maxsize,
    ) -> int:
        """Validate rows, numbered from `first`, and keep their COPY lines or their problems.

        Stops once the batch has `max_bytes`; returns how many rows were added. The number of rows
        validated at once adapts: halved after a faulty row, doubled after clean ones.
        """
        done = 0
        while done < len(items) and self.size < max_bytes:
            part = items[done : done + self._rows_at_once]
            given = len(part)
            numbers: Sequence[int] = range(first + done, first + done + given)
            if parser.is_passed_over is not None:
                numbers, part = _kept(numbers, part, parser.is_passed_over)
            if len(part) <= _FEW_ROWS:
                pairs = zip(numbers, part, strict=True)
                faulty = [n for n, item in pairs if not self._add_one(n, parser.read(item))]
                self._rows_at_once = 2 if faulty else min(2 * self._rows_at_once, MAX_ROWS_AT_ONCE)
            elif self._add_at_once(numbers, parser.columns(part)):
                self._rows_at_once = min(2 * self._rows_at_once, MAX_ROWS_AT_ONCE)
            else:
                self._rows_at_once = max(len(part) // 2, _FEW_ROWS)
                continue
            done += given
            self.rows += given - len(part)
            self.passed_over += given - len(part)
        return done

    def _add_at_once(self, numbers: Sequence[int], columns: Columns | None) -> bool:
        batch = None if columns is None else self._validate_columns(columns)
        if batch is None:
            return False
        try:
            self._keep(numbers, batch)
        except _ENCODING_ERRORS:
            return False
        self.rows += len(numbers)
        return True

    def _add_one(self, number: int, row: Row) -> bool:
        """Add one row; true if it has neither a problem nor a warning."""
        self.rows += 1
        if isinstance(row, FieldProblem):
            self.rejected[number] = (row,)
            return False
        verdict = self._validate(row)
        if isinstance(verdict, RejectedRow):
            self.rejected[number] = verdict.problems
            return False
        try:
            self._keep((number,), RowBatch.of_one(verdict))
        except _ENCODING_ERRORS:
            self.rejected[number] = (NOT_ENCODABLE,)
            return False
        if verdict.warnings:
            self.warned[number] = verdict.warnings
        if verdict.masked:
            self.masked[number] = verdict.masked
        if verdict.publicity_end:
            self.publicity_ends[number] = verdict.publicity_end
        if verdict.yuan:
            self.yuan[number] = verdict.yuan
        return not verdict.warnings

    def _keep(self, numbers: Sequence[int], batch: RowBatch) -> None:
        lines = self._encode(numbers, _new_ids(self._random, len(numbers)), batch)
        keys = list(map(batch_key, batch.usccs, batch.keys))
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
        """The COPY payload in key order, so that the table's indexes are updated in sequence."""
        lines = [self._lines[key][1] for key in sorted(self._lines)]
        lines.append(b"")
        return b"\n".join(lines)


def _kept(
    numbers: Sequence[int], items: Sequence[Any], is_passed_over: Callable[[Any], bool]
) -> tuple[Sequence[int], Sequence[Any]]:
    """The rows that are not passed over, with their numbers."""
    kept = [place for place, item in enumerate(items) if not is_passed_over(item)]
    if len(kept) == len(items):
        return numbers, items
    return [numbers[place] for place in kept], [items[place] for place in kept]


def _new_ids(random: Callable[[int], bytes], count: int) -> list[str]:
    """Random record ids, from one call to `random`."""
    length = 2 * RECORD_ID_BYTES
    digits = random(RECORD_ID_BYTES * count).hex()
    return [digits[start : start + length] for start in range(0, len(digits), length)]
