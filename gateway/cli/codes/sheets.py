"""`code sheets`: draw the stickers of a bulk issue as A4 sheets, for a print shop."""

from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.exit import fail
from gateway.cli.printing import counting
from gateway.codes.printing.layouts import ModulesTooSmallError
from gateway.codes.printing.sheet_lines import InvalidSheetFileError, scan_file
from gateway.codes.printing.sheets import (
    SHEETS_PER_FILE,
    DrawnSheets,
    OtherRunError,
    SheetPlan,
    draw_sheets,
)
from gateway.pages.chinese_font import find_font


def sheets(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON of `code bulk`.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write to; made if missing.")],
    sheets_per_file: Annotated[
        int, typer.Option(min=1, max=1_000, help="A4 sheets of eight stickers in one PDF.")
    ] = SHEETS_PER_FILE,
    font: Annotated[
        Path | None,
        typer.Option(
            envvar="XINQIAO_FONT", help="A font with Chinese; else Noto Sans CJK where it is."
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=0, max=256, help="How many draw at once; 0: one for each core.")
    ] = 0,
) -> None:
    """Draw A4 sheets of stickers (PDF), with an index (CSV). Run it again: it goes on where it was."""
    found = find_font(font)
    if found is None:
        fail("There is no font with Chinese: install fonts-noto-cjk, or name one with --font.")
    plan = SheetPlan(
        file=file,
        folder=out,
        font=found,
        now=datetime.now(UTC),
        sheets_per_file=sheets_per_file,
        processes=processes,
    )
    try:
        drawn = _draw(plan)
    except (InvalidSheetFileError, OtherRunError, ModulesTooSmallError) as error:
        fail(str(error))
    except BrokenProcessPool:
        fail("A drawing process ended, perhaps for want of memory. Run the command again.")
    except OSError as error:
        fail(f"The sheets could not be written ({type(error).__name__}).")
    _tell(drawn, out)


def _draw(plan: SheetPlan) -> DrawnSheets:
    console = Console(stderr=True)
    with console.status("Reading the file …"):
        found = scan_file(plan.file, plan.codes_per_part)
    with counting("Drawing stickers", found.codes, console) as tell:
        return draw_sheets(plan, found, tell)


def _tell(drawn: DrawnSheets, folder: Path) -> None:
    stickers = sum(each.stickers for each in drawn.parts)
    files = "1 file is" if drawn.files == 1 else f"{drawn.files:,} files are"
    print(f"{stickers:,} stickers of {drawn.origin} drawn; {files} in {folder}")
    expired = sum(each.expired for each in drawn.parts)
    if expired:
        print(f"Left out, as they have expired: {expired:,}")
    lacking = sum(each.with_missing for each in drawn.parts)
    if lacking:
        print(
            f"With characters that the font has not, drawn as 〓: {lacking:,} "
            "(column `missing` of the index)"
        )
