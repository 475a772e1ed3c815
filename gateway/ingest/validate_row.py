"""One delivered row is judged against the catalogue alone: no database, no key, no clock but a day.

What is to be said of a row, a problem or a warning, is said here. `columns` reads many rows of which
nothing is to be said at once, and leaves the others to this.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.natural_keys import folded, key_of, parts_of
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.dataset_rules import KEY, MEMBERS, MOST_KEY, SOURCE_TIME, USCC, DatasetRules
from gateway.ingest.field_parsers import EMPTY, InvalidValue, is_left_out
from gateway.ingest.results import WARNED_OF, AcceptedRow, MaskedField, RejectedRow, RowWarning
from gateway.ingest.uscc_check import check_agrees, is_like_an_id_number, read_code
from gateway.privacy.redaction import Masking, holds_personal_number, may_hold_personal_number, scan

MOST_PROBLEMS: Final = 20
"""Problems that are said of one row: a line may have a hundred thousand members that nobody knows,
and a list of them all would fill the memory and the disk."""
IN_THE_KEY: Final = "personal_number_in_key"
"""A wire name: a key is not masked, two records could become one."""
_A_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)


class RowValidator:
    """Judges the rows of one dataset on one day."""

    def __init__(self, catalogue: Catalogue, dataset_code: str, *, today: date) -> None:
        self.expected = DatasetRules.of(catalogue, dataset_code, today=today)

    def judge(self, row: Mapping[str, Any]) -> AcceptedRow | RejectedRow:
        """What is to be taken of `row`, or why nothing is. Empty members count as left out."""
        problems: list[FieldProblem] = []
        uscc = self._code(row, problems)
        fields = self._read(row, problems)
        self._fill_key(row, fields, problems)
        for name in self.expected.needed:
            if name not in fields and not any(each.field == name for each in problems):
                problems.append(FieldProblem(field=name, reason="missing"))
        source_time = self._time(row, problems)
        if problems:
            return RejectedRow(problems=tuple(problems[:MOST_PROBLEMS]))
        return self._accepted(uscc, row, fields, source_time)

    def _code(self, row: Mapping[str, Any], problems: list[FieldProblem]) -> str:
        value = row.get(USCC)
        try:
            if is_left_out(value):
                raise InvalidValue("missing")
            return read_code(value)
        except InvalidValue as unfit:
            problems.append(FieldProblem(field=USCC, reason=str(unfit)))
            return ""

    def _read(self, row: Mapping[str, Any], problems: list[FieldProblem]) -> dict[str, Any]:
        readers = self.expected.readers
        fields: dict[str, Any] = {}
        for name, value in row.items():
            if is_left_out(value):
                continue
            reader = readers.get(name)
            try:
                if reader is not None:
                    read = reader(value)
                    if read not in EMPTY:
                        fields[name] = read
                elif name not in MEMBERS:
                    raise InvalidValue("unknown")
            except InvalidValue as unfit:
                problems.append(FieldProblem(field=_shown(name), reason=str(unfit)))
                if len(problems) >= MOST_PROBLEMS:
                    break
        return fields

    def _fill_key(
        self,
        row: Mapping[str, Any],
        fields: dict[str, Any],
        problems: list[FieldProblem],
    ) -> None:
        """A `key` beside the fields must say the same as they do, and may stand in their place."""
        key = row.get(KEY)
        if is_left_out(key) or self.expected.key == (USCC,):
            return
        parts = parts_of(key.strip(), len(self.expected.key)) if type(key) is str else []
        if len(parts) != len(self.expected.key):
            problems.append(FieldProblem(field=KEY, reason="not the parts of the natural key"))
            return
        for name, part in zip(self.expected.key, parts, strict=True):
            try:
                read = fields.setdefault(name, self.expected.readers[name](part))
            except InvalidValue as unfit:
                problems.append(FieldProblem(field=KEY, reason=str(unfit)))
                return
            if folded(str(read)) != folded(part):
                problems.append(
                    FieldProblem(field=KEY, reason="says something else than the fields")
                )
                return

    def _accepted(
        self,
        uscc: str,
        row: Mapping[str, Any],
        fields: dict[str, Any],
        source_time: datetime | None,
    ) -> AcceptedRow | RejectedRow:
        key = (
            uscc
            if self.expected.key == (USCC,)
            else key_of([fields[name] for name in self.expected.key])
        )
        if not 0 < len(key) <= MOST_KEY:
            reason = f"a key longer than {MOST_KEY} characters" if key else "missing"
            return RejectedRow(problems=(FieldProblem(field=self.expected.key[0], reason=reason),))
        for name in self.expected.key_texts:
            if holds_personal_number((fields[name],), today=self.expected.today):
                return RejectedRow(problems=(FieldProblem(field=name, reason=IN_THE_KEY),))
        warnings: list[RowWarning] = [] if check_agrees(uscc) else [RowWarning.CHECK_CHARACTER]
        if not warnings and is_like_an_id_number(uscc):
            warnings.append(RowWarning.LIKE_AN_ID_NUMBER)
        masked = self._mask(row, fields)
        warnings += dict.fromkeys(WARNED_OF[each.masking.kind] for each in masked)
        if not self.expected.end_agrees(fields):
            warnings.append(RowWarning.PUBLICITY_END)
        personal = {name: fields.pop(name) for name in self.expected.sealed if name in fields}
        return AcceptedRow(
            uscc=uscc,
            key=key,
            source_time=source_time,
            fields=fields,
            personal=personal,
            warnings=tuple(warnings),
            masked=masked,
        )

    def _mask(self, row: Mapping[str, Any], fields: dict[str, Any]) -> tuple[MaskedField, ...]:
        """R5: personal numbers leave texts before anything is stored. Where they stood in `row`."""
        found: list[MaskedField] = []
        texts = [fields[name] for name in self.expected.texts if name in fields]
        if not may_hold_personal_number(chain.from_iterable(_listed(each) for each in texts)):
            return ()
        for name in self.expected.texts:
            value = fields.get(name)
            if isinstance(value, str):
                fields[name], maskings = self._without_numbers(value, row[name])
                found += (MaskedField(field=name, masking=each) for each in maskings)
            elif value is not None:
                fields[name] = texts = []
                for item, given in enumerate(row[name]):
                    if text := given.strip():
                        masked_text, maskings = self._without_numbers(text, given)
                        texts.append(masked_text)
                        found += (MaskedField(field=name, masking=m, item=item) for m in maskings)
        return tuple(found)

    def _without_numbers(self, text: str, given: str) -> tuple[str, Iterator[Masking]]:
        """`text` masked, and where what was masked stood in the text as it was `given`."""
        scanned = scan(text, today=self.expected.today)
        before = len(given) - len(given.lstrip())
        return scanned.text, (replace(m, start=m.start + before) for m in scanned.maskings)

    def _time(self, row: Mapping[str, Any], problems: list[FieldProblem]) -> datetime | None:
        value = row.get(SOURCE_TIME)
        if is_left_out(value):
            return None
        try:
            moment: datetime = self.expected.read_time(value)
        except InvalidValue as unfit:
            problems.append(FieldProblem(field=SOURCE_TIME, reason=str(unfit)))
            return None
        return moment


def _listed(value: Any) -> Sequence[str]:  # a text, or a list of texts
    return (value,) if isinstance(value, str) else value


def _shown(name: object) -> str:
    """A field's name as it may be repeated: an unknown one could be a value in a wrong column."""
    return name if isinstance(name, str) and _A_NAME.fullmatch(name) else "?"
