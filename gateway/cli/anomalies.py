"""`anomalies`: list what was flagged, and lift what throttles a client."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin.anomaly_decision import lift as lift_
from gateway.admin.errors import no_such
from gateway.anomalies import store
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, query, run_act
from gateway.cli.printing import print_members
from gateway.clients import registry
from gateway.creditfile.local_dates import SHANGHAI, day_of

app = typer.Typer(
    no_args_is_help=True,
    help="Unusual patterns in what clients ask (异常访问), and rates that they lower.",
)


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option(help="Only of this client.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Of so many days, with today.")] = 7,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
) -> None:
    """List anomalies, the newest first: client, kind, counts, and whether they throttle now."""
    now = datetime.now(UTC)
    since = day_of(now) - timedelta(days=days - 1)
    client_id = parse_id(client) if client else None

    async def find(connection: AsyncConnection) -> Sequence[RowMapping] | None:
        if client_id is not None and await registry.find(connection, client_id) is None:
            return None
        return await store.list_anomalies(connection, since=since, client_id=client_id, limit=limit)

    found = query(find)
    if found is None:
        fail(no_such("client").sentence)
    for each in found:
        print_members(_shown(each, now))
    print(f"{len(found)} shown.")


@app.command()
def lift(client_id: str) -> None:
    """Give a client the rate of its agreement back, within seconds; what throttled it is written down."""
    lifted = run_act(lambda context: lift_(context, parse_id(client_id)))
    print(f"{client_id} has its rate again ({len(lifted)} lifted).")


def _shown(anomaly: RowMapping, now: datetime) -> dict[str, Any]:
    counts = ", ".join(f"{name} {count}" for name, count in sorted(anomaly["counts"].items()))
    return {
        "anomaly_id": anomaly["anomaly_id"],
        "client_id": anomaly["client_id"],
        "day": anomaly["day"],
        "kind": anomaly["kind"],
        "counts": counts,
        "first_at": _local(anomaly["first_at"]),
        "last_at": _local(anomaly["last_at"]),
        "throttled_until": _local(anomaly["throttled_until"]),
        "lifted_at": _local(anomaly["lifted_at"]),
        "lifted_by": anomaly["lifted_by"],
        "alert": _alert(anomaly),
        "throttles": _throttles(anomaly, now),
    }


def _throttles(anomaly: RowMapping, now: datetime) -> bool:
    until = anomaly["throttled_until"]
    return until is not None and now < until and anomaly["lifted_at"] is None


def _alert(anomaly: RowMapping) -> str:
    if anomaly["alert_due_at"] is None:
        return "none due"
    return f"due at {_local(anomaly['alert_due_at'])}, {anomaly['alert_failures']} failures"


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
