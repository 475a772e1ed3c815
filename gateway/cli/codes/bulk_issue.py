"""`code bulk`: codes for the enterprises of a division, as NDJSON for a printer; resumable."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.admin.audit_log import ActContext, record
from gateway.cli.codes import options
from gateway.cli.codes.options import Issuer, Label, LastDay
from gateway.cli.exit import fail
from gateway.cli.operator_session import current_operator, plain_errors
from gateway.cli.printing import counting
from gateway.codes.bulk import batches
from gateway.codes.bulk.batches import Batch
from gateway.codes.bulk.file import BulkFile, BulkFileError
from gateway.codes.bulk.names import RegisteredNameProblem, Unsigned
from gateway.codes.bulk.signs import SignFileError, load_signs
from gateway.codes.sign_text import TextProblem
from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.db.engine import autocommit, own_engine
from gateway.db.locks import LockNamespace, try_session_lock_named
from gateway.settings import DatabaseSettings

LOCK: Final = "bulk"
UNSIGNED: Final[Mapping[Unsigned, str]] = {
    RegisteredNameProblem.OPERATORS_NAME: "is its operator's own; give a name for the sign (--signs)",
    **{problem: text for problem, text in options.TEXT_PROBLEMS.items()},  # noqa: C416  # widens the key
}
_NO_BATCH: Final = "It is there already, and no batch was written to it; name another file."


def bulk_issue(
    division: Annotated[str, typer.Option(help="Its code of GB/T 2260: 33, 3301 or 330106.")],
    out: Annotated[Path, typer.Option(help="The file for the printer (NDJSON).")],
    issuer: Issuer,
    signs: Annotated[
        Path | None,
        typer.Option(help="Names for signs (CSV: uscc,sign_name), else registered names."),
    ] = None,
    label: Label = "",
    last_day: LastDay = None,
    page: Annotated[
        int, typer.Option(min=1, max=5_000, help="Enterprises in a transaction.")
    ] = batches.PAGE,
) -> None:
    """Issue a code for each enterprise that has none, into FILE. Run it again: it goes on."""
    wanted = Batch(
        batch_id="",
        division=options.division_prefix(division),
        label=options.label_text(label),
        expires_at=options.term_end(last_day),
        file=str(out.resolve()),
        issued_by="",
        started_at=datetime.now(UTC),
    )
    try:
        with plain_errors():
            done = asyncio.run(_run(wanted, options.issuer_origin(issuer), signs, page))
    except SignFileError as error:
        problem = error.problem
        text = options.TEXT_PROBLEMS[problem] if isinstance(problem, TextProblem) else problem
        fail(f"{signs}, line {error.line}: {text}. No code was issued.")
    except BulkFileError as error:
        fail(f"{out} cannot be written. {error}")
    print(f"{done.lines:,} codes were written to {out}: batch {done.batch_id} is complete.")
    if done.skipped:
        print(f"{done.skipped:,} were skipped, as listed: `code issue` with a name for the sign.")
    print(f"Enterprises of division {division} in business without a code: {done.without:,}.")


class _Done(NamedTuple):
    batch_id: str
    lines: int
    skipped: int
    without: int


async def _run(wanted: Batch, issuer: str, signs: Path | None, page: int) -> _Done:
    settings = DatabaseSettings.from_env()
    is_file = await asyncio.to_thread(Path(wanted.file).exists)
    async with own_engine(settings, pool_size=3) as engine, _alone(engine) as session:
        if signs is not None:
            await load_signs(session, signs, today=day_of(datetime.now(UTC)))
        given = None if signs is None else session
        batch = await _batch(engine, wanted, is_file=is_file)
        with BulkFile(Path(batch.file), batch.batch_id, issuer) as file:
            lines, skipped = await _write_pages(engine, batch, file, given, page)
        async with engine.begin() as connection:
            now = datetime.now(UTC)
            if batch.finished_at is None:
                await batches.finish_batch(connection, batch, now=now)
            without = await batches.count_without_code(connection, batch, now=now)
    return _Done(batch.batch_id, lines, skipped, without)


async def _batch(engine: AsyncEngine, wanted: Batch, *, is_file: bool) -> Batch:
    """The batch of this file, if it is of the same division, label and term; else a new one, audited."""
    operator, now = current_operator(), datetime.now(UTC)
    async with engine.begin() as connection:
        found = await batches.find_batch(connection, wanted.file)
        if found is not None:
            if _terms(found) != _terms(wanted):
                raise BulkFileError(f"It is of {_terms(found)}: give the same, or another file.")
            return found
        if is_file:
            raise BulkFileError(_NO_BATCH)
        made = await batches.begin_batch(
            connection,
            division=wanted.division,
            label=wanted.label,
            expires_at=wanted.expires_at,
            file=wanted.file,
            actor=operator.credential,
            now=now,
        )
        context = ActContext(connection=connection, operator=operator, now=now, datasets=())
        await record(context, "code.bulk", subject=made.batch_id)
    return made


def _terms(batch: Batch) -> str:
    """Settings that a resumed run must share with its batch."""
    end = batch.expires_at.astimezone(SHANGHAI).isoformat() if batch.expires_at else "none"
    return f"division {batch.division}, label {batch.label!r}, end of term {end}"


async def _write_pages(
    engine: AsyncEngine,
    batch: Batch,
    file: BulkFile,
    signs: AsyncConnection | None,
    limit: int,
) -> tuple[int, int]:
    """Issue page by page, each written once it is committed; the numbers of lines and of skipped."""
    after: str | None = file.last_uscc
    async with engine.connect() as connection:
        total = await batches.count_enterprises(connection, batch, after=after or "")
    lines, skipped, looked_at = 0, 0, 0
    with counting(f"Division {batch.division}", total, Console(stderr=True)) as tell:
        while after is not None:
            async with engine.begin() as connection:
                page = await batches.issue_page(
                    connection, batch, after=after, signs=signs, now=datetime.now(UTC), limit=limit
                )
            file.append(page.codes)
            lines, looked_at, after = (
                lines + len(page.codes),
                looked_at + page.enterprises,
                page.end,
            )
            skipped += len(page.skipped)
            for uscc, problem in page.skipped.items():
                print(
                    f"{uscc} skipped: its registered name {UNSIGNED[problem]}.",
                    file=sys.stderr,
                )
            tell(looked_at)
    return lines, skipped


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """The session of the one bulk issue at a time: two would give an enterprise two codes."""
    async with autocommit(engine).connect() as connection:
        if not await try_session_lock_named(connection, LockNamespace.CODES, LOCK):
            raise BulkFileError("Another bulk issue is under way.")
        yield connection
