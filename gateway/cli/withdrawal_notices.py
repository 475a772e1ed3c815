"""`tombstones`: withdrawal notices that clients have not acknowledged (R14)."""

from functools import partial
from typing import Annotated

import typer

from gateway.access.serializers.timestamps import format_time
from gateway.cli.operator_session import parse_id, query
from gateway.cli.printing import print_table
from gateway.disclosure.withdrawal_notices import count_unacknowledged, unacknowledged_notices

LISTED_NOTICES = 1_000


def unacknowledged(
    client: Annotated[
        str | None, typer.Option(help="Each notice to this client; else numbers.")
    ] = None,
) -> None:
    """Show the notices (撤回通知) that clients have not acknowledged, oldest first."""
    if client is not None:
        _of_client(parse_id(client))
        return
    print_table(
        ("client_id", "open", "since"),
        (
            (each.client_id, each.open, format_time(each.since))
            for each in query(count_unacknowledged)
        ),
    )


def _of_client(client_id: str) -> None:
    print_table(
        ("change_id", "kind", "occurred_at", "of", "disclosures"),
        (
            (
                each.change_id,
                each.kind,
                format_time(each.occurred_at),
                each.record_id or each.consent_id,
                len(each.disclosure_ids),
            )
            for each in query(
                partial(unacknowledged_notices, client_id=client_id, limit=LISTED_NOTICES)
            )
        ),
        figures=1,
    )
