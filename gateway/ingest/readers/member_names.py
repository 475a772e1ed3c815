"""Member names of JSON rows: mapped to the dataset's fields as the columns of other files are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.creditfile.catalogue.column_names import IGNORED, SUBJECT_KIND
from gateway.creditfile.field_problems import WHOLE_ROW, FieldProblem, ProblemCode
from gateway.ingest.readers.header import HeaderReader, shown_name
from gateway.ingest.rows import Row

PASSED_OVER: Final[Row] = MappingProxyType({})
"""In place of a row of a natural person, of which nothing is kept."""
MEMBER_TWICE: Final = FieldProblem(field=WHOLE_ROW, code=ProblemCode.MEMBER_TWICE)
_MOST_LISTED: Final = 40
_MOST_KNOWN: Final = 1_000
_LONGEST_KNOWN: Final = 200


class MemberNames:
    """Names of the members of a file's rows; a row of field codes alone is left as it is."""

    def __init__(self, reader: HeaderReader) -> None:
        self._reader = reader
        self._codes = reader.codes
        self._from_text = reader.cell_parsers(tuple(self._codes))
        self._targets: dict[str, str] = {}
        self._renamed: dict[str, str] = {}
        self._ignored: dict[str, None] = {}

    @property
    def names(self) -> Mapping[str, str] | None:
        """Names in the file by field; None where they are the codes."""
        return {each: each for each in self._codes} | self._renamed if self._renamed else None

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of members that were not kept; `?` stands for unknown ones, which may be data."""
        return tuple(self._ignored)

    def row(self, row: Mapping[str, Any]) -> Row:
        """The row by field, a problem, or `PASSED_OVER`."""
        return row if row.keys() <= self._codes else self._by_field(row)

    def _by_field(self, given: Mapping[str, Any]) -> Row:
        targets = [self._target(name) for name in given]
        for target, value in zip(targets, given.values(), strict=True):
            if target == SUBJECT_KIND and type(value) is str and self._reader.is_passed_over(value):
                return PASSED_OVER
        row: dict[str, Any] = {}
        for target, (name, value) in zip(targets, given.items(), strict=True):
            if target in self._codes:
                if target in row:
                    return MEMBER_TWICE
                row[target] = self._value(target, name, value)
            elif target or self._reader.ignores_unknown:
                self._ignore(shown_name(name) if target == IGNORED else "", target)
            else:
                row[name] = value  # for the validator to report
        return row

    def _value(self, target: str, name: str, value: Any) -> Any:
        """The value; of a member that is not named by a code, a text as files of cells have it."""
        if name == target:
            return value
        self._renamed.setdefault(target, shown_name(name))
        parse = self._from_text.get(target)
        return parse(value) if parse and value and type(value) is str else value

    def _ignore(self, name: str, target: str) -> None:
        if target != SUBJECT_KIND and len(self._ignored) < _MOST_LISTED:
            self._ignored[name or WHOLE_ROW] = None

    def _target(self, name: str) -> str:
        target = self._targets.get(name)
        if target is None:
            target = self._reader.target(name)
            if len(name) <= _LONGEST_KNOWN and len(self._targets) < _MOST_KNOWN:
                self._targets[name] = target
        return target
