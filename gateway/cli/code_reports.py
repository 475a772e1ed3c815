"""`code-reports`: list reported codes, show one case, decide it."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin.audit_log import ActContext
from gateway.admin.code_report_decision import decide as decide_
from gateway.admin.errors import AdminRefusal
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, plain_errors, query, run_act
from gateway.cli.printing import print_members
from gateway.codes.reports import serializers, store
from gateway.codes.reports.model import Outcome, ReportStatus
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.text_input import InvalidText, read_text

app = typer.Typer(
    no_args_is_help=True,
    help="Reports that a code is false (企业码举报), and codes scanned unusually often.",
)


@app.command("list")
def list_(
    status: Annotated[
        str, typer.Option(help="open, dismissed, confirmed or all")
    ] = ReportStatus.OPEN,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Only what is no code of ours.")
    ] = False,
    after: Annotated[str | None, typer.Option(help="The last case of the page before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
) -> None:
    """List reported and unusually scanned codes, the newest report first."""
    if status not in {*ReportStatus, "all"}:
        fail("The status is open, dismissed, confirmed or all.")
    cases = query(
        partial(
            store.list_cases,
            status=None if status == "all" else status,
            issued=False if unknown else None,
            after=parse_id(after) if after else None,
            limit=limit,
        )
    )
    for each in map(serializers.summary, cases):
        print_members(each)
    print(f"{len(cases)} shown.")


@app.command()
def show(case_id: str) -> None:
    """Show one case with the texts of its stored reports."""

    async def read(connection: AsyncConnection) -> dict[str, Any] | None:
        case = await store.find_case(connection, parse_id(case_id))
        if case is None:
            return None
        return serializers.full_document(case, await store.texts_of(connection, case_id))

    found = query(read)
    if found is None:
        fail("There is no such report.")
    print_members(found)


@app.command()
def decide(
    case_id: str,
    outcome: Annotated[str, typer.Option(help="dismissed or confirmed")],
    reasons: Annotated[Path, typer.Option(help="File with the reasons, for the log.")],
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Revoke the code, if it is confirmed.")
    ] = False,
) -> None:
    """Dismiss a case or confirm that the code was forged or misused."""
    if outcome not in {*Outcome}:
        fail("The outcome is dismissed or confirmed.")
    with plain_errors():
        text = reasons.read_text(encoding="utf-8")

    async def verb(context: ActContext) -> str | AdminRefusal:
        written = read_text(text, today=day_of(context.now))
        if isinstance(written, InvalidText):
            fail("Reasons have 2 to 1,500 characters.")
        chosen = Outcome(outcome)
        return await decide_(context, parse_id(case_id), chosen, written.text, revoke=revoke)

    done = run_act(verb)
    print(f"{done} is {outcome}.")
