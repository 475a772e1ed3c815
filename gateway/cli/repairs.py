"""`repairs`: list the applications for repair that are due, show one."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from gateway.cli.exit import fail
from gateway.cli.operator_session import query
from gateway.cli.printing import print_members
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.serializers import as_csv
from gateway.creditfile.repairs import serializers, service
from gateway.creditfile.repairs.model import APPLICATION_ID

app = typer.Typer(no_args_is_help=True, help="Applications for repair (信用修复).")


@app.command()
def due(
    within: Annotated[
        int | None, typer.Option(min=0, max=250, help="Working days; without it, all.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """List what sources have to decide, the longest overdue first."""
    now = datetime.now(UTC)
    found = query(partial(service.due_applications, within=within, now=now))
    rows = [serializers.due_row(each, today=day_of(now)) for each in found]
    if csv:
        print(as_csv(rows, serializers.REPORT_COLUMNS), end="")
        return
    for row in rows:
        guessed = " (provisional)" if row["provisional"] else ""
        print(
            f"{row['application_id']}  due {row['due_on']}{guessed}, "
            f"{row['working_days_left']} working days left\n"
            f"    repair of {row['dataset']} of {row['source_name']}"
        )
    late = sum(row["working_days_left"] < 0 for row in rows)
    print(f"{len(rows)} due, {late} of them late.")


@app.command()
def show(application_id: str) -> None:
    """Show one application with its statement and papers."""
    if not APPLICATION_ID.fullmatch(application_id):
        fail("An application's id is rep_ and 26 characters.")
    found = query(
        partial(service.find_document, application_id=application_id, now=datetime.now(UTC))
    )
    if found is None:
        fail("There is no such application.")
    print_members(found)
