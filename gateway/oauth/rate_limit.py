"""A client is counted once it has proven itself: so a stranger cannot use up what is a client's.

As often as its agreement lets it call, it may come to each of these endpoints. What is over that is
refused before a code is spent or a token made. Why strangers are not counted: decision 0016.
"""

import math
from functools import partial

from gateway.clients.registry import Client
from gateway.limits.limiter import Quotas, oauth_counter, policy_headers
from gateway.limits.model import Admission, Limited, Replay, Replayed
from gateway.oauth.errors import too_often
from gateway.oauth.token_issuer import TokenTime
from gateway.oauth.unit_of_work import Assertion


def count(at: TokenTime, client: Client, endpoint: str) -> None:
    """Have one request counted; it ends with `OAuthError`, or `LimiterUnavailableError`."""
    at.books.count(partial(counted, at, client, endpoint))


async def counted(at: TokenTime, client: Client, endpoint: str, unspent: Assertion | None) -> bool:
    """Count, but not what comes with an assertion that was seen before: False.

    An assertion that is not spent yet is judged here too, or whoever has overheard one could use up
    its client's count. What makes it single-use is the database.
    """
    agreement = client.agreement
    quotas = (
        await at.runtime.quotas.of(client.client_id, agreement.version) if agreement else Quotas()
    )
    verdict = await at.runtime.guard.admit(
        Admission(
            tag=client.client_id,
            generation=None,
            replay=_replay(at, unspent) if unspent else None,
            counters=(oauth_counter(quotas, client.client_id, endpoint),),
        )
    )
    if isinstance(verdict, Limited):
        raise too_often(verdict.retry_after, policy_headers(verdict.states))
    return not isinstance(verdict, Replayed)


def _replay(at: TokenTime, assertion: Assertion) -> Replay:
    remains = math.ceil((assertion.forgotten_at - at.now).total_seconds())
    return Replay(key=f"assertion {assertion.client_id} {assertion.jti}", ttl=max(remains, 1))
