"""`record show`: an enterprise's stored credit file on a day, with persons masked."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

import typer

from gateway.cli.exit import fail
from gateway.cli.operator_session import query
from gateway.cli.printing import print_members
from gateway.cli.records.mask import mask
from gateway.cli.records.refold import merged, refold
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.disclosed_fields import mask_persons
from gateway.creditfile.history import file_at
from gateway.creditfile.local_dates import SHANGHAI, day_of, end_of
from gateway.creditfile.records import Record, registration_of
from gateway.rfc3339 import parse_date
from verification.uscc import normalise_uscc

SEALED: Final = "(sealed)"
_TIMES: Final = (
    "source_time",
    "received_at",
    "repaired_at",
    "suspended_at",
    "withdrawn_at",
    "objection_since",
)
_A_MOMENT: Final = timedelta(microseconds=1)

app = typer.Typer(no_args_is_help=True, help="Credit records (信用记录).")


app.command("refold")(refold)
app.command("mask")(mask)
app.command("merged")(merged)


@app.command()
def show(
    uscc: Annotated[str, typer.Argument(help="The enterprise's USCC.")],
    on: Annotated[
        str | None, typer.Option(help="As it was at the end of this day, YYYY-MM-DD; else now.")
    ] = None,
) -> None:
    """Show what was held on an enterprise, whether or not it may be told."""
    moment = datetime.now(UTC) if on is None else _end(on)
    held = query(partial(file_at, uscc=normalise_uscc(uscc), moment=moment))
    catalogue = query(in_force)
    if held.enterprise is None and not held.records:
        fail("Nothing was held on this enterprise then.")
    print(f"As held at {moment.astimezone(SHANGHAI).isoformat(timespec='seconds')}:\n")
    if held.enterprise is not None:
        has_personal = held.enterprise.personal is not None
        print_members(_members(registration_of(held.enterprise), catalogue, sealed=has_personal))
    for each in held.records:
        print_members(_members(each, catalogue, sealed=each.personal is not None))


def _end(day: str) -> datetime:
    try:
        date = parse_date(day)
    except ValueError:
        fail("--on is a day as YYYY-MM-DD.")
    if date > day_of(datetime.now(UTC)):
        fail("--on is a day that has come.")
    return end_of(date) - _A_MOMENT


def _members(record: Record, catalogue: Catalogue, *, sealed: bool) -> dict[str, Any]:
    personal = {f.name for f in catalogue.dataset(record.dataset).fields if f.personal}
    shown = {
        name: mask_persons(value) if name in personal else value
        for name, value in record.fields.items()
    }
    times = {
        name: f"{value.astimezone(SHANGHAI).isoformat(timespec='seconds')}"
        for name in _TIMES
        if (value := getattr(record, name)) is not None
    }
    return {
        "dataset": record.dataset,
        "record": f"{record.record_id}, version {record.version}",
        "source": f"{record.source_id} ({record.source_name})",
        **times,
        "fields": shown,
        **({"personal": SEALED} if sealed else {}),
    }
