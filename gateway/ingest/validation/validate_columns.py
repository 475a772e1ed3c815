"""Fast path of validation: a batch by column; any problem or warning falls back to `validate_row`.

Less than half the cost of row-by-row validation. Accepted values are identical in both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Self

from gateway.creditfile.catalogue.column_names import KEY, ROW_MEMBERS, SOURCE_TIME, USCC
from gateway.creditfile.natural_keys import keys_of
from gateway.creditfile.rating_indicators import INDICATORS
from gateway.ingest.results import AcceptedRow, RowWarning
from gateway.ingest.rows import Columns, is_full, iterate_rows
from gateway.ingest.validation.dataset_rules import (
    MAX_KEY_LENGTH,
    WHOLE,
    DatasetRules,
    looks_like_yuan,
)
from gateway.ingest.validation.field_parsers import (
    EMPTY_VALUES,
    FieldParser,
    InvalidValue,
    is_omitted,
)
from gateway.ingest.validation.uscc_check import codes_are_clean, normalise_codes
from gateway.privacy.redaction import holds_personal_number

_MOST_KNOWN: Final = 50_000
_LONGEST_KNOWN: Final = 64
_MOST_IN_A_COLUMN: Final = 1 << 20
"""Maximum characters of a column that is checked as one string."""
_TEXTS: Final = {str}


@dataclass(slots=True, kw_only=True)
class RowBatch:
    """Valid rows by column; `None` is an omitted value."""

    usccs: Sequence[str]
    keys: Sequence[str]
    times: Sequence[str | None]
    """Source times in RFC 3339."""
    codes_ok: Sequence[bool]
    """True if the check character is right."""
    fields: Columns
    """Fields stored in plain text."""
    personal: Columns = field(repr=False)
    """Fields stored encrypted."""

    @classmethod
    def of_one(cls, row: AcceptedRow) -> Self:
        """A batch of one row."""
        return cls(
            usccs=(row.uscc,),
            keys=(row.key,),
            times=(None if row.source_time is None else row.source_time.isoformat(),),
            codes_ok=(RowWarning.CHECK_CHARACTER not in row.warnings,),
            fields={name: (value,) for name, value in row.fields.items()},
            personal={name: (value,) for name, value in row.personal.items()},
        )


class _NotCleanError(Exception):
    """Some row has a problem or a warning."""


class ColumnValidator:
    """Validates many rows of one dataset at once."""

    def __init__(self, rules: DatasetRules) -> None:
        self._rules = rules
        self._known = {name: _ParsedValues(read) for name, read in rules.parsers.items()}
        self._times = _ParsedValues(lambda value: rules.parse_source_time(value).isoformat())

    def validate(self, columns: Columns) -> RowBatch | None:
        """The rows if all are valid without a warning, else `None`."""
        try:
            return self._validate(columns)
        except (InvalidValue, _NotCleanError):
            return None

    def _validate(self, columns: Columns) -> RowBatch:
        rules = self._rules
        _require(USCC in columns)
        usccs = normalise_codes(columns[USCC])
        _require(codes_are_clean(usccs))
        fields = self._fields(columns)
        keys = self._keys(columns, usccs, fields)
        for name in rules.needed:
            _require(name in fields and is_full(fields[name]))
        times = _read(self._times, columns.get(SOURCE_TIME, (None,) * len(usccs)))
        self._require_no_personal_number(fields)
        for name in rules.yuan.keys() & fields.keys():
            self._require_no_yuan(name, fields)
        if rules.clock.has_publicity:
            _require(all(map(rules.end_agrees, usccs, iterate_rows(fields, len(usccs)))))
        if INDICATORS in fields and rules.has_indicators:
            rows = iterate_rows(fields, len(usccs))
            _require(all(rules.indicators_problem(each) is None for each in rows))
        personal = {name: fields.pop(name) for name in rules.sealed if name in fields}
        return RowBatch(
            usccs=usccs,
            keys=keys,
            times=times,
            codes_ok=(True,) * len(usccs),
            fields=fields,
            personal=personal,
        )

    def _fields(self, columns: Columns) -> dict[str, Sequence[Any]]:
        """Parsed columns with at least one value."""
        fields: dict[str, Sequence[Any]] = {}
        for name, values in columns.items():
            known = self._known.get(name)
            if known is None:
                _require(name in ROW_MEMBERS or all(map(is_omitted, values)))
                continue
            if not any(values) and all(map(is_omitted, values)):
                continue
            read = _read(known, values, self._rules.plain.get(name))
            if (empty := self._rules.empty.get(name)) and not empty.isdisjoint(read):
                read = [None if each in empty else each for each in read]
            if any(read) or any(each is not None for each in read):
                fields[name] = read
        return fields

    def _keys(self, columns: Columns, usccs: Sequence[str], fields: Columns) -> Sequence[str]:
        rules = self._rules
        if rules.key == (USCC,):
            return usccs
        _require(all(name in fields for name in rules.key))
        parts = [list(map(str, fields[name])) for name in rules.key]
        for given, *values in zip(columns.get(KEY, ()), *parts, strict=False):
            _require(is_omitted(given) or (given == _plain_key(values)))
        keys = keys_of(parts)
        _require(all(0 < len(each) <= MAX_KEY_LENGTH for each in keys))
        return keys

    def _require_no_yuan(self, name: str, fields: Columns) -> None:
        """No amount in 万元 may look like one in yuan; those with a fraction never do."""
        rules = self._rules
        check = rules.yuan[name]
        texts = [fields[each] for each in check.texts if each in fields]
        for place, amount in enumerate(fields[name]):
            if amount is not None and amount.endswith(WHOLE):
                beside = "".join(each[place] or "" for each in texts)
                _require(not looks_like_yuan(amount, beside, check.least))

    def _require_no_personal_number(self, fields: Columns) -> None:
        """R5: no text may contain a personal number."""
        rules = self._rules
        texts: set[str] = set()
        for name in (*rules.texts, *rules.key_texts):
            given: Iterable[Any] = filter(None, fields.get(name, ()))
            texts.update(chain.from_iterable(given) if name in rules.lists else given)
        _require(not holds_personal_number(texts, today=rules.today))


def _plain_key(parts: Sequence[str]) -> str | None:
    """The natural key as a source writes it, for parts without special characters."""
    if len(parts) > 1 and any("|" in each or "\\" in each for each in parts):
        return None
    return "|".join(parts)


def _require(holds: bool) -> None:  # noqa: FBT001  # as `assert`
    if not holds:
        raise _NotCleanError


class _ParsedValues(dict[Any, Any]):
    """Cache of parsed values; a column has few distinct ones."""

    def __init__(self, parser: FieldParser) -> None:
        super().__init__()
        self._parser = parser

    def __missing__(self, text: str) -> Any:
        read = self.read(text)
        if len(text) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[text] = read
        return read

    def read(self, value: Any) -> Any:
        """Parse a value; `None` if it counts as omitted."""
        if is_omitted(value):
            return None
        read = self._parser(value)
        return None if read in EMPTY_VALUES else read


def _read(known: _ParsedValues, values: Sequence[Any], most: int | None = None) -> Sequence[Any]:
    """Parse a column. Plain text of at most `most` characters is checked as one string."""
    if set(map(type, values)) != _TEXTS:
        return list(map(known.read, values))
    if most is None:
        return list(map(known.__getitem__, values))
    texts = list(map(str.strip, values))
    joined = "".join(texts)
    _require(len(joined) <= _MOST_IN_A_COLUMN and "\0" not in joined)
    _require(max(map(len, texts)) <= most)
    return texts if all(texts) else [each or None for each in texts]
