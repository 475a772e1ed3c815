"""Lifting a throttle: an operator gives a client the rate of its agreement back; an audited act."""

from gateway.admin.audit_log import ActContext, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.anomalies import store
from gateway.clients import registry


async def lift(context: ActContext, client_id: str) -> tuple[str, ...] | AdminRefusal:
    """Lift what throttles a client now; the ids of the anomalies. They do not throttle it again."""
    if await registry.find(context.connection, client_id) is None:
        return no_such("client")
    lifted = await store.lift(
        context.connection, client_id, operator=context.operator.credential, now=context.now
    )
    if not lifted:
        return conflict("Nothing throttles this client now.")
    for anomaly_id in lifted:
        await record(context, "anomaly.lift", client_id=client_id, subject=anomaly_id)
    return lifted
