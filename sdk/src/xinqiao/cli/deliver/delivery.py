"""A file to deliver: its options, its digest, and checks that need no gateway."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import unusable_file
from xinqiao.cli._language import Language

from .column_map import read_column_map
from .own_rows import WORKBOOKS, format_of
from .progress import bytes_bar, resumable
from .texts import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_BLOCK: Final = 1 << 20
_INSTALL: Final = "pip install './sdk[deliver]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the command on the file."""

    dataset: str
    report: Path | None
    overwrite: bool
    columns: Path | None
    ignore_unknown: bool
    format: str | None
    encoding: str | None
    sheet: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A file to deliver, as it was when the command began."""

    path: Path
    options: Options
    language: Language
    columns: Mapping[str, str | None]
    report: Path
    length: int
    sha256: str
    stamp: tuple[int, int]
    """Size and time of the last change."""

    @property
    def metadata(self) -> dict[str, str]:
        """The upload's metadata."""
        said = {
            "dataset": self.options.dataset,
            "filename": self.path.name,
            "sha256": self.sha256,
            "format": self.options.format,
            "encoding": self.options.encoding,
            "sheet": self.options.sheet,
            "columns": json.dumps(self.columns, ensure_ascii=False) if self.columns else None,
            "ignore_unknown": "true" if self.options.ignore_unknown else None,
        }
        return {name: value for name, value in said.items() if value is not None}


def prepare(path: Path, options: Options, language: Language) -> Delivery:
    """Check everything that can be checked without the gateway."""
    try:
        found = path.stat()
        path.open("rb").close()
    except OSError as error:
        raise unusable_file(path, error) from None
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        raise InputError(
            f"{path} 是空的，或不是普通文件。", f"{path} is empty, or not a regular file."
        )
    _require_extras(format_of(path, options.format))
    target = options.report or path.with_name(f"{path.name}.rejected.xlsx")
    _check_report(target, {path, *filter(None, [options.columns])}, overwrite=options.overwrite)
    columns = {} if options.columns is None else read_column_map(options.columns)
    reading = text("reading_file", language)
    with resumable(language), bytes_bar(reading, found.st_size) as moved:
        digest = digest_of(path, moved)
    return Delivery(
        path=path,
        options=options,
        language=language,
        columns=columns,
        report=target,
        length=found.st_size,
        sha256=digest,
        stamp=stamp_of(found),
    )


def digest_of(path: Path, moved: Callable[[int], None] = lambda _: None) -> str:
    """The file's SHA-256; `moved` is told the position."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            moved(file.tell())
    return digest.hexdigest()


def stamp_of(found: os.stat_result) -> tuple[int, int]:
    """Size and time of the last change."""
    return found.st_size, found.st_mtime_ns


def _require_extras(file_format: str) -> None:
    """`InputError` where a library is missing that the report will need."""
    needed = ["xlsxwriter", *(["python_calamine"] if file_format in WORKBOOKS else [])]
    if any(find_spec(each) is None for each in needed):
        raise InputError(
            f"deliver 需要另外安装组件：{_INSTALL}",
            f"deliver needs more to be installed: {_INSTALL}",
        )


def _check_report(path: Path, sources: Iterable[Path], *, overwrite: bool) -> None:
    """`InputError` if the report could not be written, or would overwrite a file.

    One that is read here is never overwritten, by whatever name, link or not.
    """
    if any(_is_same(path, each) for each in sources):
        raise InputError(
            f"{path} 就是要读取的文件，不能用来写清单：请用 --report 另指定。",
            f"{path} is a file that is read here: name another one for the report by --report.",
        )
    if path.exists() and not (overwrite and path.is_file()):
        raise InputError(
            f"{path} 已存在：请移走，用 --report 另指定，或用 --force 覆盖。",
            f"{path} exists: move it away, name another by --report, or overwrite it with --force.",
        )
    if not os.access(path.parent, os.W_OK):
        raise InputError(
            f"{path.parent} 不能写入：请用 --report 把清单写到别处。",
            f"{path.parent} cannot be written to: name another place for the report by --report.",
        )


def _is_same(path: Path, other: Path) -> bool:
    """True if both name one file: the same path, a symbolic or a hard link."""
    if path.resolve() == other.resolve():
        return True
    try:
        return path.samefile(other)
    except OSError:
        return False
