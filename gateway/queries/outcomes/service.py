"""Tells the outcome of a query's application: within ninety days, and replaced once.

The enterprise sees it beside the query, and gets a notice without its content.
"""

from collections.abc import Sequence

from gateway.access.authentication import Caller
from gateway.access.consent_binding import check_token_enterprise
from gateway.access.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    Refusal,
    TemporarilyUnavailableError,
)
from gateway.disclosure.application_outcomes import store
from gateway.disclosure.application_outcomes.model import (
    MOST_VERSIONS,
    TERM,
    ToldOutcome,
    problem_with,
)
from gateway.disclosure.application_outcomes.store import LoggedOutcome, OwnQuery
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.queries.outcomes.schemas import OutcomeIn
from gateway.runtime import Runtime

NOT_YOURS = "You have made no such query that was answered."
TOO_LATE = f"An outcome is told within {TERM.days} days of its query."
REPLACED = "This outcome was replaced once: it stays as it is."
Told = tuple[LoggedOutcome, LoggedOutcome | None]
"""The newest version, and the one before."""


async def tell_outcome(
    runtime: Runtime, caller: Caller, disclosure_id: str, body: OutcomeIn
) -> Told | Refusal:
    """The outcome as it stands after this call; the same told again changes nothing."""
    wrong = problem_with(body.outcome, body.reasons)
    if wrong is not None:
        return Refusal(InvalidRequestError, wrong)
    async with runtime.engine.begin() as connection:
        query = await store.find_query(connection, caller.client_id, disclosure_id)
        if query is None or check_token_enterprise(caller.token, query.uscc) is not None:
            return Refusal(NotFoundError, NOT_YOURS)
        held = (await store.outcomes_of(connection, query.uscc, [disclosure_id])).get(
            disclosure_id, ()
        )
        now = runtime.now()
        next_one = _next(query, held, body, runtime)
        if not isinstance(next_one, ToldOutcome):
            return next_one
        added = await store.add_outcome(connection, next_one)
        if added is None:
            return Refusal(TemporarilyUnavailableError, retry_after=1)
        kind = NoticeKind.OUTCOME_TOLD
        await note(connection, kind, query.uscc, client_id=caller.client_id, now=now)
    return added, held[0] if held else None


def _next(
    query: OwnQuery, held: Sequence[LoggedOutcome], body: OutcomeIn, runtime: Runtime
) -> ToldOutcome | Told | Refusal:
    """The version to write; what is held where it says the same; or a refusal."""
    if held and (held[0].told.outcome, [*held[0].told.reasons]) == (body.outcome, body.reasons):
        return held[0], held[1] if len(held) > 1 else None
    now = runtime.now()
    if now >= query.at + TERM:
        return Refusal(ConflictError, TOO_LATE)
    if len(held) >= MOST_VERSIONS:
        return Refusal(ConflictError, REPLACED)
    return ToldOutcome(
        uscc=query.uscc,
        disclosure_id=query.disclosure_id,
        version=len(held) + 1,
        client_id=query.client_id,
        outcome=body.outcome,
        reasons=tuple(body.reasons),
        at=now,
    )
