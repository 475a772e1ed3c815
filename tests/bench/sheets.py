"""Bulk drawing of stickers against bare `qrcode` over the same addresses, both on every core.

Bare: the same version, level, segments and choice of mask, and the modules alone, with no picture. Ours:
the whole command, from checking the file to sheets and index on the disk. They take turns, each in
processes of its own.
"""

import os
import resource
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_H

from gateway.codes.bulk.line import bulk_line
from gateway.codes.ids import PHRASE_BYTES, RANDOM_BYTES, code_id_from, code_url, phrase_from
from gateway.codes.model import Code
from gateway.codes.printing.sheet_lines import scan_file
from gateway.codes.printing.sheets import SheetPlan, draw_sheets
from gateway.codes.qr import QUIET_ZONE_MODULES, SHORTEST_SEGMENT
from gateway.pages.chinese_font import find_font
from tests.bench.options import Options

SYMBOLS: Final = "bare qrcode"
SHEETS: Final = "sheets"
ISSUER: Final = "https://credit.zj.gov.cn"
CORES: Final = len(os.sched_getaffinity(0))
_PORTION: Final = 400


@dataclass(slots=True, kw_only=True)
class Drawing:
    """Measurements of one contender by round, in seconds."""

    stickers: int
    clock: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Stickers per second, median of the rounds."""
        return self.stickers / median(self.clock)

    @property
    def busy(self) -> float:
        """Cores in use, median of the rounds."""
        return median(cpu / clock for cpu, clock in zip(self.cpu, self.clock, strict=True))

    def per_core(self, other: "Drawing") -> float:
        """Median of the rounds' ratios of stickers per CPU second."""
        return median(its / own for own, its in zip(self.cpu, other.cpu, strict=True))

    def share_of(self, other: "Drawing") -> float:
        """Median of the rounds' ratios of stickers per second."""
        return median(its / own for own, its in zip(self.clock, other.clock, strict=True))


Drawings = Mapping[str, Drawing]


def measure_sheets(options: Options, say: Callable[[str], None]) -> Drawings:
    """Draw the same codes by turns, as sheets and as bare symbols."""
    found = {name: Drawing(stickers=options.stickers) for name in (SHEETS, SYMBOLS)}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "codes.ndjson"
        addresses = _write(file, options.stickers)
        runs = {SHEETS: lambda: _sheets(file), SYMBOLS: lambda: _bare(addresses)}
        for turn in range(options.draws):
            for name in (SHEETS, SYMBOLS) if turn % 2 else (SYMBOLS, SHEETS):
                clock, cpu = _spent(runs[name])
                found[name].clock.append(clock)
                found[name].cpu.append(cpu)
                say(f"round {turn + 1}, {name}: {options.stickers / clock:,.0f}/s")
    return found


def _write(file: Path, stickers: int) -> list[str]:
    """The file of a bulk issue, made up; returns its addresses."""
    random, now = Random(1), datetime.now(UTC)  # noqa: S311  # not for secrets
    addresses = []
    with file.open("wb") as lines:
        for number in range(stickers):
            code = Code(
                uscc="91330106MAHD08319M",
                code_id=code_id_from(random.randbytes(RANDOM_BYTES)),
                sign_name=f"云栖小店（{number:,} 号店）",
                label="南门",
                check_phrase=phrase_from(random.randbytes(PHRASE_BYTES)),
                printed_name=f"杭州云栖数据科技有限公司第{number}分公司",
                issued_at=now,
            )
            lines.write(bulk_line(code, ISSUER))
            addresses.append(code_url(ISSUER, code.code_id))
    return addresses


def _sheets(file: Path) -> None:
    font, folder = find_font(None), file.parent / "sheets"
    if font is None:
        raise RuntimeError("There is no Chinese font: install fonts-noto-cjk.")
    plan = SheetPlan(file=file, folder=folder, font=font, now=datetime.now(UTC))
    draw_sheets(plan, scan_file(file, plan.codes_per_part))
    shutil.rmtree(folder)


def _bare(addresses: list[str]) -> None:
    portions = [addresses[at : at + _PORTION] for at in range(0, len(addresses), _PORTION)]
    with ProcessPoolExecutor(CORES, get_context("spawn")) as pool:
        list(pool.map(_modules, portions))


def _modules(addresses: list[str]) -> None:
    for each in addresses:
        symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_H, border=QUIET_ZONE_MODULES)
        symbol.add_data(each, optimize=SHORTEST_SEGMENT)
        symbol.make(fit=True)
        symbol.get_matrix()


def _spent(run: Callable[[], None]) -> tuple[float, float]:
    """Seconds elapsed, and CPU seconds of this process and its children."""
    began, before = time.perf_counter(), _cpu()
    run()
    return time.perf_counter() - began, _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
