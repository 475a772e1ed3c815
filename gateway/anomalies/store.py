"""Statements on activity and anomalies: load and save days, flag, list, lift, throttled clients."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.anomalies.activity import Activity
from gateway.anomalies.detectors import Finding
from gateway.db.engine import to_json
from gateway.db.statements import Statement

Day = tuple[str, date]
"""A client and a day."""

_LOAD: Final = Statement("""
    SELECT a.* FROM client_activity AS a
      JOIN unnest(CAST(:clients AS text[]), CAST(:days AS date[])) AS wanted(client_id, day)
        ON a.client_id = wanted.client_id AND a.day = wanted.day""")
_SAVE: Final = Statement("""
    INSERT INTO client_activity (client_id, day, calls, yes, no, codes, cells, spent, areas)
    VALUES (:client_id, :day, :calls, :yes, :no, :codes, :cells, :spent, CAST(:areas AS jsonb))
        ON CONFLICT (client_id, day) DO UPDATE
       SET calls = excluded.calls, yes = excluded.yes, no = excluded.no, codes = excluded.codes,
           cells = excluded.cells, spent = excluded.spent, areas = excluded.areas""")
_REGISTERED: Final = Statement("""
    SELECT count(*) FROM enterprise
     WHERE uscc >= CAST(:area AS text) AND uscc < CAST(:area AS text) || 'Z'""")
_FLAG: Final = Statement("""
    INSERT INTO anomaly AS a (client_id, day, kind, anomaly_id, counts, first_at, last_at,
                              throttled_until, alert_due_at)
    VALUES (:client_id, :day, :kind, :anomaly_id, CAST(:counts AS jsonb), :now, :now,
            :throttled_until, :alert_due_at)
        ON CONFLICT (client_id, day, kind) DO UPDATE
       SET counts = excluded.counts, last_at = excluded.last_at
    RETURNING a.anomaly_id = CAST(:anomaly_id AS text) AS is_new""")
_THROTTLED: Final = Statement("""
    SELECT DISTINCT client_id FROM anomaly
     WHERE throttled_until > CAST(:now AS timestamptz) AND lifted_at IS NULL""")
_LIST: Final = Statement("""
    SELECT * FROM anomaly
     WHERE day >= CAST(:since AS date)
       AND (CAST(:client_id AS text) IS NULL OR client_id = CAST(:client_id AS text))
     ORDER BY day DESC, last_at DESC, client_id, kind LIMIT :limit""")
_LIFT: Final = Statement("""
    UPDATE anomaly SET lifted_at = CAST(:now AS timestamptz), lifted_by = :operator
     WHERE client_id = :client_id AND throttled_until > CAST(:now AS timestamptz)
       AND lifted_at IS NULL
    RETURNING anomaly_id""")
_DUE_ALERT: Final = Statement("""
    SELECT * FROM anomaly WHERE alert_due_at <= CAST(:now AS timestamptz)
     ORDER BY alert_due_at LIMIT 1 FOR UPDATE SKIP LOCKED""")
_ALERTED: Final = Statement("""
    UPDATE anomaly SET alert_due_at = CAST(:due AS timestamptz),
           alert_failures = alert_failures + CAST(:failures AS integer)
     WHERE anomaly_id = :anomaly_id""")


async def load_days(connection: AsyncConnection, days: Iterable[Day]) -> dict[Day, Activity]:
    """The activity so far of each day; a new one has none yet."""
    wanted = sorted(set(days))
    values = {"clients": [client for client, _ in wanted], "days": [day for _, day in wanted]}
    rows = (await connection.execute(_LOAD, values)).mappings()
    found = {(row["client_id"], row["day"]): Activity.from_row(row) for row in rows}
    return {each: found.get(each) or Activity() for each in wanted}


async def save_days(connection: AsyncConnection, days: Mapping[Day, Activity]) -> None:
    """Save the activity of each day."""
    rows = [
        {"client_id": client, "day": day, **row, "areas": to_json(row["areas"])}
        for (client, day), row in ((key, each.to_row()) for key, each in days.items())
    ]
    if rows:
        await connection.execute(_SAVE, rows)


async def registered_in(connection: AsyncConnection, area: str) -> int:
    """Number of enterprises with a code of this area."""
    return int((await connection.execute(_REGISTERED, {"area": area})).scalar_one())


async def flag(
    connection: AsyncConnection,
    client_day: Day,
    finding: Finding,
    *,
    anomaly_id: str,
    now: datetime,
    throttled_until: datetime | None,
    alert_due_at: datetime | None,
) -> bool:
    """Flag an anomaly, or bring its counts up to date; true where it is new."""
    values = {
        "client_id": client_day[0],
        "day": client_day[1],
        "kind": str(finding.kind),
        "anomaly_id": anomaly_id,
        "counts": to_json(dict(finding.counts)),
        "now": now,
        "throttled_until": throttled_until,
        "alert_due_at": alert_due_at,
    }
    return bool((await connection.execute(_FLAG, values)).scalar_one())


async def throttled_clients(connection: AsyncConnection, *, now: datetime) -> frozenset[str]:
    """The clients whose rate is lowered now."""
    return frozenset((await connection.execute(_THROTTLED, {"now": now})).scalars())


async def list_anomalies(
    connection: AsyncConnection, *, since: date, client_id: str | None, limit: int
) -> Sequence[RowMapping]:
    """Anomalies since a day, the newest first, of one client or all."""
    values = {"since": since, "client_id": client_id, "limit": limit}
    return (await connection.execute(_LIST, values)).mappings().all()


async def lift(
    connection: AsyncConnection, client_id: str, *, operator: str, now: datetime
) -> tuple[str, ...]:
    """Give a client its rate back; the ids of the anomalies that lowered it."""
    values = {"client_id": client_id, "operator": operator, "now": now}
    return tuple((await connection.execute(_LIFT, values)).scalars())


async def take_due_alert(connection: AsyncConnection, *, now: datetime) -> RowMapping | None:
    """An anomaly whose alert is due, locked until the transaction ends."""
    return (await connection.execute(_DUE_ALERT, {"now": now})).mappings().one_or_none()


async def record_alert(
    connection: AsyncConnection, anomaly_id: str, *, retry_at: datetime | None, failures: int = 0
) -> None:
    """Note that an alert was accepted (no `retry_at`), or when it is tried again."""
    values = {"anomaly_id": anomaly_id, "due": retry_at, "failures": failures}
    await connection.execute(_ALERTED, values)
