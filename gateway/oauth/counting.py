"""A client is counted once it has proven itself: so a stranger cannot use up what is a client's.

As often as its agreement lets it call, it may come to each of these endpoints. What is over that is
refused before a code is spent or a token made. Why strangers are not counted: decision 0016.
"""

from functools import partial
from typing import Any

from gateway.clients.registry import Client
from gateway.limits.guard import Quotas, oauth_counter, policy_headers
from gateway.limits.names import Admission, Limited, Verdict
from gateway.oauth.errors import too_often
from gateway.oauth.issue import At


def count(at: At, client: Client, endpoint: str) -> None:
    """Count one request; raises `OAuthError`, or `LimiterUnavailableError`."""
    driver: Any = at.conn.connection.dbapi_connection
    # SQLAlchemy's own way to await something in the middle of a synchronous transaction.
    verdict: Verdict = driver.run_async(partial(_counted, at, client, endpoint))
    if isinstance(verdict, Limited):
        raise too_often(verdict.retry_after, policy_headers(verdict.states))


async def _counted(at: At, client: Client, endpoint: str, _driver: object) -> Verdict:
    agreement = client.agreement
    quotas = (
        await at.runtime.quotas.of(client.client_id, agreement.version) if agreement else Quotas()
    )
    return await at.runtime.guard.admit(
        Admission(
            tag=client.client_id,
            generation=None,
            counters=(oauth_counter(quotas, client.client_id, endpoint),),
        )
    )
