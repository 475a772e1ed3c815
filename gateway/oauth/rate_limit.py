"""Rate limit of authenticated clients at the OAuth endpoints, by their agreement's quota per minute.

A client is counted once it is authenticated, so that a stranger cannot use up its quota (decision
0016), and before a code is redeemed or a token issued.
"""

import math
import secrets
from functools import partial

from gateway.access.dpop import REMEMBER_SECONDS
from gateway.clients.registry import Client
from gateway.limits.model import Admission, Limited, Pin, PinConflict, Replay
from gateway.limits.quotas import Quotas, oauth_counter, policy_headers
from gateway.oauth.dpop import refuse_spent_proof
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

    In the same round trip an unspent proof is spent (`OAuthError` if it was used before), and an unspent
    assertion is pinned to its request, or an overheard one could use up its client's quota. The database
    makes it single-use.
    """
    proof = context.unspent_proof
    agreement = client.agreement
    quotas = (
        await context.runtime.agreements.quotas_of(client.client_id, agreement.version)
        if agreement
        else Quotas()
    )
    verdict = await context.runtime.limiter.admit(
        Admission(
            tag=client.client_id,
            generation=proof.generation if proof else None,
            replay=Replay(key=proof.replay_key, ttl=REMEMBER_SECONDS) if proof else None,
            pin=_pin(context, unspent) if unspent else None,
            counters=(oauth_counter(quotas, client.client_id, endpoint),),
        )
    )
    refuse_spent_proof(
        verdict, context.runtime.nonces.issue(verdict.generation, context.runtime.now())
    )
    if isinstance(verdict, Limited):
        await context.runtime.note_refusal(client.client_id, verdict.name, verdict.retry_after)
        raise too_often(verdict.retry_after, policy_headers(verdict.states))
    return not isinstance(verdict, PinConflict)


def _pin(context: RequestContext, assertion: Assertion) -> Pin:
    """The pin of an assertion to its request: in another one it conflicts."""
    remains = math.ceil((assertion.forgotten_at - context.now).total_seconds())
    return Pin(
        key=f"assertion {assertion.client_id} {assertion.jti}",
        value=secrets.token_hex(),
        ttl=max(remains, 1),
    )
