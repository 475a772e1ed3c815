"""Anomalies flagged of a client, once the watch has read all that the client was told."""

from dataclasses import replace
from typing import Any

from gateway.background.anomaly_watch import AnomalyWatch
from gateway.runtime import Runtime
from tests.gateway_fixture import Caller
from tests.waiting import eventually

_UNREAD = """
    SELECT EXISTS (SELECT FROM pending_leaf AS p JOIN disclosure AS d USING (uscc, disclosure_id)
                    WHERE d.client_id = :client)
        OR EXISTS (SELECT FROM log_entry AS e JOIN disclosure AS d USING (uscc, disclosure_id)
                    WHERE d.client_id = :client
                      AND e.index >= (SELECT next_index FROM anomaly_cursor)) AS unread"""


async def flagged_of(caller: Caller, runtime: Runtime | None = None) -> dict[str, dict[str, Any]]:
    """The anomalies of a client by kind."""
    gateway, watch = caller.gateway, AnomalyWatch(batch=50)
    own = replace(runtime or gateway.runtime, now=gateway.clock)

    async def is_read() -> bool:
        await watch.count(own)
        (row,) = await gateway.rows(_UNREAD, client=caller.client_id)
        return not row["unread"]

    await eventually(is_read)
    rows = await gateway.rows(
        "SELECT * FROM anomaly WHERE client_id = :client", client=caller.client_id
    )
    return {row["kind"]: row for row in rows}
