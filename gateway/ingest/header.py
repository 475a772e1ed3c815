"""Header of a delivered file: maps columns to the dataset's fields by code or Chinese name."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetDefinition
from gateway.ingest.dataset_rules import KEY, ROW_MEMBERS, USCC
from gateway.ingest.decompression import FileRefused

_USCC_ZH: Final = "统一社会信用代码"
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "1", "yes", "是"), True),
    **dict.fromkeys(("false", "0", "no", "否"), False),
}
_INTEGER: Final = re.compile(r"-?\d{1,16}", re.ASCII)
_LIST_SEPARATORS: Final = re.compile("[;；、]")

CellParser = Callable[[str], Any]
"""Converts the text of a non-empty cell to its JSON value; returns unfit text unchanged."""


def columns_of_header(names: Sequence[str], dataset: DatasetDefinition) -> tuple[str, ...]:
    """Field codes in the file's order; `FileRefused` if the header does not fit the dataset.

    Unknown names are not repeated in the message: without a header, the first line is data.
    """
    known = {each: each for each in ROW_MEMBERS} | {_USCC_ZH: USCC}
    chinese = [each.zh for each in dataset.fields]
    known |= {each.zh: each.name for each in dataset.fields if chinese.count(each.zh) == 1}
    known |= {each.name: each.name for each in dataset.fields}
    found = tuple(known.get(name.strip(), "") for name in names)
    unknown = [str(place) for place, name in enumerate(found, start=1) if not name]
    if unknown:
        raise FileRefused(
            f"The header does not fit {dataset.code}: there is no such field as in column "
            f"{', '.join(unknown[:10])}{' …' if len(unknown) > 10 else ''}."  # noqa: PLR2004
        )
    twice = sorted(name for name, times in Counter(found).items() if times > 1)
    if twice:
        raise FileRefused(f"The header names {', '.join(twice)} twice.")
    needed = {USCC, *(each.name for each in dataset.fields if each.required and each.name != USCC)}
    needed -= set(dataset.key) - {USCC} if KEY in found else set()
    missing = sorted(needed - set(found))
    if missing:
        raise FileRefused(f"The header lacks {', '.join(missing)}, which {dataset.code} needs.")
    return found


def cell_parsers(columns: Sequence[str], dataset: DatasetDefinition) -> dict[str, CellParser]:
    """Parsers for columns that are not text. Unfit cells are left for the validator to report."""
    types = {each.name: each.type for each in dataset.fields}
    parsers: dict[str, CellParser] = {"texts": _texts, "boolean": _boolean, "integer": _integer}
    return {name: parsers[types[name]] for name in columns if types.get(name) in parsers}


def _texts(cell: str) -> list[str]:
    return [each.strip() for each in _LIST_SEPARATORS.split(cell) if each.strip()]


def _boolean(cell: str) -> Any:
    return _BOOLEANS.get(cell.strip().lower(), cell)


def _integer(cell: str) -> Any:
    return int(cell) if _INTEGER.fullmatch(cell.strip()) else cell
