"""Validation of one delivered row against the catalogue. Pure: no database, no keys, no clock but a day.

Produces all problems and warnings; `validate_columns` is the fast path for clean rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.column_names import KEY, ROW_MEMBERS, SOURCE_TIME, USCC
from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.creditfile.natural_keys import fold, key_of, parts_of
from gateway.creditfile.penalty_publicity import NEVER
from gateway.creditfile.rating_indicators import INDICATORS
from gateway.ingest.nearest_names import NearestInDataset
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell
from gateway.ingest.results import (
    NOT_PUBLISHED,
    WARNING_OF_NUMBER,
    AcceptedRow,
    MaskedField,
    RejectedRow,
    RowWarning,
)
from gateway.ingest.validation.dataset_rules import MAX_KEY_LENGTH, DatasetRules
from gateway.ingest.validation.field_parsers import EMPTY_VALUES, InvalidValue, is_omitted
from gateway.ingest.validation.uscc_check import (
    check_character_fits,
    is_like_an_id_number,
    normalise_code,
)
from gateway.privacy.redaction import Masking, holds_personal_number, may_hold_personal_number, scan

MAX_PROBLEMS: Final = 20
"""Maximum problems reported for one row: a line may have a hundred thousand unknown members."""
MAX_LOOKED_UP: Final = 3
"""Problems of one row for which the nearest names are looked up, which costs most."""
_FIELD_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)


class RowValidator:
    """Validates rows of one dataset on one day."""

    def __init__(self, catalogue: Catalogue, dataset_code: str, *, today: date) -> None:
        self.rules = DatasetRules.of(catalogue, dataset_code, today=today)
        self._nearest = NearestInDataset(self.rules.dataset)

    def validate(self, row: Mapping[str, Any]) -> AcceptedRow | RejectedRow:
        """Validate one row. Empty members count as omitted."""
        problems: list[FieldProblem] = []
        row = _without_unfit(row, problems)
        uscc = self._code(row, problems)
        fields = self._read(row, problems)
        self._fill_key(row, fields, problems)
        for name in self.rules.needed:
            if name not in fields and not any(each.field == name for each in problems):
                problems.append(FieldProblem(field=name, code=ProblemCode.MISSING))
        source_time = self._time(row, problems)
        unfit = self.rules.indicators_problem(fields) if self.rules.has_indicators else None
        if unfit is not None:
            problems.append(FieldProblem(field=INDICATORS, code=unfit))
        if problems:
            return RejectedRow(problems=tuple(problems[:MAX_PROBLEMS]))
        return self._accepted(uscc, row, fields, source_time)

    def _code(self, row: Mapping[str, Any], problems: list[FieldProblem]) -> str:
        value = row.get(USCC)
        if value is None and any(each.field == USCC for each in problems):
            return ""
        try:
            if is_omitted(value):
                raise InvalidValue(ProblemCode.MISSING)
            return normalise_code(value)
        except InvalidValue as invalid:
            problems.append(invalid.of(USCC))
            return ""

    def _read(self, row: Mapping[str, Any], problems: list[FieldProblem]) -> dict[str, Any]:
        parsers = self.rules.parsers
        fields: dict[str, Any] = {}
        for name, value in row.items():
            if is_omitted(value):
                continue
            parser = parsers.get(name)
            try:
                if parser is not None:
                    read = parser(value)
                    if read not in EMPTY_VALUES:
                        fields[name] = read
                elif name not in ROW_MEMBERS:
                    raise InvalidValue(ProblemCode.UNKNOWN_FIELD)
            except InvalidValue as invalid:
                is_looked_up = len(problems) < MAX_LOOKED_UP
                nearest = self._nearest_to(invalid, name, value) if is_looked_up else ()
                is_named = invalid.code is not ProblemCode.UNKNOWN_FIELD or nearest
                field = _shown(name) if is_named else WHOLE_ROW
                problems.append(replace(invalid.of(field), nearest=nearest))
                if len(problems) >= MAX_PROBLEMS:
                    break
        return fields

    def _nearest_to(self, invalid: InvalidValue, name: str, value: Any) -> tuple[str, ...]:
        """The catalogue's names nearest to an unfit value, or to an unknown member's name."""
        if invalid.code is ProblemCode.NOT_IN_CATALOGUE:
            return self._nearest.values(self.rules.dataset.field_by_name[name], value)
        if invalid.code is ProblemCode.UNKNOWN_FIELD:
            return self._nearest.fields(name)
        return ()

    def _fill_key(
        self, row: Mapping[str, Any], fields: dict[str, Any], problems: list[FieldProblem]
    ) -> None:
        """Check `key` against the fields, or fill the key fields from it."""
        key = row.get(KEY)
        if is_omitted(key) or self.rules.key == (USCC,):
            return
        parts = parts_of(key.strip(), len(self.rules.key)) if type(key) is str else []
        if len(parts) != len(self.rules.key):
            problems.append(FieldProblem(field=KEY, code=ProblemCode.KEY_PARTS))
            return
        for name, part in zip(self.rules.key, parts, strict=True):
            try:
                read = fields.setdefault(name, self.rules.parsers[name](part))
            except InvalidValue as invalid:
                problems.append(invalid.of(KEY))
                return
            if fold(str(read)) != fold(part):
                problems.append(FieldProblem(field=KEY, code=ProblemCode.KEY_DIFFERS))
                return

    def _accepted(
        self,
        uscc: str,
        row: Mapping[str, Any],
        fields: dict[str, Any],
        source_time: datetime | None,
    ) -> AcceptedRow | RejectedRow:
        key = (
            uscc if self.rules.key == (USCC,) else key_of([fields[name] for name in self.rules.key])
        )
        if not 0 < len(key) <= MAX_KEY_LENGTH:
            invalid = (
                InvalidValue(ProblemCode.KEY_TOO_LONG, MAX_KEY_LENGTH)
                if key
                else InvalidValue(ProblemCode.MISSING)
            )
            return RejectedRow(problems=(invalid.of(self.rules.key[0]),))
        for name in self.rules.key_texts:
            if holds_personal_number((fields[name],), today=self.rules.today):
                # Keys are not masked: two records could become one.
                in_key = FieldProblem(field=name, code=ProblemCode.PERSONAL_NUMBER_IN_KEY)
                return RejectedRow(problems=(in_key,))
        warnings: list[RowWarning] = (
            [] if check_character_fits(uscc) else [RowWarning.CHECK_CHARACTER]
        )
        if not warnings and is_like_an_id_number(uscc):
            warnings.append(RowWarning.LIKE_AN_ID_NUMBER)
        masked = self._mask(row, fields)
        warnings += dict.fromkeys(WARNING_OF_NUMBER[each.masking.kind] for each in masked)
        yuan = tuple(name for name in self.rules.yuan if self.rules.looks_like_yuan(name, fields))
        if yuan:
            warnings.append(RowWarning.LIKE_YUAN)
        publicity_end = ""
        if not self.rules.end_agrees(uscc, fields):
            warnings.append(RowWarning.PUBLICITY_END)
            publicity_end = _end_in_words(self.rules.last_day(uscc, fields))
        personal = {name: fields.pop(name) for name in self.rules.sealed if name in fields}
        return AcceptedRow(
            uscc=uscc,
            key=key,
            source_time=source_time,
            fields=fields,
            personal=personal,
            warnings=tuple(warnings),
            masked=masked,
            yuan=yuan,
            publicity_end=publicity_end,
        )

    def _mask(self, row: Mapping[str, Any], fields: dict[str, Any]) -> tuple[MaskedField, ...]:
        """R5: mask personal numbers in texts; returns their positions in `row`."""
        found: list[MaskedField] = []
        texts = [fields[name] for name in self.rules.texts if name in fields]
        if not may_hold_personal_number(chain.from_iterable(_listed(each) for each in texts)):
            return ()
        for name in self.rules.texts:
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
        """`text` with numbers masked, and their positions in the text as `given`."""
        scanned = scan(text, today=self.rules.today)
        before = len(given) - len(given.lstrip())
        return scanned.text, (replace(m, start=m.start + before) for m in scanned.maskings)

    def _time(self, row: Mapping[str, Any], problems: list[FieldProblem]) -> datetime | None:
        value = row.get(SOURCE_TIME)
        if is_omitted(value):
            return None
        try:
            moment: datetime = self.rules.parse_source_time(value)
        except InvalidValue as invalid:
            problems.append(invalid.of(SOURCE_TIME))
            return None
        return moment


def _without_unfit(row: Mapping[str, Any], problems: list[FieldProblem]) -> Mapping[str, Any]:
    """The row without the cells of a workbook whose value cannot be told, which are problems."""
    unfit = {name: value for name, value in row.items() if type(value) is UnfitCell}
    if not unfit:
        return row
    problems += (FieldProblem(field=name, code=value.value) for name, value in unfit.items())
    return {name: value for name, value in row.items() if name not in unfit}


def _end_in_words(last_day: date | None) -> str:
    if last_day is None:
        return ""
    return NOT_PUBLISHED if last_day == NEVER else last_day.isoformat()


def _listed(value: Any) -> Sequence[str]:  # a text, or a list of texts
    return (value,) if isinstance(value, str) else value


def _shown(name: object) -> str:
    """A field's name as reported: an unknown name that is no identifier may be data."""
    return name if isinstance(name, str) and _FIELD_NAME.fullmatch(name) else WHOLE_ROW
