"""Authorization of a query under an agreement in force: purpose, consent, then the datasets asked for."""

from dataclasses import dataclass, replace
from datetime import datetime

from consent import AccessRequest, Granted, Refused, decide, uses_left
from gateway.access.answer_loop import AdmittedCall
from gateway.access.errors import CONSENT_ERRORS, NotAvailableError, NotInAgreementError, Refusal
from gateway.clients.agreements import Agreement
from gateway.creditfile.records import Enterprise
from gateway.queries.read_query import QueryInputs
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import DisclosedScope, scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The agreement and consent that allow a query, the enterprise, and the datasets disclosed."""

    agreement: Agreement
    granted: Granted
    enterprise: Enterprise
    asked: tuple[str, ...]
    """The datasets asked for; of a bundle those that the agreement covers."""
    scope: DisclosedScope

    @property
    def retention_days(self) -> int:
        """The agreement's retention, at most the one shown at the decision (R8)."""
        shown, agreed = self.granted.retention_days, self.agreement.retention_days
        return agreed if shown is None else min(shown, agreed)


def authorize(
    call: AdmittedCall[QueryRequest], inputs: QueryInputs, now: datetime, *, repeated: bool
) -> Authorization | Refusal:
    """Check purpose, consent and datasets; the first check that fails answers."""
    request, agreement = call.request, inputs.agreement
    outside = agreement.missing(purpose=request.purpose)
    if outside or not agreement.datasets & set(request.datasets):
        outside = outside or agreement.missing(purpose=request.purpose, datasets=request.datasets)
        return Refusal(NotInAgreementError, f"Your agreement does not cover: {', '.join(outside)}.")
    granted = _granted(call, inputs, now, spends=request.cursor is None and not repeated)
    if isinstance(granted, Refusal):
        return granted
    if inputs.enterprise is None:
        return Refusal(NotAvailableError)
    asked = request.datasets_under(agreement)
    scope = scope_of(
        asked,
        agreement=agreement,
        granted=granted,
        purpose=request.purpose,
        catalogue=call.runtime.catalogue,
        unavailable=inputs.enterprise.unavailable,
        kind=inputs.enterprise.kind,
    )
    if not inputs.readable.issuperset(scope.disclosed):
        raise RuntimeError("granted, and not read: the read statement decides otherwise")
    return Authorization(
        agreement=agreement,
        granted=granted,
        enterprise=inputs.enterprise,
        asked=asked,
        scope=scope,
    )


def _granted(
    call: AdmittedCall[QueryRequest], inputs: QueryInputs, now: datetime, *, spends: bool
) -> Granted | Refusal:
    """The consented part of a query; a further page or a repeated call spends no use."""
    request = call.request
    if request.foreign_consent:
        return Refusal(NotAvailableError)
    held = inputs.consent
    left = None if held is None else uses_left(held)
    if held is not None and not spends:
        held = replace(held, max_uses=None)
    if request.cursor is not None and (
        held is None or held.consent_id != request.cursor.consent_id
    ):
        return Refusal(NotAvailableError)
    asked = AccessRequest(
        client_id=call.caller.client_id,
        uscc=request.uscc,
        purpose=request.purpose,
        datasets=request.datasets,
    )
    decided = decide(held, asked, now=now)
    if isinstance(decided, Refused):
        return Refusal(CONSENT_ERRORS.get(decided.reason, NotAvailableError))
    return replace(decided, uses_left=left)
