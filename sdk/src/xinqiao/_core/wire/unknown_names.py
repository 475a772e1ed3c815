"""Names in a refused request that no published list has, each with the nearest that one has. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import starmap
from typing import Any, Final

from xinqiao.errors import (
    InvalidAuthorizationDetails,
    UnknownDataset,
    UnknownPurpose,
    UnknownQuestion,
    XinqiaoError,
)

from .closed_lists import DATASETS, PURPOSES, QUESTION_RULES
from .serialization import ReadOnlyDict

#: Names that may be quoted: none that could be a number, a code or a person's name.
_NAME: Final = re.compile(r"[a-z]+(?:_[a-z0-9]{1,24}){0,8}(?:\.v[0-9]{1,3})?", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{4}")
_LONGEST: Final = 64
#: Likeness from which a name is taken for a mistyped one (difflib's own).
_ALIKE: Final = 0.6
_LISTS: Final[Mapping[type[XinqiaoError], tuple[str, ...]]] = {
    UnknownPurpose: ("purpose",),
    UnknownDataset: ("datasets",),
    UnknownQuestion: ("questions",),
    InvalidAuthorizationDetails: ("purpose", "datasets", "questions"),
}
_KNOWN: Final[Mapping[str, Sequence[str]]] = {
    "purpose": sorted(PURPOSES),
    "datasets": sorted(DATASETS),
    "questions": sorted(QUESTION_RULES),
}


def name_unknown(error: XinqiaoError, asked: Mapping[str, Any]) -> None:
    """Add to the refusal of a request which of its names are unknown, and the nearest that are known."""
    lists = _LISTS.get(type(error), ())
    found = [pair for member in lists for pair in _unknown(asked.get(member), _KNOWN[member])]
    if found:
        error.unknown = ReadOnlyDict({name: near for name, near in found if name is not None})
        error.detail = " ".join((error.detail, *dict.fromkeys(starmap(_sentence, found))))


def _unknown(asked: Any, known: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Names, None for one that may not be quoted, each with the nearest that is known."""
    for each in [asked] if isinstance(asked, str) else asked or ():
        name = each.get("question") if isinstance(each, Mapping) else each
        if not isinstance(name, str) or name in known or len(name) > _LONGEST:
            continue
        near = next(iter(get_close_matches(name.lower(), known, n=1, cutoff=_ALIKE)), None)
        is_name = _NAME.fullmatch(name) and not _DIGITS.search(name)
        if near is not None or is_name:
            yield name if is_name else None, near


def _sentence(name: str | None, near: str | None) -> str:
    said = "A name" if name is None else repr(name)
    return f"{said} is unknown" + (f": did you mean {near!r}?" if near else ".")
