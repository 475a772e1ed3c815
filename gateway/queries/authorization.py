"""On what a query is answered: token, client, agreement, consent, then what was asked for.

The first that fails answers.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import consent
from consent import Granted, Refused, decide, uses_left
from gateway.access.authentication import Caller
from gateway.access.client_status import agreement_of
from gateway.access.errors import (
    ConsentExhaustedError,
    ConsentExpiredError,
    ConsentPausedError,
    ConsentWithdrawnError,
    GatewayError,
    NotAvailableError,
    NotInAgreementError,
)
from gateway.clients.agreements import Agreement
from gateway.creditfile.records import Enterprise
from gateway.queries.read_query import QueryInputs
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import Scope, scope_of
from gateway.runtime import Runtime

# Of a consent that it holds itself, a client may be told the state.
STATES = {
    error.code: error
    for error in (
        ConsentWithdrawnError,
        ConsentExpiredError,
        ConsentExhaustedError,
        ConsentPausedError,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """On what a query is answered: all of it was read in one statement."""

    agreement: Agreement
    granted: Granted
    enterprise: Enterprise
    scope: Scope


def authorize(
    runtime: Runtime,
    caller: Caller,
    ask: QueryRequest,
    found: QueryInputs,
    now: datetime,
    *,
    repeated: bool,
) -> Authorization | GatewayError:
    """Token, client, agreement, consent, then what was asked: the first that fails answers."""
    agreement = agreement_of(found.standing, now)
    if isinstance(agreement, GatewayError):
        return agreement
    outside = agreement.missing(purpose=ask.purpose)
    if outside or not agreement.datasets & set(ask.datasets):
        outside = outside or agreement.missing(purpose=ask.purpose, datasets=ask.datasets)
        return NotInAgreementError(f"Your agreement does not cover: {', '.join(outside)}.")
    granted = _granted(caller, ask, found, now, spends=ask.cursor is None and not repeated)
    if isinstance(granted, GatewayError):
        return granted
    if found.enterprise is None:
        return NotAvailableError()
    scope = scope_of(
        ask.datasets,
        agreement=agreement,
        granted=granted,
        purpose=ask.purpose,
        catalogue=runtime.catalogue,
        unavailable=found.enterprise.unavailable,
    )
    if not found.readable.issuperset(scope.told):
        raise RuntimeError("granted, and not read: the read statement decides otherwise")
    return Authorization(
        agreement=agreement, granted=granted, enterprise=found.enterprise, scope=scope
    )


def _granted(
    caller: Caller,
    ask: QueryRequest,
    found: QueryInputs,
    now: datetime,
    *,
    spends: bool,
) -> Granted | GatewayError:
    """What the enterprise allows. A further page, or a repeated call, needs no use but the consent."""
    if ask.foreign_consent:
        return NotAvailableError()
    held = found.consent
    left = None if held is None else uses_left(held)
    if held is not None and not spends:
        held = replace(held, max_uses=None)
    if ask.cursor is not None and (held is None or held.consent_id != ask.cursor.consent_id):
        return NotAvailableError()
    asked = consent.AccessRequest(
        client_id=caller.client_id,
        uscc=ask.uscc,
        purpose=ask.purpose,
        datasets=ask.datasets,
    )
    decided = decide(held, asked, now=now)
    if isinstance(decided, Refused):
        return STATES.get(decided.reason, NotAvailableError)()
    return replace(decided, uses_left=left)
