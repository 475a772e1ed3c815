"""`code national`: load which enterprise each national enterprise code stands for."""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.admin.audit_log import ActContext, record
from gateway.cli.exit import fail
from gateway.cli.operator_session import run_act
from gateway.codes.national_codes import NationalCodeError, check_identifier, replace_all
from verification.uscc import EnterpriseCode, enterprise_code

COLUMNS: Final = ["identifier", "uscc"]


def national(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CSV with the columns identifier, uscc."),
    ],
) -> None:
    """Replace the national codes by those of the authority's file; none of them if a row is wrong."""
    try:
        count = run_act(partial(_load, file))
    except (NationalCodeError, UnicodeDecodeError, csv.Error) as error:
        fail(f"Nothing was loaded: {error}.")
    print(f"{count:,} national codes are loaded.")


async def _load(file: Path, context: ActContext) -> int:
    count = await replace_all(context.connection, _rows(file))
    await record(context, "code.national", subject=str(count))
    return count


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    """The rows of the file, each checked; the message of an error names the line."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        if next(reader, None) != COLUMNS:
            raise NationalCodeError("the first line is not identifier,uscc")
        for row in reader:
            where = f"line {reader.line_num}"
            if len(row) != len(COLUMNS) or not _is_code(row[1]):
                raise NationalCodeError(f"{where} has no identifier and USCC")
            try:
                check_identifier(row[0], row[1])
            except NationalCodeError as error:
                raise NationalCodeError(f"the identifier in {where} {error}") from None
            yield row[0], row[1]


def _is_code(text: str) -> bool:
    return isinstance(enterprise_code(text), EnterpriseCode)
