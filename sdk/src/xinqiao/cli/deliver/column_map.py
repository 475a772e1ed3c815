"""A department's own names of columns (`--columns`): a JSON object, or lines `column: field`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from xinqiao._core.wire.strict import parse_json
from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import unusable_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LONGEST: Final = 100_000  # bytes
_LINE: Final = re.compile(
    r"""(?:"(?P<double>[^"\\]+)"|'(?P<single>[^']+)'|(?P<plain>[^\s"'#\[\]{}&*!|>%@`,?-].*?))"""
    r"""\s*:(?:\s+(?P<value>.*))?"""
)
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FIELD: Final = re.compile(
    r"""(?P<quote>["'])(?P<quoted>[^"'\\]+)(?P=quote)|(?P<plain>[^\s"'\\\[\]{}&*!|>%@`,?-][^"'\\]*)"""
)


def read_column_map(path: Path) -> Mapping[str, str | None]:
    """Fields by the names of columns; None: not kept. `InputError` for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise unusable_file(path, error) from None
    try:
        found = parse_column_map(content)
    except ValueError as error:
        raise InputError(
            f"{path} 不是列名对照（{error}）：应为每行“列名: 字段”（半角冒号，后有空格），或 JSON 对象。",
            f"{path} is no mapping of columns ({error}): it has lines of the form `column: field`, "
            "or a JSON object.",
        ) from None
    return found


def parse_column_map(content: bytes) -> Mapping[str, str | None]:
    """The mapping in a JSON object, or in lines of that form; `ValueError` otherwise."""
    if len(content) > _LONGEST:
        raise ValueError(f"over {_LONGEST:,} bytes")
    if content.lstrip().startswith(b"{"):
        return _checked(parse_json(content))
    found: dict[str, str | None] = {}
    for name, field in _pairs(content.decode("utf-8")):
        if name in found:
            raise ValueError(f"{name!r} twice")
        found[name] = field
    return _checked(found)


def _pairs(text: str) -> Iterator[tuple[str, str | None]]:
    for number, line in enumerate(text.splitlines(), start=1):
        bare = _COMMENT.sub("", line).rstrip()
        if not bare or bare == "---":
            continue
        matched = _LINE.fullmatch(bare)
        value = (matched["value"] or "").strip() if matched else ""
        field = _FIELD.fullmatch(value)
        if matched is None or (field is None and value not in _NOTHING):
            raise ValueError(f"line {number}")
        name = matched["double"] or matched["single"] or matched["plain"]
        yield (
            name,
            None if field is None or value in _NOTHING else field["quoted"] or field["plain"],
        )


def _checked(document: Any) -> Mapping[str, str | None]:
    """The mapping, if it maps texts to texts or null."""
    texts = [*document, *(each for each in document.values() if each is not None)]
    if not texts or not all(isinstance(each, str) and each for each in texts):
        raise ValueError("no texts")
    return dict(document)
