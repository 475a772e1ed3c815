"""A file's columns are the catalogue's fields, by their code or their Chinese name; none is guessed."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.creditfile.catalogue_schema import DatasetOf
from gateway.ingest.dataset_rules import KEY, MEMBERS, USCC
from gateway.ingest.decompression import FileRefused

_USCC_ZH: Final = "统一社会信用代码"
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "1", "yes", "是"), True),
    **dict.fromkeys(("false", "0", "no", "否"), False),
}
_INTEGER: Final = re.compile(r"-?\d{1,16}", re.ASCII)
_BETWEEN_TEXTS: Final = re.compile("[;；、]")

FromText = Callable[[str], Any]
"""Of a cell's text that is not empty: the value that JSON would have, or the text as it is."""


def columns_of_file(names: Sequence[str], dataset: DatasetOf) -> tuple[str, ...]:
    """The fields' codes, in the file's order; `FileRefused` where the header is not this dataset's.

    A name that is not known is not repeated: where the header is missing, it is somebody's data.
    """
    known = {each: each for each in MEMBERS} | {_USCC_ZH: USCC}
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


def readers_of_text(columns: Sequence[str], dataset: DatasetOf) -> dict[str, FromText]:
    """For columns whose values are no texts: how their cells are read. What cannot be read is left
    as it is, for the judge to say why."""
    types = {each.name: each.type for each in dataset.fields}
    made: dict[str, FromText] = {"texts": _texts, "boolean": _boolean, "integer": _integer}
    return {name: made[types[name]] for name in columns if types.get(name) in made}


def _texts(cell: str) -> list[str]:
    return [each.strip() for each in _BETWEEN_TEXTS.split(cell) if each.strip()]


def _boolean(cell: str) -> Any:
    return _BOOLEANS.get(cell.strip().lower(), cell)


def _integer(cell: str) -> Any:
    return int(cell) if _INTEGER.fullmatch(cell.strip()) else cell
