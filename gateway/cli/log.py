"""`log`: compare the transparency log with its checkpoints outside the database; store a first checkpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import orjson
import typer

from gateway.admin.audit_log import ActContext, record
from gateway.background.sequencing import publisher_of
from gateway.cli.exit import fail
from gateway.cli.operator_session import current_operator, plain_errors
from gateway.cli.printing import print_members, print_table
from gateway.disclosure.signed_requests import kept_request
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.signing.keys import KeysUnreadableError
from gateway.transparency.checkpoint_stores import StoreError
from gateway.transparency.publication import Survey
from gateway.transparency.rollback import LogForkedError

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="The signed log and its checkpoints.")


@app.command()
def check() -> None:
    """Compare the log in the database with each checkpoint in XINQIAO_LOG_CHECKPOINTS."""

    async def survey(runtime: Runtime) -> Survey:
        return await publisher_of(runtime).survey()

    found = _with_runtime(survey)
    print_members({"entries in the database": found.log.size, "published": found.log.published})
    print_table(
        ("kept at", "entries", "verdict"),
        (
            (
                each.place,
                each.head.size if each.head else None,
                each.comparison.name.lower() if each.comparison else "unusable",
            )
            for each in found.findings
        ),
    )
    try:
        found.demand_fit()
    except (LogForkedError, StoreError) as error:
        fail(str(error))
    print("The log is the one that was signed.")


@app.command("put-checkpoint")
def put_checkpoint(
    size: Annotated[
        int, typer.Option(help="How many entries the log must have, as you know it; see the docs.")
    ],
) -> None:
    """Keep the log's newest checkpoint where there is none, or an older one than was published.

    For a new place, and after you found out why a place has lost its own. A
    place that knows more than the database is never overwritten.
    """
    by = current_operator()

    async def put(runtime: Runtime) -> list[str]:
        publisher = publisher_of(runtime)
        survey = await publisher.survey()
        survey.demand_comparable()
        _demand_size(survey, size)
        async with runtime.background.begin() as connection:
            context = ActContext(
                connection=connection, operator=by, now=datetime.now(UTC), datasets=()
            )
            await record(context, "checkpoint.put", subject=str(size))
        return [each.place for each in await publisher.adopt(survey)]

    for place in _with_runtime(put):
        print(f"{place} keeps the checkpoint of {size} entries now.")


def _demand_size(survey: Survey, size: int) -> None:
    if survey.log.newest is None:
        fail("The log has not begun: its first checkpoint is kept when the gateway serves.")
    if survey.log.size != size:
        fail(
            f"The log in the database has {survey.log.size} entries, not {size}: nothing was changed. "
            "Compare with what was last seen of it (the checkpoint that banks and witnesses have)."
        )


@app.command()
def request(
    subject_id: Annotated[
        str,
        typer.Argument(
            help="The id of a disclosure, batch or job (its lines); JOB.create, JOB.start, QUERY.outcome1."
        ),
    ],
) -> None:
    """Show the signed request that was answered: its client cannot deny it."""
    found = _with_runtime(lambda runtime: kept_request(runtime.hot, runtime.vault, subject_id))
    if found is None:
        fail("There is no signed request of this id.")
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


def _with_runtime(question: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `question` with a runtime from the environment's settings."""
    from gateway.open_runtime import close_runtime, open_runtime  # slow, and needed here alone

    async def run() -> T:
        runtime = await open_runtime(Settings.from_env())
        try:
            return await question(runtime)
        finally:
            await close_runtime(runtime)

    with plain_errors():
        try:
            return asyncio.run(run())
        except (KeysUnreadableError, LogForkedError, StoreError) as error:
            fail(str(error))
