"""Bulk drawing of A4 sheets of stickers, on every core; a run that ended early goes on where it was.

Each part is a PDF and a CSV that says which sticker is where. Its PDF is written last, under its name
only when it is whole.
"""

import gc
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.codes.printing.content import wording_of
from gateway.codes.printing.font_subset import write_subset
from gateway.codes.printing.formats import STICKERS_PER_SHEET, sheet_pages
from gateway.codes.printing.pdf import write_pdf
from gateway.codes.printing.sheet_lines import SheetFile, SheetLine, read_part
from gateway.codes.printing.typeface import Typeface, open_typeface
from gateway.pages.csv_safe import BOM, as_csv

SHEETS_PER_FILE: Final = 100
_GC_THRESHOLDS: Final = (100_000, 50, 100)
"""Drawing makes many short-lived lists and no cycles."""
MANIFEST: Final = "sheets.json"
COLUMNS: Final = ("sheet", "place", "code_id", "uscc", "sign_name", "label", "missing")
"""Columns of the index; `place` counts from the left and from the top, `missing` is what the font has not."""


class OtherRunError(RuntimeError):
    """The folder has the sheets of another file, or in other portions; choose another folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """The parameters of a run."""

    file: Path
    folder: Path
    font: Path
    now: datetime
    sheets_per_file: int = SHEETS_PER_FILE
    processes: int = 0
    """0: one for each core that this process may use."""

    @property
    def codes_per_part(self) -> int:
        """Stickers in one PDF."""
        return self.sheets_per_file * STICKERS_PER_SHEET


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPart:
    """The result of one part."""

    stickers: int
    expired: int = 0
    """Codes left out."""
    with_missing: int = 0
    """Stickers with characters that the font has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSheets:
    """The result of a run; counts are of what this run drew."""

    origin: str
    codes: int
    files: int
    parts: Sequence[DrawnPart]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One part as a process draws it."""

    number: int
    start: int
    codes: int
    file: Path
    folder: Path
    created: datetime

    @property
    def pdf(self) -> Path:
        """The finished file."""
        return self.folder / f"sheets-{self.number:05}.pdf"


def draw_sheets(
    plan: SheetPlan, found: SheetFile, on_progress: Callable[[int], None] = lambda _: None
) -> DrawnSheets:
    """Draw every part of the scanned file that is not there yet; raises `OtherRunError`.

    `on_progress` hears how many codes are done, those of earlier runs included.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    created = _begin(plan, found)
    parts = [
        _Part(
            number=number,
            start=start,
            codes=plan.codes_per_part,
            file=plan.file,
            folder=plan.folder,
            created=created,
        )
        for number, start in enumerate(found.starts, start=1)
    ]
    missing = [each for each in parts if not each.pdf.exists()]
    done = found.codes - sum(_size(each, found, plan) for each in missing)
    on_progress(done)
    drawn: list[DrawnPart] = []
    for part in _drawn(plan, found, missing):
        drawn.append(part)
        done += part.stickers + part.expired
        on_progress(done)
    return DrawnSheets(origin=found.origin, codes=found.codes, files=len(parts), parts=drawn)


def _begin(plan: SheetPlan, found: SheetFile) -> datetime:
    """Write the manifest, or compare with it; returns the time of the first run, which every part bears."""
    told = {
        "sha256": found.digest,
        "codes": found.codes,
        "origin": found.origin,
        "sheets_per_file": plan.sheets_per_file,
    }
    manifest = plan.folder / MANIFEST
    if not manifest.exists():
        text = json.dumps(told | {"begun_at": plan.now.isoformat()}, indent=2) + "\n"
        _write(manifest, text.encode())
        return plan.now
    held = json.loads(manifest.read_bytes())
    if {name: held.get(name) for name in told} != told:
        raise OtherRunError(OtherRunError.__doc__)
    return datetime.fromisoformat(held["begun_at"])


def _size(part: _Part, found: SheetFile, plan: SheetPlan) -> int:
    return min(plan.codes_per_part, found.codes - (part.number - 1) * plan.codes_per_part)


def _drawn(plan: SheetPlan, found: SheetFile, parts: Sequence[_Part]) -> Iterator[DrawnPart]:
    """The parts as they become ready, with a font of the file's characters alone."""
    if not parts:
        return
    whole = open_typeface(plan.font)
    processes = min(plan.processes or len(os.sched_getaffinity(0)), len(parts))
    with TemporaryDirectory() as folder:
        font = write_subset(whole, found.characters, Path(folder) / "font.otf").path
        pool = ProcessPoolExecutor(
            processes, get_context("spawn"), initializer=_prepare, initargs=(font,)
        )
        try:
            for each in as_completed([pool.submit(_draw, part) for part in parts]):
                yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


_typefaces: list[Typeface] = []
"""The font of this process."""


def _prepare(font: Path) -> None:
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command's, which lets the parts end
    _typefaces.append(Typeface(font, 0))


def _draw(part: _Part) -> DrawnPart:
    """Draw one part: the index, then the PDF."""
    [typeface] = _typefaces
    lines = list(read_part(part.file, part.start, part.codes))
    valid = [each for each in lines if each.expires_at is None or each.expires_at > part.created]
    groups = [
        valid[first : first + STICKERS_PER_SHEET]
        for first in range(0, len(valid), STICKERS_PER_SHEET)
    ]
    rows = list(_index(groups, typeface))
    pages = sheet_pages([each.content for each in valid], typeface)
    drawn = write_pdf(pages, typeface, title=part.pdf.stem, created=part.created)
    _write(part.pdf.with_suffix(".csv"), (BOM + as_csv([COLUMNS, *rows])).encode())
    _write(part.pdf, drawn)
    return DrawnPart(
        stickers=len(valid),
        expired=len(lines) - len(valid),
        with_missing=sum(bool(row[-1]) for row in rows),
    )


def _index(groups: Sequence[Sequence[SheetLine]], typeface: Typeface) -> Iterator[tuple[str, ...]]:
    for sheet, group in enumerate(groups, start=1):
        for place, each in enumerate(group, start=1):
            lost = " ".join(f"U+{ord(c):04X}" for c in wording_of(each.content, typeface).missing)
            yield (
                str(sheet),
                str(place),
                each.code_id,
                each.uscc,
                each.sign_name,
                each.label,
                lost,
            )


def _write(path: Path, content: bytes) -> None:
    """Write a file that has its name only when it is whole."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
