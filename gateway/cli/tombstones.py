"""Who was told what is withdrawn, and has not said that they know it (R14)."""

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.operating import an_id, look
from gateway.disclosure.tombstones import owed_by, owing

MOST = 1_000


def unacknowledged(
    client: Annotated[str | None, typer.Option(help="Each notice to this client.")] = None,
) -> None:
    """Show the notices (撤回通知) that clients have not acknowledged, the longest silence first."""
    if client is not None:
        _of_client(an_id(client))
        return
    table = Table("client_id", "open", "since")
    for each in look(owing):
        table.add_row(each.client_id, str(each.open), each.since.isoformat(timespec="seconds"))
    Console().print(table)


def _of_client(client_id: str) -> None:
    table = Table("change_id", "kind", "occurred_at", "of", "disclosures")
    for each in look(partial(owed_by, client_id=client_id, limit=MOST)):
        table.add_row(
            each.change_id,
            each.kind,
            each.occurred_at.isoformat(timespec="seconds"),
            each.record_id or each.consent_id,
            str(len(each.disclosure_ids)),
        )
    Console().print(table)
