"""Rows of which nothing is to be said are read column by column, for less than half the cost.

Where one row among them has a problem, or deserves a warning, none of them is taken: `judging`, which
looks at rows one by one, says what it is. What both take, they take in the same form.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Self

from gateway.creditfile.natural_keys import keys_of
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.dataset_rules import KEY, MEMBERS, MOST_KEY, SOURCE_TIME, USCC, DatasetRules
from gateway.ingest.field_parsers import EMPTY, FieldParser, InvalidValue, is_left_out
from gateway.ingest.results import AcceptedRow, RowWarning
from gateway.ingest.uscc_check import nothing_to_say, read_codes
from gateway.privacy.redaction import holds_personal_number

Columns = Mapping[str, Sequence[Any]]
"""The values of many rows, by member; all of the same length."""
Row = Mapping[str, Any] | FieldProblem

_MOST_MEMBERS: Final = 200
_MOST_KNOWN: Final = 50_000
_LONGEST_KNOWN: Final = 64
_MOST_IN_A_COLUMN: Final = 1 << 20
"""Characters: more are looked at in several pieces."""
_TEXTS: Final = {str}


@dataclass(slots=True, kw_only=True)
class RowBatch:
    """Rows that may be taken, by columns; `None` stands for what was left out."""

    usccs: Sequence[str]
    keys: Sequence[str]
    times: Sequence[str | None]
    """The source's, in RFC 3339."""
    codes_ok: Sequence[bool]
    """Whether the check character fits."""
    fields: Columns
    """To be stored legibly."""
    personal: Columns = field(repr=False)
    """To be sealed."""

    @classmethod
    def of_one(cls, row: AcceptedRow) -> Self:
        """A row by itself."""
        return cls(
            usccs=(row.uscc,),
            keys=(row.key,),
            times=(None if row.source_time is None else row.source_time.isoformat(),),
            codes_ok=(RowWarning.CHECK_CHARACTER not in row.warnings,),
            fields={name: (value,) for name, value in row.fields.items()},
            personal={name: (value,) for name, value in row.personal.items()},
        )


def columns_of(rows: Iterable[Row]) -> Columns | None:
    """Of rows with few members; `None` at the first that could not be read, or has many."""
    read: list[Mapping[str, Any]] = []
    for each in rows:
        if isinstance(each, FieldProblem) or len(each) > _MOST_MEMBERS:
            return None
        read.append(each)
    members = dict.fromkeys(chain.from_iterable(read))
    if len(members) > _MOST_MEMBERS:
        return None
    return {name: [each.get(name) for each in read] for name in members}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How what stands in a delivery becomes a row, and how many become columns (or `None`)."""

    read: Callable[[Any], Row]
    columns: Callable[[Sequence[Any]], Columns | None]


ROWS: Final = Form(read=lambda row: row, columns=columns_of)
"""Of what is a row already."""


def rows_of(columns: Columns, count: int) -> Iterable[dict[str, Any]]:
    """So many rows again, each without what it leaves out."""
    names = tuple(columns)
    if not names:
        return ({} for _ in range(count))
    rows = zip(*columns.values(), strict=True)
    if all(map(_is_full, columns.values())):
        return (dict(zip(names, each, strict=True)) for each in rows)
    return (
        {name: value for name, value in zip(names, each, strict=True) if value is not None}
        for each in rows
    )


class ColumnValidator:
    """Judges many rows of one dataset at once."""

    def __init__(self, expected: DatasetRules) -> None:
        self._of = expected
        self._known = {name: _Known(read) for name, read in expected.readers.items()}
        self._times = _Known(lambda value: expected.read_time(value).isoformat())

    def judge(self, columns: Columns) -> RowBatch | None:
        """The rows, if all may be taken and nothing is to be said of any."""
        try:
            return self._lot(columns)
        except InvalidValue:
            return None

    def _lot(self, columns: Columns) -> RowBatch:
        of = self._of
        _require(USCC in columns)
        usccs = read_codes(columns[USCC])
        _require(nothing_to_say(usccs))
        fields = self._fields(columns)
        keys = self._keys(columns, usccs, fields)
        for name in of.needed:
            _require(name in fields and _is_full(fields[name]))
        times = _read(self._times, columns.get(SOURCE_TIME, (None,) * len(usccs)))
        self._require_no_personal_number(fields)
        if of.publicity is not None:
            _require(all(map(of.end_agrees, rows_of(fields, len(usccs)))))
        personal = {name: fields.pop(name) for name in of.sealed if name in fields}
        return RowBatch(
            usccs=usccs,
            keys=keys,
            times=times,
            codes_ok=(True,) * len(usccs),
            fields=fields,
            personal=personal,
        )

    def _fields(self, columns: Columns) -> dict[str, Sequence[Any]]:
        """Those that a row fills."""
        fields: dict[str, Sequence[Any]] = {}
        for name, values in columns.items():
            known = self._known.get(name)
            if known is None:
                _require(name in MEMBERS or all(map(is_left_out, values)))
                continue
            if not any(values) and all(map(is_left_out, values)):
                continue
            read = _read(known, values, self._of.plain.get(name))
            if any(read) or any(each is not None for each in read):
                fields[name] = read
        return fields

    def _keys(self, columns: Columns, usccs: Sequence[str], fields: Columns) -> Sequence[str]:
        of = self._of
        if of.key == (USCC,):
            return usccs
        _require(all(name in fields for name in of.key))
        parts = [list(map(str, fields[name])) for name in of.key]
        for given, *said in zip(columns.get(KEY, ()), *parts, strict=False):
            _require(is_left_out(given) or (given == _plain_key(said)))
        keys = keys_of(parts)
        _require(all(0 < len(each) <= MOST_KEY for each in keys))
        return keys

    def _require_no_personal_number(self, fields: Columns) -> None:
        """R5."""
        of = self._of
        texts: set[str] = set()
        for name in (*of.texts, *of.key_texts):
            given: Iterable[Any] = filter(None, fields.get(name, ()))
            texts.update(chain.from_iterable(given) if name in of.lists else given)
        _require(not holds_personal_number(texts, today=of.today))


def _plain_key(parts: Sequence[str]) -> str | None:
    """How a source writes a key of these parts, where that needs no second look."""
    if len(parts) > 1 and any("|" in each or "\\" in each for each in parts):
        return None
    return "|".join(parts)


def _require(holds: bool) -> None:  # noqa: FBT001  # as `assert`
    if not holds:
        raise InvalidValue


class _Known(dict[Any, Any]):
    """What a reader made of the texts that it was given lately: those of a column are few."""

    def __init__(self, reader: FieldParser) -> None:
        super().__init__()
        self._reader = reader

    def __missing__(self, text: str) -> Any:
        read = self.read(text)
        if len(text) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[text] = read
        return read

    def read(self, value: Any) -> Any:
        """`None` for what counts as left out."""
        if is_left_out(value):
            return None
        read = self._reader(value)
        return None if read in EMPTY else read


def _read(known: _Known, values: Sequence[Any], most: int | None = None) -> Sequence[Any]:
    """The values of a column, each in its one form.

    One that takes any text of at most so many characters is looked at as a whole.
    """
    if set(map(type, values)) != _TEXTS:
        return list(map(known.read, values))
    if most is None:
        return list(map(known.__getitem__, values))
    texts = list(map(str.strip, values))
    joined = "".join(texts)
    _require(len(joined) <= _MOST_IN_A_COLUMN and "\0" not in joined)
    _require(max(map(len, texts)) <= most)
    return texts if all(texts) else [each or None for each in texts]


def _is_full(values: Sequence[Any]) -> bool:
    return all(values) or not any(each is None for each in values)
