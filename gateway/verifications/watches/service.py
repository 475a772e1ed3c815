"""Puts a watch list: under the agreement, within its distinct enterprises, the same for all enterprises.

An enterprise that is new to the client's lists counts as one asked about today; and on all lists together
there may be as many as may be asked about in a day, since each is asked about every day.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fastapi import Request

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller
from gateway.access.client_entitlement import require_entitlement
from gateway.access.errors import (
    NotInAgreementError,
    QuotaExhaustedError,
    RateLimitedError,
    Refusal,
)
from gateway.clients.agreements import Agreement
from gateway.creditfile.watches import lists
from gateway.creditfile.watches.lists import MOST_LISTS, WatchedSets, WatchList
from gateway.limits.quotas import DAY, distinct_for
from gateway.runtime import Runtime
from gateway.verifications.watches.request import WatchRequest

KIND: Final = "watch"
ENTERPRISES_PER_CALL: Final = 100
ONE_AT_A_TIME: Final = "Another call of this client is putting a list; put one after the other."
TOO_MANY_LISTS: Final = f"A client has at most {MOST_LISTS} lists."


async def admit_list(
    request: Request, runtime: Runtime, caller: Caller, enterprises: int
) -> Agreement:
    """Admit a call that puts so many enterprises: it costs a call for each hundred.

    A client whose quota is small can still put the largest list, by the whole of its minute.
    """
    quotas = await runtime.agreements.quotas_of(caller.client_id, caller.token.agreement_version)
    cost = min(max(1, -(-enterprises // ENTERPRISES_PER_CALL)), quotas.per_minute)
    await admit(request, runtime, caller, uscc=None, key=None, cost=cost)
    return await require_entitlement(runtime, caller)


async def put_watch(
    runtime: Runtime, caller: Caller, agreement: Agreement, name: str, request: WatchRequest
) -> WatchList | Refusal:
    """Put a list in the place of the one before, if agreement and quotas allow all of it.

    A refusal is counted in the log.
    """
    put = await _put(runtime, caller, agreement, name, request)
    if isinstance(put, Refusal):
        runtime.refusal_counter.count(
            caller.client_id, None, kind=KIND, reason=put.error.code, now=runtime.now()
        )
    return put


async def _put(
    runtime: Runtime, caller: Caller, agreement: Agreement, name: str, request: WatchRequest
) -> WatchList | Refusal:
    outside = agreement.missing(purpose=request.purpose, questions=request.questions)
    if outside:
        return Refusal(NotInAgreementError, f"Your agreement does not cover: {', '.join(outside)}.")
    async with runtime.engine.begin() as connection:
        held = await lists.read_sets(connection, caller.client_id, name)
        if held is None:
            return Refusal(RateLimitedError, ONE_AT_A_TIME, retry_after=1)
        if held.lists >= MOST_LISTS:
            return Refusal(QuotaExhaustedError, TOO_MANY_LISTS, retry_after=DAY)
        exceeded = await _count(runtime, caller, request.usccs, held)
        if exceeded is not None:
            return exceeded
        now = runtime.now()
        wanted = WatchList(
            client_id=caller.client_id,
            name=name,
            purpose=request.purpose,
            questions=request.questions,
            enterprises=len(request.usccs),
            created_at=now,
            replaced_at=now,
        )
        await lists.put_list(
            connection, wanted, request.usccs, catalogue_version=runtime.catalogue.version
        )
        put = await lists.find_list(connection, caller.client_id, name)
    return put or wanted


async def _count(
    runtime: Runtime, caller: Caller, usccs: Sequence[str], held: WatchedSets
) -> Refusal | None:
    """Count the enterprises that are new to the client's lists, all of them; none where they are too many."""
    client_id = caller.client_id
    quotas = await runtime.agreements.quotas_of(client_id, caller.token.agreement_version)
    most = quotas.distinct_enterprises_per_day
    if len(held.elsewhere.union(usccs)) > most:
        return Refusal(
            QuotaExhaustedError,
            f"By your agreement all your lists together may name {most} enterprises.",
            retry_after=DAY,
        )
    new = sorted(set(usccs) - held.here - held.elsewhere)
    exceeded = await runtime.limiter.admit_members(
        client_id,
        [distinct_for(quotas, client_id, subject) for subject in _subjects(runtime, new)],
    )
    if exceeded is None:
        return None
    return Refusal(QuotaExhaustedError, retry_after=exceeded.retry_after)


def _subjects(runtime: Runtime, usccs: Iterable[str]) -> Iterable[str]:
    """The names by which the limit store knows enterprises, as single calls give them."""
    return (runtime.digests.of("subject", each).hex()[:32] for each in usccs)
