"""One delivered row is judged against the catalogue alone: no database, no key, no clock but `today`.

A judge is compiled once for a dataset and a day, and then judges millions of rows.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from gateway.creditfile import clock
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.days import day_of
from gateway.creditfile.free_text import ID_LENGTH, scan, scan_for_id_numbers
from gateway.creditfile.intake.codes import check_agrees, read_code
from gateway.creditfile.intake.readers import Reader, Unfit, readers_of
from gateway.creditfile.intake.shapes import EMPTY, MOST_SHAPES, Shape
from gateway.creditfile.intake.verdicts import Accepted, Rejected, Warned
from gateway.creditfile.mapping import KEY_SEPARATOR, Problem, key_form, sealed_fields
from gateway.creditfile.schema import Publicity

USCC: Final = "uscc"
KEY: Final = "key"
SOURCE_TIME: Final = "source_time"
MEMBERS: Final = (USCC, KEY, SOURCE_TIME)
"""What a row may have beside the fields of its dataset."""
MOST_KEY: Final = 400
"""Characters of a natural key: an index entry of PostgreSQL holds 2,704 bytes."""
MOST_PROBLEMS: Final = 20
"""Problems that are said of one row: a line may have a hundred thousand members that nobody knows,
and a list of them all would fill the memory and the disk."""
_TEXTS: Final = frozenset({"text", "free_text"})
_A_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)


class Judge:
    """Judges the rows of one dataset on one day."""

    def __init__(self, catalogue: Catalogue, dataset_code: str, *, today: date) -> None:
        dataset = catalogue.dataset(dataset_code)
        self.dataset = dataset
        self._today = today
        self._readers: dict[str, Reader] = readers_of(dataset, today=today)
        self._readers.pop(USCC, None)
        self._needed = tuple(
            name
            for name in dict.fromkeys(
                (*dataset.key, *(each.name for each in dataset.fields if each.required)),
            )
            if name != USCC
        )
        self._plain = frozenset(
            each.name
            for each in dataset.fields
            if each.type in _TEXTS and not each.values and each.name != USCC
        )
        self._shapes: dict[tuple[str, ...], Shape | None] = {}
        self._key = dataset.key
        self._free = tuple(each.name for each in dataset.fields if each.type == "free_text")
        self._sealed = sealed_fields(dataset)
        self._short = tuple(
            each.name
            for each in dataset.fields
            if each.type in {"text", "texts"} and not each.values
            if each.name not in {USCC, *dataset.key, *self._sealed}
        )
        self._publicity = catalogue.rules_of(dataset_code).publicity
        self._columns = {each.column: each.name for each in dataset.fields if each.column}

    def judge(self, row: Mapping[str, Any]) -> Accepted | Rejected:
        """What is to be taken of `row`, or why nothing is. Empty members count as left out."""
        problems: list[Problem] = []
        uscc = self._code(row, problems)
        fields = self._read(row, problems)
        self._fill_key(row, fields, problems)
        for name in self._needed:
            if name not in fields and not any(each.field == name for each in problems):
                problems.append(Problem(field=name, reason="missing"))
        source_time = _moment(row.get(SOURCE_TIME), self._today, problems)
        if problems:
            return Rejected(problems=tuple(problems[:MOST_PROBLEMS]))
        return self._accepted(uscc, fields, source_time)

    def _code(self, row: Mapping[str, Any], problems: list[Problem]) -> str:
        value = row.get(USCC)
        try:
            if value in (None, ""):
                raise Unfit("missing")
            return read_code(value)
        except Unfit as unfit:
            problems.append(Problem(field=USCC, reason=str(unfit)))
            return ""

    def _read(self, row: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
        shape = self._shape(tuple(row))
        fields = None if shape is None else shape.read(row)
        return self._read_closely(row, problems) if fields is None else fields

    def _shape(self, members: tuple[str, ...]) -> Shape | None:
        """The shape of rows with these members, if they are all known and not ever others."""
        if members in self._shapes:
            return self._shapes[members]
        if len(self._shapes) >= MOST_SHAPES:
            return None
        known = all(name in self._readers or name in MEMBERS for name in members)
        made = Shape.of(members, self._readers, self._plain) if known else None
        self._shapes[members] = made
        return made

    def _read_closely(self, row: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
        readers = self._readers
        fields: dict[str, Any] = {}
        for name, value in row.items():
            if not value and (value is None or value in EMPTY):
                continue
            reader = readers.get(name)
            try:
                if reader is not None:
                    read = reader(value)
                    if read not in EMPTY:
                        fields[name] = read
                elif name not in MEMBERS:
                    raise Unfit("unknown")
            except Unfit as unfit:
                problems.append(Problem(field=_shown(name), reason=str(unfit)))
                if len(problems) >= MOST_PROBLEMS:
                    break
        return fields

    def _fill_key(
        self,
        row: Mapping[str, Any],
        fields: dict[str, Any],
        problems: list[Problem],
    ) -> None:
        """A `key` beside the fields must say the same as they do, and may stand in their place."""
        key = row.get(KEY)
        if key in (None, "") or self._key == (USCC,):
            return
        parts = key.strip().split(KEY_SEPARATOR) if type(key) is str else []
        if len(self._key) == 1 and parts:
            parts = [KEY_SEPARATOR.join(parts)]
        if len(parts) != len(self._key):
            problems.append(Problem(field=KEY, reason="not the parts of the natural key"))
            return
        for name, part in zip(self._key, parts, strict=True):
            try:
                read = fields.setdefault(name, self._readers[name](part))
            except Unfit as unfit:
                problems.append(Problem(field=KEY, reason=str(unfit)))
                return
            if key_form(str(read)) != key_form(part):
                problems.append(Problem(field=KEY, reason="says something else than the fields"))
                return

    def _accepted(
        self,
        uscc: str,
        fields: dict[str, Any],
        source_time: datetime | None,
    ) -> Accepted | Rejected:
        key = (
            uscc
            if self._key == (USCC,)
            else key_form(KEY_SEPARATOR.join([str(fields[n]) for n in self._key]))
        )
        if not 0 < len(key) <= MOST_KEY:
            reason = f"a key longer than {MOST_KEY} characters" if key else "missing"
            return Rejected(problems=(Problem(field=self._key[0], reason=reason),))
        warnings: list[Warned] = [] if check_agrees(uscc) else [Warned.CHECK_CHARACTER]
        self._mask(fields, warnings)
        if self._publicity is not None and not self._end_agrees(fields, self._publicity):
            warnings.append(Warned.PUBLICITY_END)
        personal = {name: fields.pop(name) for name in self._sealed if name in fields}
        return Accepted(
            uscc=uscc,
            key=key,
            source_time=source_time,
            fields=fields,
            personal=personal,
            warnings=tuple(warnings),
        )

    def _mask(self, fields: dict[str, Any], warnings: list[Warned]) -> None:
        """R5: personal numbers leave texts before anything is stored. Only the key stays as it is."""
        for name in self._free:
            if name in fields:
                scanned = scan(fields[name])
                fields[name] = scanned.text
                if scanned.id_numbers and Warned.ID_NUMBER not in warnings:
                    warnings.append(Warned.ID_NUMBER)
                if scanned.phones and Warned.PHONE not in warnings:
                    warnings.append(Warned.PHONE)
        for name in self._short:
            value = fields.get(name)
            if value is not None and len(str(value)) >= ID_LENGTH:
                fields[name] = self._without_id_numbers(value, warnings)

    def _without_id_numbers(self, value: Any, warnings: list[Warned]) -> Any:  # text, or texts
        texts = [value] if isinstance(value, str) else value
        scanned = [scan_for_id_numbers(each, surely_on=self._today) for each in texts]
        if not any(each.id_numbers for each in scanned):
            return value
        if Warned.ID_NUMBER not in warnings:
            warnings.append(Warned.ID_NUMBER)
        return scanned[0].text if isinstance(value, str) else [each.text for each in scanned]

    def _end_agrees(self, fields: Mapping[str, Any], rules: Publicity) -> bool:
        """R2: the delivered end, where there is one, is the one that the rules give.

        It is kept as delivered and told no longer than the rules allow: the clock computes the
        end anew each time, and the earlier one counts.
        """
        columns = self._columns
        delivered = fields.get(columns.get("publicity_ends_on", ""))
        begun = fields.get(columns.get("published_on", "")) or fields.get(
            columns.get("decided_on", ""),
        )
        if delivered is None or begun is None:
            return True
        ban = fields.get(columns.get("valid_to", ""))
        last_day = clock.penalty_publicity_end(
            published_on=date.fromisoformat(begun),
            kinds=fields.get("kinds", ()),
            fine=Decimal(fields["fine"]) if "fine" in fields else None,
            severity=fields.get(columns.get("severity", "")),
            ban_until=None if ban is None else date.fromisoformat(ban),
            rules=rules,
        )
        return last_day is not None and last_day.isoformat() == delivered


def _moment(value: Any, today: date, problems: list[Problem]) -> datetime | None:
    """RFC 3339 with its offset. One in the future would make every later delivery an older one."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value) if type(value) is str else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1800 <= moment.year < 9999:  # noqa: PLR2004
        problems.append(Problem(field=SOURCE_TIME, reason="not a time with its offset (RFC 3339)"))
        return None
    if day_of(moment) > today:
        problems.append(Problem(field=SOURCE_TIME, reason="in the future"))
    return moment


def _shown(name: object) -> str:
    """A field's name as it may be repeated: an unknown one could be a value in a wrong column."""
    return name if isinstance(name, str) and _A_NAME.fullmatch(name) else "?"
