"""`code list`: codes of an enterprise, of a batch, or of a division that are out of date."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

import orjson
import typer
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.cli.codes import options
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, plain_errors
from gateway.codes.model import Code, Registration
from gateway.codes.sign_text import refused_texts as refused_texts_of
from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.db.engine import own_engine
from gateway.db.paging import KeyedTable
from gateway.settings import DatabaseSettings
from verification.uscc import check_character

PAGE: Final = 1_000
_TABLE: Final = KeyedTable(
    table="(SELECT c.*, e.name, e.division, e.status FROM enterprise_code AS c"
    " JOIN enterprise AS e ON e.uscc = c.uscc) AS code",
    key=("uscc", "code_id"),
)
_FIELDS: Final = tuple(Code.__dataclass_fields__)
_REGISTERED: Final = ("name", "division", "status")
_VALID: Final = "(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now))"
_OUTDATED: Final = "(printed_name <> name OR printed_division <> division)"


def list_codes(
    uscc: Annotated[str | None, typer.Option(help="Of this enterprise.")] = None,
    division: Annotated[
        str | None, typer.Option(help="Of enterprises in this division: 33, 3301 or 330106.")
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Of this bulk issue.")] = None,
    out_of_date: Annotated[
        bool,
        typer.Option(
            "--out-of-date", help="Valid ones whose printed name or division is another by now."
        ),
    ] = False,
    refused_texts: Annotated[
        bool,
        typer.Option(
            "--refused-texts", help="Valid ones whose sign or label today's rules would refuse."
        ),
    ] = False,
) -> None:
    """List codes as NDJSON, with their state, what is out of date, and texts that are refused today."""
    if uscc is None and division is None and batch is None and not (out_of_date or refused_texts):
        fail("Say which: --uscc, --division, --batch, --out-of-date or --refused-texts.")
    conditions, values = ["true"], dict[str, Any]()
    if uscc is not None:
        conditions.append("uscc = :uscc")
        values["uscc"] = options.known_uscc(uscc)
    if division is not None:
        conditions.append("starts_with(division, :division)")
        values["division"] = options.division_prefix(division)
    if batch is not None:
        conditions.append("batch_id = :batch")
        values["batch"] = parse_id(batch)
    if out_of_date or refused_texts:
        conditions.append(_VALID)
        values["now"] = datetime.now(UTC)
    if out_of_date:
        conditions.append(_OUTDATED)
    with plain_errors():
        where = " AND ".join(conditions)
        is_empty = asyncio.run(_print(where, values, only_refused=refused_texts))
    if is_empty and uscc is not None and not _check_agrees(values["uscc"]):
        fail("The last character of this code does not fit; it was perhaps mistyped.")
    if is_empty:
        print("0 codes.", file=sys.stderr)


async def _print(where: str, values: dict[str, Any], *, only_refused: bool) -> bool:
    """Print the codes; true if there are none."""
    async with own_engine(DatabaseSettings.from_env()) as engine:
        columns = ", ".join((*_FIELDS[2:], *_REGISTERED))
        pages = _TABLE.each_page(
            engine,
            partial(_lines, only_refused=only_refused),
            columns=columns,
            limit=PAGE,
            where=where,
            values=values,
        )
        is_empty = True
        async for lines in pages:
            print(lines, end="")
            is_empty = is_empty and not lines
    return is_empty


async def _lines(
    _connection: AsyncConnection, rows: Sequence[Row[Any]], *, only_refused: bool
) -> str:
    now = datetime.now(UTC)
    lines = [_line(row, now) for row in rows]
    shown = [each for each in lines if each["refused_texts"] or not only_refused]
    return "".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE).decode() for each in shown)


def _check_agrees(uscc: str) -> bool:
    """True if the check character fits; some registered codes have one that does not."""
    return check_character(uscc[:-1]) == uscc[-1]


def _local(value: object) -> object:
    return value.astimezone(SHANGHAI) if isinstance(value, datetime) else value


def _line(row: Row[Any], now: datetime) -> dict[str, object]:
    code = Code(**{name: getattr(row, name) for name in _FIELDS})
    registration = Registration(**{name: getattr(row, name) for name in _REGISTERED})
    return {
        **{name: _local(getattr(code, name)) for name in _FIELDS},
        "state": code.state_at(now),
        "out_of_date": list(code.outdated_facts(registration)),
        "refused_texts": refused_texts_of(code.sign_name, code.label, today=day_of(now)),
    }
