"""`objections`: list what is due, show one objection, decide a review."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gateway.admin.audit_log import ActContext
from gateway.admin.errors import AdminRefusal
from gateway.admin.objection_review import review as review_
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, plain_errors, query, run_act
from gateway.cli.printing import print_members
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections import serializers, service
from gateway.creditfile.objections.model import DECISIONS, Objection, ObjectionOutcome
from gateway.creditfile.objections.text_input import InvalidText, read_text

app = typer.Typer(no_args_is_help=True, help="Objections (异议) and rating appeals.")


@app.command()
def due(
    within: Annotated[
        int | None, typer.Option(min=0, max=250, help="Working days; without it, all.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
) -> None:
    """List what sources and reviewers owe, the longest overdue first."""
    now = datetime.now(UTC)
    found = query(partial(service.due_objections, within=within, now=now))
    rows = [serializers.due_row(each, today=day_of(now)) for each in found]
    if csv:
        print(serializers.as_csv(rows), end="")
        return
    for row in rows:
        guessed = " (provisional)" if row["provisional"] else ""
        print(
            f"{row['objection_id']}  due {row['due_on']}{guessed}, "
            f"{row['working_days_left']} working days left\n"
            f"    {row['kind']} to {row['dataset']} of {row['source_name']}; next: {row['next']}"
        )
    late = sum(row["working_days_left"] < 0 for row in rows)
    print(f"{len(rows)} due, {late} of them late.")


@app.command()
def show(objection_id: str) -> None:
    """Show one objection with its texts and its history."""
    found = query(
        partial(service.find_document, objection_id=parse_id(objection_id), now=datetime.now(UTC))
    )
    if found is None:
        fail("There is no such objection.")
    print_members(found)


@app.command()
def review(
    objection_id: str,
    outcome: Annotated[str, typer.Option(help="upheld, partly or rejected")],
    reasons: Annotated[Path, typer.Option(help="File with the reasons, as the enterprise reads.")],
) -> None:
    """Decide the review that an enterprise has asked for, finally."""
    if outcome not in DECISIONS:
        fail("The outcome is upheld, partly or rejected.")
    with plain_errors():
        written = read_text(reasons.read_text(encoding="utf-8"), today=day_of(datetime.now(UTC)))
    if isinstance(written, InvalidText):
        fail("Reasons have 2 to 1,500 characters.")

    async def verb(context: ActContext) -> Objection | AdminRefusal:
        catalogue = await in_force(context.connection)
        return await review_(
            context, catalogue, parse_id(objection_id), ObjectionOutcome(outcome), written.text
        )

    done = run_act(verb)
    print(f"{done.objection_id} is {done.status}: {done.outcome}.")
