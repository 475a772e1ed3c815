"""A token that was given for a consent ends with it, and speaks of its enterprise alone.

Its consent's state is read in each request's own statement, as all state is.
"""

from datetime import datetime
from typing import Final

from consent import Consent, Status, status_at
from consent import store as consents
from gateway.access.authentication import Caller
from gateway.access.errors import GatewayError, InvalidTokenError, NotAvailableError
from gateway.runtime import Runtime
from gateway.signing.access_tokens import Token

# A paused consent may go on, and what was told for the last use may be fetched again.
USABLE_STATUSES: Final = frozenset({Status.ACTIVE, Status.PAUSED, Status.EXHAUSTED})


def trouble_with_consent(
    token: Token, held: Consent | None, *, now: datetime
) -> GatewayError | None:
    """Why a consent-bound token is of no use any more; `held` is the consent that it names."""
    if token.consent_id is None:
        return None
    if held is not None and status_at(held, now) in USABLE_STATUSES:
        return None
    return InvalidTokenError(
        "The consent that this token was given for has ended; ask the enterprise for a new one.",
    )


async def demand_consent(runtime: Runtime, caller: Caller) -> None:
    """Refuse a caller whose token's consent has ended, at an endpoint that reads no consent itself.

    What the client was told it may prove all the same: with a token of its own.
    """
    if caller.token.consent_id is None:
        return
    async with runtime.engine.connect() as connection:
        held = await consents.by_id(connection, caller.token.consent_id)
    trouble = trouble_with_consent(caller.token, held, now=runtime.now())
    if trouble is not None:
        raise trouble


def trouble_with_enterprise(token: Token, uscc: str) -> GatewayError | None:
    """Why a consent-bound token says nothing of this enterprise: it is about another one."""
    if token.uscc in {None, uscc}:
        return None
    return NotAvailableError("This token was given for the consent of another enterprise.")
