"""A department's own names of columns, mapped to fields (`--columns`, `Upload-Metadata`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gateway import strict_json, strict_yaml
from gateway.ingest.readers.decompression import FileRefused
from gateway.strict_json import StrictJsonError

MAX_COLUMNS: Final = 200
MAX_NAME: Final = 200
_MAX_FILE: Final = 100_000

ColumnMap = Mapping[str, str | None]
"""Fields (codes, Chinese names or aliases) by the names of columns; None: not kept."""


def load_column_map(path: Path) -> ColumnMap:
    """The mapping in a YAML file: `name of the column: field`, or nothing for a column not kept."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE + 1)
        is_whole = len(content) <= _MAX_FILE
        found = parse_column_map(strict_yaml.load(content.decode())) if is_whole else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        found = None
    if found is None:
        raise FileRefused(
            f"{path.name} is no mapping of columns: lines of the form `column: field` (YAML).",
            f"{path.name} 不是列名对照：应为每行“列名: 字段”的 YAML。",
        )
    return found


def read_column_map(text: str) -> ColumnMap | None:
    """The mapping in a JSON object; None if it is none."""
    try:
        return parse_column_map(strict_json.parse(text.encode()))
    except StrictJsonError:
        return None


def parse_column_map(document: Any) -> ColumnMap | None:
    """The mapping in a parsed document; None if it is none."""
    if type(document) is not dict or len(document) > MAX_COLUMNS:
        return None
    texts = [*document, *(each for each in document.values() if each is not None)]
    fits = all(type(each) is str and 0 < len(each) <= MAX_NAME for each in texts)
    return document if fits else None
