"""The command `xinqiao verify`."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from xinqiao import Client
from xinqiao.cli import _inputs
from xinqiao.cli._connect import open_client, plain_errors
from xinqiao.cli._language import Language, reader_language
from xinqiao.cli._options import As, Keys, Kit, Lang
from xinqiao.cli.deliver.own_rows import ReadOptions, format_of
from xinqiao.cli.deliver.progress import progress_bars, resumable
from xinqiao.cli.deliver.summary import note
from xinqiao.cli.deliver.upload_client import PATIENT

from .asked import USCC_NAMES
from .verification import Review, Tally, count_rows, run_review

SOME_UNANSWERED: Final = 1
REFUSED: Final = 2
_ANSWERS: Final = {"yes": "是", "no": "否", "not_determined": "不作判断"}


def verify(
    file: Annotated[Path, typer.Argument(help="CSV, Excel or NDJSON, with a column of codes.")],
    purpose: Annotated[str, typer.Option(help="What the answers are for, e.g. merchant_review.")],
    out: Annotated[Path, typer.Option(help="The file of answers: .xlsx, .csv or .ndjson.")],
    question: Annotated[
        list[str] | None,
        typer.Option(
            "-q", "--question", help="TAG, TAG=VALUE, or TAG=@COLUMN of the file; repeat."
        ),
    ] = None,
    bundle: Annotated[
        str | None, typer.Option(help="A published bundle in their place, e.g. review.v1.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    encoding: Annotated[str, typer.Option(help="utf-8 or gb18030; else by the contents.")] = "auto",
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    kit: Kit = None,
    who: As = "platform",
    keys: Keys = None,
    lang: Lang = None,
) -> None:
    """Ask yes/no questions about every enterprise of a file; its columns come back with the answers.

    Every line's place under its batch's signed manifest is verified. Interrupted,
    the same command goes on where it was, within 24 hours; what was answered
    costs nothing again. Ends with 0 when every row was answered, 1 when some have
    a problem, 2 when the file was refused or could not be asked.
    """
    language = lang or reader_language()
    with plain_errors(language, status=REFUSED):
        _inputs.check_asked("-q", question or (), bundle)
        options = ReadOptions(
            path=_inputs.check_readable(file),
            format=format_of(file, None),
            encoding=encoding,
            sheet=sheet,
            uscc_names=USCC_NAMES,
        )
        total = count_rows(options)
        review = Review(
            file=options,
            purpose=purpose,
            questions=question or (),
            bundle=bundle,
            out=out,
            force=force,
        )
    begun = time.monotonic()
    with (
        open_client(Client, kit, who, keys, language, status=REFUSED, retry=PATIENT) as client,
        resumable(language),
        progress_bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        ) as shown,
    ):
        task = shown.add_task(_said(language, "核验", "verifying"), total=total)
        tally = run_review(client, review, lambda rows: shown.update(task, completed=rows))
    _summarise(tally, out, time.monotonic() - begun, language)
    if tally.problems:
        raise typer.Exit(SOME_UNANSWERED)


def _summarise(tally: Tally, out: Path, seconds: float, language: Language) -> None:
    mark, rows, took = "!" if tally.problems else "✔", f"{tally.rows:,}", f"{seconds:.0f}"
    note(_said(language, f"{mark} {rows} 行，用时 {took} 秒", f"{mark} {rows} rows in {took} s"))
    for tag, told in tally.answers.items():
        counts = "  ".join(
            f"{_said(language, zh, each)} {told[each]:,}"
            for each, zh in _ANSWERS.items()
            if told[each]
        )
        note(f"  {tag}: {counts}", style="")
    for code, count in tally.warnings.most_common():
        note(f"  ! {code}: {count:,}", style="yellow")
    for code, count in tally.problems.most_common():
        note(f"  ✘ {code}: {count:,}", style="yellow")
    note(_said(language, f"已写入 {out}", f"written to {out}"), style="")


def _said(language: Language, zh: str, en: str) -> str:
    return zh if language is Language.ZH else en
