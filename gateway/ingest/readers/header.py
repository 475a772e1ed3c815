"""Header of a delivered file: maps columns to the dataset's fields by code, Chinese name or alias."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway import strict_json
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.column_names import (
    IGNORED,
    KEY,
    NOT_KEPT,
    USCC,
    column_targets,
)
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import fold_name
from gateway.ingest.nearest_names import NearestNames
from gateway.ingest.readers.decompression import FileRefused
from gateway.pages.i18n import Translated
from gateway.privacy.redaction import scan
from gateway.strict_json import StrictJsonError

HEADER_ROWS: Final = 10
"""Rows among which the header is looked for: titles may stand before it."""
_MOST_NAMED: Final = 10
_MOST_NAME: Final = 40
_KNOWN_ENOUGH: Final = 2
"""Known columns with which a row may be a header that has unknown ones."""
_NOT_SHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that steer a terminal or the direction of a text."""
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "1", "yes", "是"), True),
    **dict.fromkeys(("false", "0", "no", "否"), False),
}
_INTEGER: Final = re.compile(r"-?\d{1,16}", re.ASCII)
_LIST_SEPARATORS: Final = re.compile("[;；、]")
_VALUE_SEPARATORS: Final = re.compile("[;；、,，|]")  # as in Chinese texts
_LONGEST_VALUE: Final = 200

CellParser = Callable[[str], Any]
"""Converts the text of a non-empty cell to its JSON value; returns unfit text unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header that fits: each column's field (or `IGNORED`, `SUBJECT_KIND`), and its own name."""

    columns: tuple[str, ...]
    names: tuple[str, ...]
    """A column that is unknown in a row that may be data has its number, as `#3`."""

    @property
    def name_of(self) -> Mapping[str, str]:
        """Names of the columns in the file, by field."""
        return dict(zip(self.columns, self.names, strict=True))

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the columns that are not kept."""
        pairs = zip(self.columns, self.names, strict=True)
        return tuple(name for column, name in pairs if column == IGNORED)


class HeaderReader:
    """Reader of the headers of one dataset, by the catalogue and the department's own names."""

    def __init__(
        self,
        catalogue: Catalogue,
        dataset: str,
        columns: Mapping[str, str | None] | None = None,
        *,
        ignore_unknown: bool = False,
    ) -> None:
        self.dataset: DatasetDefinition = catalogue.dataset(dataset)
        forms = catalogue.deliveries
        self._targets = dict(column_targets(self.dataset, forms))
        self._targets |= {
            fold_name(name): IGNORED if target is None else self._target(target)
            for name, target in (columns or {}).items()
        }
        self.ignores_unknown = ignore_unknown
        """True if columns that are not known are left out."""
        self._uscc_name = next(iter(forms.uscc), USCC)
        values = forms.passed_over.values if forms.passed_over else ()
        self._passed_over = frozenset(map(fold_name, values))
        self._is_passed_over: dict[str, bool] = {}

    def find(self, rows: Sequence[Sequence[str]]) -> int | None:
        """Index of the header among a file's first rows: the first one that names the USCC.

        Of several such rows in succession, as in grouped headers, the one with most known names.
        """
        found: int | None = None
        most = 0
        for index, cells in enumerate(rows):
            targets = {self._targets.get(fold_name(each), "") for each in set(cells)} - {""}
            if USCC in targets:
                if len(targets) > most:
                    found, most = index, len(targets)
            elif found is not None:
                break
        return found

    @property
    def codes(self) -> frozenset[str]:
        """Codes of fields and row members that stand for themselves."""
        targets = set(self._targets.values()) - NOT_KEPT
        return frozenset(each for each in targets if self.target(each) == each)

    def target(self, name: str) -> str:
        """Field or other target of a column with this name; empty if it is not known."""
        return self._targets.get(fold_name(name), "")

    def count_known(self, cells: Sequence[str]) -> int:
        """Number of these cells that name a column of the dataset."""
        return sum(fold_name(each) in self._targets for each in cells)

    def read(self, cells: Sequence[str], places: Sequence[int] | None = None) -> Header:
        """The header in these cells; `FileRefused` if it does not fit the dataset.

        Unknown names are repeated where most names of the row are known: else it may be data.
        `places` are those of the cells in the file, from 0, where some were left out.
        """
        names = [each.strip() for each in cells]
        while names and not names[-1]:  # a separator at the end of each line
            names.pop()
        targets = {name: self._targets.get(fold_name(name), "") for name in set(names)}
        found = [targets[name] for name in names]
        unknown = [place for place, column in enumerate(found) if not column]
        known = len(names) - len(unknown)
        is_surely_header = 2 * known > sum(map(bool, names))
        numbers = [place + 1 for place in places or range(len(names))]
        shown = [
            shown_name(name) if column or is_surely_header else ""
            for name, column in zip(names, found, strict=True)
        ]
        if unknown and not (self.ignores_unknown and known >= _KNOWN_ENOUGH):
            raise self._unknown([(shown[place], numbers[place]) for place in unknown])
        columns = tuple(each or IGNORED for each in found)
        listed = (name or f"#{number}" for name, number in zip(shown, numbers, strict=False))
        header = Header(columns=columns, names=tuple(listed))
        self._check(columns)
        return header

    def is_passed_over(self, kind: str) -> bool:
        """True if a row with this kind of subject is passed over."""
        known = self._is_passed_over.get(kind)
        if known is None:
            known = fold_name(kind) in self._passed_over
            if len(kind) <= _MOST_NAME:
                self._is_passed_over[kind] = known
        return known

    def cell_parsers(self, columns: Sequence[str]) -> dict[str, CellParser]:
        """Parsers for columns that are not text. Unfit cells are left for the validator to report."""
        found: dict[str, CellParser] = {}
        for field in self.dataset.fields:
            if field.name not in columns:
                continue
            if field.type == "texts":
                known = field.value_of_word if field.values else {}
                found[field.name] = _texts(known)
            elif field.type in _SCALARS:
                found[field.name] = _SCALARS[field.type]
        return found

    def _target(self, name: str) -> str:
        """Field that a mapping names by code, Chinese name or alias."""
        target = self._targets.get(fold_name(name), IGNORED)
        if target in NOT_KEPT:
            raise FileRefused(
                f"The mapping of columns names {shown_name(name)}, which is no field of "
                f"{self.dataset.code}.",
                f"列名对照中的“{shown_name(name)}”不是{self.dataset.zh}的字段。",
            )
        return target

    def _unknown(self, columns: Sequence[tuple[str, int]]) -> FileRefused:
        """Refusal of columns that are unknown, each by its name, if it may be said, and number."""
        shown = [
            self._with_nearest(name) if name else Translated(f"第 {number} 列", f"{number}")
            for name, number in columns[:_MOST_NAMED]
        ]
        zh, en = "、".join(each.zh for each in shown), ", ".join(each.en for each in shown)
        more = " …" if len(columns) > _MOST_NAMED else ""
        fields = [each for each in self.dataset.fields if each.name != USCC]
        accepted = "、".join((self._uscc_name, *(each.zh for each in fields)))
        codes = ", ".join((USCC, *(each.name for each in fields)))
        return FileRefused(
            f"The header does not fit {self.dataset.code}: there is no such field as in column "
            f"{en}{more}. Accepted: {accepted} (or {codes}). Map a column by "
            "--columns, or leave unknown ones out by --ignore-unknown.",
            f"表头与{self.dataset.zh}不符，无法识别的列：{zh}{more}。可用列名：{accepted}"
            f"（或代码 {codes}）。可用 --columns 指定列名对照，或用 --ignore-unknown 忽略无法识别的列。",
        )

    def _with_nearest(self, name: str) -> Translated:
        """An unknown column's name, and the nearest one that is kept."""
        kept = ((word, to) for word, to in self._targets.items() if to not in NOT_KEPT)
        nearest = NearestNames((word, self._zh(to)) for word, to in kept).of(name)[:1]
        return Translated(
            f"“{name}”" + "".join(f"（是否为“{each}”？）" for each in nearest),
            f"“{name}”" + "".join(f" (perhaps {each})" for each in nearest),
        )

    def _check(self, columns: Sequence[str]) -> None:
        """Refuse a field named twice, or a required one that is missing."""
        dataset = self.dataset
        counted = Counter(each for each in columns if each != IGNORED)
        twice = sorted(name for name, times in counted.items() if times > 1)
        if twice:
            raise FileRefused(
                f"The header names {', '.join(twice)} twice.",
                f"表头中有重复的列：{'、'.join(map(self._zh, twice))}。",
            )
        required = {each.name for each in dataset.fields if each.required and each.name != USCC}
        needed = {USCC, *required} - (set(dataset.key) - {USCC} if KEY in counted else set())
        missing = sorted(needed - counted.keys())
        if missing:
            raise FileRefused(
                f"The header lacks {', '.join(missing)}, which {dataset.code} needs.",
                f"表头缺少{dataset.zh}必填的列：{'、'.join(map(self._zh, missing))}。",
            )

    def _zh(self, name: str) -> str:
        field = self.dataset.field_by_name.get(name)
        if name == USCC or field is None:
            return self._uscc_name if name == USCC else name
        return field.zh


def shown_name(name: str) -> str:
    """A column's name as it is repeated: short, in one line of plain text, without personal numbers."""
    line = " ".join(name.split())
    plain = "".join(each for each in line if unicodedata.category(each) not in _NOT_SHOWN)
    return scan(plain).text[:_MOST_NAME]


def _texts(values: Mapping[str, str]) -> CellParser:
    """Parser of a list in one cell; a value of the catalogue may contain a separator."""
    separators = _VALUE_SEPARATORS if values else _LIST_SEPARATORS

    def read(cell: str) -> list[str]:
        if len(cell) <= _LONGEST_VALUE and fold_name(cell) in values:
            return [cell]
        return [each.strip() for each in separators.split(cell) if each.strip()]

    return read


def _boolean(cell: str) -> Any:
    return _BOOLEANS.get(cell.strip().lower(), cell)


def _integer(cell: str) -> Any:
    return int(cell) if _INTEGER.fullmatch(cell.strip()) else cell


def _indicators(cell: str) -> Any:
    """A list in JSON in one cell."""
    try:
        return strict_json.parse(cell.encode())
    except (StrictJsonError, UnicodeEncodeError):
        return cell


_SCALARS: Final[Mapping[str, CellParser]] = {
    "boolean": _boolean,
    "integer": _integer,
    "indicators": _indicators,
}
