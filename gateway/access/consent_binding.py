"""Checks of a consent-bound token: its consent has not ended, and the call is about its enterprise.

The consent's state is read in each request's own statement.
"""

from datetime import datetime
from typing import Final

from consent import Consent, Status, status_at
from consent import store as consents
from gateway.access.authentication import Caller
from gateway.access.errors import InvalidTokenError, NotAvailableError, Refusal, raise_if_refused
from gateway.runtime import Runtime
from gateway.signing.access_tokens import AccessToken

# A paused consent may be resumed; the answer to the last use may be fetched again.
USABLE_STATUSES: Final = frozenset({Status.ACTIVE, Status.PAUSED, Status.EXHAUSTED})


def check_token_consent(
    token: AccessToken, held: Consent | None, *, now: datetime
) -> Refusal | None:
    """Refusal of a consent-bound token whose consent, `held`, has ended."""
    if token.consent_id is None:
        return None
    if held is not None and status_at(held, now) in USABLE_STATUSES:
        return None
    return Refusal(
        InvalidTokenError,
        "The consent that this token was given for has ended; ask the enterprise for a new one.",
    )


async def require_live_consent(runtime: Runtime, caller: Caller) -> None:
    """Read the token's consent and refuse if it has ended.

    Receipts stay available to the client: with a token that is not bound to a consent.
    """
    if caller.token.consent_id is None:
        return
    async with runtime.engine.connect() as connection:
        held = await consents.by_id(connection, caller.token.consent_id)
    raise_if_refused(check_token_consent(caller.token, held, now=runtime.now()))


def check_token_enterprise(token: AccessToken, uscc: str) -> Refusal | None:
    """Refusal of a token that is bound to another enterprise."""
    if token.uscc in {None, uscc}:
        return None
    return Refusal(NotAvailableError, "This token was given for the consent of another enterprise.")
