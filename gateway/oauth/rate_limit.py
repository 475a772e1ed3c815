"""Rate limit of authenticated clients at the OAuth endpoints, by their agreement's quota per minute.

A client is counted once it is authenticated, so that a stranger cannot use up its quota (decision
0016), and before a code is redeemed or a token issued.
"""

import math
from functools import partial

from gateway.clients.registry import Client
from gateway.limits.model import Admission, Limited, Replay, Replayed
from gateway.limits.quotas import Quotas, oauth_counter, policy_headers
from gateway.oauth.errors import too_often
from gateway.oauth.request_context import RequestContext
from gateway.oauth.unit_of_work import Assertion


def count_request(context: RequestContext, client: Client, endpoint: str) -> None:
    """Count one request; raises `OAuthError` or `LimiterUnavailableError`, deferred work later."""
    context.unit_of_work.count(partial(charge, context, client, endpoint))


async def charge(
    context: RequestContext, client: Client, endpoint: str, unspent: Assertion | None
) -> bool:
    """Charge one request; False, and uncharged, with an assertion that was seen before.

    An unspent assertion is checked for replay here too, or an overheard one could use up its
    client's quota. The database makes it single-use.
    """
    agreement = client.agreement
    quotas = (
        await context.runtime.quotas.quotas_of(client.client_id, agreement.version)
        if agreement
        else Quotas()
    )
    verdict = await context.runtime.limiter.admit(
        Admission(
            tag=client.client_id,
            generation=None,
            replay=_replay(context, unspent) if unspent else None,
            counters=(oauth_counter(quotas, client.client_id, endpoint),),
        )
    )
    if isinstance(verdict, Limited):
        raise too_often(verdict.retry_after, policy_headers(verdict.states))
    return not isinstance(verdict, Replayed)


def _replay(context: RequestContext, assertion: Assertion) -> Replay:
    remains = math.ceil((assertion.forgotten_at - context.now).total_seconds())
    return Replay(key=f"assertion {assertion.client_id} {assertion.jti}", ttl=max(remains, 1))
