"""`code-reports`: list reported codes, show one case, decide it."""

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
from gateway.codes import store as codes
from gateway.codes.reports import serializers, store
from gateway.codes.reports.model import GROUNDS, Outcome, ReportStatus
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.text_input import InvalidText, read_text

app = typer.Typer(
    no_args_is_help=True,
    help="Reports that a code does not fit (反映企业码与店铺不符), and codes scanned unusually often.",
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

    async def read(connection: AsyncConnection) -> list[dict[str, Any]]:
        cases = await store.list_cases(
            connection,
            status=None if status == "all" else status,
            issued=False if unknown else None,
            after=parse_id(after) if after else None,
            limit=limit,
        )
        return [await _legible(connection, serializers.summary(each)) for each in cases]

    shown = query(read)
    for each in shown:
        print_members(each)
    print(f"{len(shown)} shown.")


@app.command()
def show(case_id: str) -> None:
    """Show one case with the texts of its stored reports."""

    async def read(connection: AsyncConnection) -> dict[str, Any] | None:
        case = await store.find_case(connection, parse_id(case_id))
        if case is None:
            return None
        document = serializers.full_document(case, await store.texts_of(connection, case_id))
        return await _legible(connection, document)

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
    print(f"{done} is {outcome}.{' The code is revoked.' if revoke else ''}")


async def _legible(connection: AsyncConnection, document: dict[str, Any]) -> dict[str, Any]:
    """A case with its grounds in Chinese, and the name and sign of its enterprise."""
    grounds = (
        f"{each['ground']} {GROUNDS[each['ground']].zh}: ≥{each['at_least']}"
        for each in document["grounds"]
    )
    enterprise = document["enterprise"]
    if enterprise:
        code = await codes.find_code(connection, document["code_id"])
        name = await codes.enterprise_name(connection, enterprise["uscc"])
        enterprise = enterprise | {"name": name, "sign": code.sign_name if code else None}
    return document | {"enterprise": enterprise, "grounds": "; ".join(grounds)}
