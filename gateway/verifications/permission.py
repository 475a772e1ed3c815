"""Permission of a verification: token, consent, agreement, ID numbers, stored answer, probe budgets.

What is not allowed costs the same work as what is, and is answered `not_determined`.
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from consent import AccessRequest, Granted, Purpose, decide
from consent.model import Consent
from gateway.access.answer_loop import AdmittedCall
from gateway.access.consent_binding import check_token_consent, check_token_enterprise
from gateway.access.errors import NotInAgreementError, Refusal, conflict_refusal
from gateway.clients.agreements import Agreement
from gateway.clients.terms import ENCRYPTED, ON_A_PERSON
from gateway.creditfile.records import INDIVIDUAL_BUSINESS
from gateway.creditfile.separate_consent import is_separated
from gateway.disclosure.commit import Probe
from gateway.disclosure.idempotency import IdempotencyKey, KeyConflict, StoredAnswer
from gateway.verifications.id_numbers import open_id_numbers
from gateway.verifications.read_query import VerificationInputs, outside_agreement
from gateway.verifications.request import VerificationRequest
from verification import Asked, admit_probes, budget_charges

VerificationCall = AdmittedCall[VerificationRequest]


class PermittedCall(NamedTuple):
    """A call that is answered, with what may be answered of it.

    `open_to_caller` are the questions that consent and licence allow, `allowed` those of them that probe
    budgets allow too, `probes` the budgets after this answer. An answer that was `stored` under the
    call's key is given again where the same would be answered now, as if no use had been spent.
    """

    call: VerificationCall
    inputs: VerificationInputs
    key: IdempotencyKey | None
    stored: StoredAnswer | None
    granted: Granted | None
    unlicensed: frozenset[str]
    open_to_caller: frozenset[Asked]
    probes: list[Probe]
    allowed: frozenset[Asked]

    @property
    def agreement(self) -> Agreement:
        """The agreement under which it is answered."""
        return self.inputs.agreement

    def anew(self, now: datetime) -> "PermittedCall":
        """The call, to be answered anew; the key keeps its old answer."""
        return _permitted(self.call, self.inputs, now)


def permit(
    call: VerificationCall, inputs: VerificationInputs, now: datetime
) -> PermittedCall | Refusal:
    """Permitted questions of a call with its probe budgets and stored answer, or its refusal."""
    if call.request.by_bundle:
        call = replace(call, request=call.request.under(inputs.agreement))
    refused = _check_permission(call, inputs, now)
    if refused is not None:
        return refused
    opened = _with_clear_id_numbers(call, inputs, now)
    if isinstance(opened, Refusal):
        return opened
    stored = None
    if call.key is not None:
        stored = opened.answers.find(call.key, inputs.stored_answer, now)
    if isinstance(stored, KeyConflict):
        return conflict_refusal(stored)
    if stored is not None:
        return _permitted(opened, inputs, now, stored=stored)
    return _permitted(opened, inputs, now, key=call.key)


def _permitted(
    call: VerificationCall,
    inputs: VerificationInputs,
    now: datetime,
    *,
    key: IdempotencyKey | None = None,
    stored: StoredAnswer | None = None,
) -> PermittedCall:
    request = call.request
    granted = _granted(
        call, inputs.consent if stored is None else _as_if_unspent(inputs.consent), now
    )
    is_operator = inputs.enterprise.kind == INDIVIDUAL_BUSINESS
    is_licensed = inputs.agreement.licensed_for_persons or not is_operator
    unlicensed = frozenset() if is_licensed else ON_A_PERSON
    open_to_caller = frozenset(
        asked
        for asked, each in zip(request.asked, request.questions, strict=True)
        if each.tag not in unlicensed
        and (
            not each.needs_consent_for(asked.value)
            or (granted is not None and not set(each.consented_by).isdisjoint(granted.questions))
        )
    )
    probes, admitted = _probed(call, inputs, open_to_caller, now)
    return PermittedCall(
        call,
        inputs,
        key,
        stored,
        granted,
        unlicensed,
        open_to_caller,
        probes,
        open_to_caller & admitted,
    )


def _check_permission(
    call: VerificationCall, inputs: VerificationInputs, now: datetime
) -> Refusal | None:
    """Check the token's enterprise and consent, then purpose and questions against the agreement."""
    request, token = call.request, call.caller.token
    trouble = check_token_enterprise(token, request.uscc) or check_token_consent(
        token, inputs.consent, now=now
    )
    if trouble is not None:
        return trouble
    outside = outside_agreement(request, inputs.agreement)
    if outside:
        return Refusal(NotInAgreementError, f"Your agreement does not cover: {', '.join(outside)}.")
    if not inputs.allowed:
        raise RuntimeError("allowed, and not read: the read statement decides otherwise")
    return None


def _with_clear_id_numbers(
    call: VerificationCall, inputs: VerificationInputs, now: datetime
) -> VerificationCall | Refusal:
    """The call with its ID numbers in clear, as long as it is answered."""
    runtime, request = call.runtime, call.request
    asked = open_id_numbers(
        request.asked,
        runtime.decryption_keys,
        (call.caller.client_id, runtime.settings.issuer, request.uscc),
        encrypted_only=inputs.agreement.id_numbers == ENCRYPTED,
        now=now,
    )
    if isinstance(asked, Refusal):
        return asked
    return call if asked == request.asked else replace(call, request=replace(request, asked=asked))


def _granted(call: VerificationCall, held: Consent | None, now: datetime) -> Granted | None:
    """The consent that allows some of these questions, if there is one.

    A question without the separate consent that it needs is as if it had not been consented to (R8a).
    """
    given = () if held is None else held.separate_consents
    asked = AccessRequest(
        client_id=call.caller.client_id,
        uscc=call.request.uscc,
        purpose=Purpose(call.request.purpose),
        questions=tuple(tag for tag in call.request.plan.consent_tags if is_separated(tag, given)),
    )
    decided = decide(held, asked, now=now)
    return decided if isinstance(decided, Granted) else None


def _as_if_unspent(held: Consent | None) -> Consent | None:
    """The consent with unlimited uses: a repeated call spends none."""
    return None if held is None else replace(held, max_uses=None)


def _probed(
    call: VerificationCall,
    inputs: VerificationInputs,
    open_to_caller: frozenset[Asked],
    now: datetime,
) -> tuple[list[Probe], frozenset[Asked]]:
    """The probe budgets after this answer, and the questions that they allow to be determined.

    A value without the consent that it needs costs nothing.
    """
    request, digests = call.request, call.runtime.digests
    charged = [each for each in request.asked if each in open_to_caller and each.value is not None]
    charges = [
        [
            (budget, digests.of("probe", f"{request.uscc} {budget} {form}").hex()[:32])
            for budget, form in budget_charges(each)
        ]
        for each in charged
    ]
    known = {budget: values for budget, (values, _) in inputs.probes.items()}
    admission = admit_probes(known, charges, now=int(now.timestamp()))
    probes = [
        Probe(question=budget, asked=values, revision=inputs.probes.get(budget, ({}, 0))[1])
        for budget, values in sorted(admission.known.items())
        if values != known.get(budget, {})  # unchanged: no write lock
    ]
    admitted = {each for each, yes in zip(charged, admission.admitted, strict=True) if yes}
    return probes, frozenset(admitted | {each for each in request.asked if each.value is None})
