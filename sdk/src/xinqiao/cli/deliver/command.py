"""The command `xinqiao deliver`."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from xinqiao.cli._connect import open_client, plain_errors
from xinqiao.cli._language import reader_language
from xinqiao.cli._options import As, Json, Keys, Kit, Lang

from . import summary
from .delivery import Options, prepare
from .reporting import report_rows
from .upload_client import PATIENT, TIMEOUT, UploadClient
from .uploading import follow, upload

SOME_REJECTED: Final = 1
REFUSED: Final = 2


def deliver(
    file: Annotated[Path, typer.Argument(help="CSV, Excel, NDJSON or Parquet; .gz and .zst too.")],
    dataset: Annotated[str, typer.Option(help="The dataset's code, e.g. penalty or licence.")],
    report: Annotated[
        Path | None,
        typer.Option(help="The workbook of rejected rows; by default FILE.rejected.xlsx."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing report.")] = False,
    columns: Annotated[
        Path | None,
        typer.Option(help="Your own names of columns: lines `column: field`, or a JSON object."),
    ] = None,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out columns that are not known.")
    ] = False,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="csv, xlsx, ndjson or parquet; else by the name."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="utf-8 or gb18030; else by the contents.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End when the file has arrived.")
    ] = False,
    kit: Kit = None,
    who: As = "source",
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Deliver a file of records, and get back the rows that were rejected, as a workbook.

    It goes on where it was when it is started again. Ends with 0 when every row
    was taken, 1 when some were rejected, 2 when the file was refused or could not
    be delivered.
    """
    language = lang or reader_language()
    with plain_errors(language, status=REFUSED):
        options = Options(
            dataset=dataset,
            report=report,
            overwrite=force,
            columns=columns,
            ignore_unknown=ignore_unknown,
            format=file_format,
            encoding=encoding,
            sheet=sheet,
        )
        delivery = prepare(file, options, language)
    with open_client(
        UploadClient, kit, who, keys, language, status=REFUSED, timeout=TIMEOUT, retry=PATIENT
    ) as client:
        job = upload(client, delivery, anew=no_wait)
        if no_wait:
            summary.show_arrived(job, language, as_json=as_json)
            return
        job = follow(client, delivery, job)
        reported = report_rows(client, delivery, job)
        summary.show(job, file, reported, language, as_json=as_json)
    if job.state != "done":
        raise typer.Exit(REFUSED)
    if job.document["rejected"]:
        raise typer.Exit(SOME_REJECTED)
