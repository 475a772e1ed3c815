"""Answers a verification: read, authorize, evaluate, commit. Nothing leaves before the commit.

For an enterprise that is unknown, closed to the caller, or asked about too often, the same work is done
and every answer is `not_determined`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from consent import AccessRequest, Granted, Purpose, decide
from gateway.access.answer_loop import (
    AdmittedCall,
    answer_until_committed,
    commit_call,
    pending_disclosure,
)
from gateway.access.consent_binding import check_token_consent, check_token_enterprise
from gateway.access.errors import NotInAgreementError, Refusal, conflict_refusal
from gateway.access.serializers.timestamps import SHANGHAI, format_time
from gateway.access.subject_uscc import with_warnings
from gateway.clients.terms import ENCRYPTED, ON_A_PERSON
from gateway.creditfile.facts import facts_of
from gateway.creditfile.personal_fields import id_number_digest
from gateway.creditfile.records import INDIVIDUAL_BUSINESS
from gateway.creditfile.separate_consent import is_separated
from gateway.disclosure.commit import Committed, PendingDisclosure, Probe
from gateway.disclosure.idempotency import IdempotencyKey, KeyConflict, StoredAnswer
from gateway.disclosure.ids import new_id
from gateway.disclosure.items import DisclosedItem
from gateway.transparency.disclosure_leaf import Disclosure, result_digest
from gateway.verifications.id_numbers import open_id_numbers
from gateway.verifications.padding import pad_answer
from gateway.verifications.read_query import VerificationInputs, outside_agreement, read_inputs
from gateway.verifications.request import VerificationRequest
from verification import (
    CATALOGUE_VERSION,
    Answered,
    Asked,
    Question,
    Value,
    admit_probes,
    budget_charges,
    evaluate,
)

VerificationCall = AdmittedCall[VerificationRequest]


async def answer_verification(call: VerificationCall) -> bytes | Refusal:
    """The answer as JSON, or a refusal; either is in the log before this returns."""
    return await answer_until_committed(call, lambda now: _attempt(call, now))


async def _attempt(call: VerificationCall, now: datetime) -> bytes | Refusal | None:
    inputs = await read_inputs(call, now)
    if isinstance(inputs, Refusal):
        return inputs
    prepared = prepare_answer(call, inputs, now)
    if not isinstance(prepared, PendingDisclosure):
        return prepared.answer if isinstance(prepared, StoredAnswer) else prepared
    committed = await commit_call(call, prepared)
    return prepared.answer if isinstance(committed, Committed) else None


def prepare_answer(
    call: VerificationCall, inputs: VerificationInputs, now: datetime
) -> PendingDisclosure | StoredAnswer | Refusal:
    """The answer to commit, the one that was given before and is still true, or a refusal."""
    if call.request.by_bundle:
        call = replace(call, request=call.request.under(inputs.agreement))
    refused = _check_permission(call, inputs, now)
    if refused is not None:
        return refused
    opened = _with_clear_id_numbers(call, inputs, now)
    if isinstance(opened, Refusal):
        return opened
    call = opened
    key = call.key
    stored = call.answers.find(key, inputs.stored_answer, now)
    if isinstance(stored, KeyConflict):
        return conflict_refusal(stored)
    if isinstance(stored, StoredAnswer):
        again = _pending(call, _as_if_unspent(inputs), None, now)
        if _still_true(again, stored):
            return stored
        key = None  # answered anew; the key keeps its old answer
    return _pending(call, inputs, key, now)


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


def _pending(
    call: VerificationCall,
    inputs: VerificationInputs,
    key: IdempotencyKey | None,
    now: datetime,
) -> PendingDisclosure:
    """The answer and disclosure as they would be now, and what they cost."""
    request, agreement = call.request, inputs.agreement
    granted = _granted(call, inputs, now)
    is_operator = inputs.enterprise.kind == INDIVIDUAL_BUSINESS
    unlicensed = ON_A_PERSON if is_operator and not agreement.licensed_for_persons else frozenset()
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
    answers = _answers(call, inputs, open_to_caller & admitted, now)
    disclosure_id = new_id("dsc")
    document = _document(request, answers, disclosure_id, now)
    disclosure = Disclosure(
        disclosure_id=disclosure_id,
        uscc=request.uscc,
        client_id=call.caller.client_id,
        kind="verification",
        outcome="told",
        purpose=request.purpose,
        consent_id=granted.consent_id if granted else None,
        agreement_version=agreement.version,
        asked=[each.tag for each in request.asked],
        relied_on=sorted({rest for each in answers for rest in each.rests_on}),
        result_digest=result_digest(document),
        at=now,
    )
    return pending_disclosure(
        call,
        disclosure,
        document,
        key=key,
        serialize=pad_answer,
        consent_version=granted.version if granted else None,
        probes=probes,
        items=[
            DisclosedItem(
                code=each.tag,
                value=_band(question, asked.value),
                answer=str(each.answer),
                withheld=_withheld(asked, unlicensed, open_to_caller),
            )
            for each, asked, question in zip(answers, request.asked, request.questions, strict=True)
        ],
    )


def _withheld(
    asked: Asked, unlicensed: frozenset[str], open_to_caller: frozenset[Asked]
) -> str | None:
    """The reason why a question was not answered, for the enterprise only."""
    if asked.tag in unlicensed:
        return "not_in_agreement"
    return None if asked in open_to_caller else "not_in_consent"


def _band(question: Question, value: Value | None) -> str | None:
    """The value asked about, of a question with fixed values."""
    return value if question.value == "one_of" and isinstance(value, str) else None


def _granted(call: VerificationCall, inputs: VerificationInputs, now: datetime) -> Granted | None:
    """The consent that allows some of these questions, if there is one.

    A question without the separate consent that it needs is as if it had not been consented to (R8a).
    """
    held = inputs.consent
    given = () if held is None else held.separate_consents
    asked = AccessRequest(
        client_id=call.caller.client_id,
        uscc=call.request.uscc,
        purpose=Purpose(call.request.purpose),
        questions=tuple(tag for tag in call.request.plan.consent_tags if is_separated(tag, given)),
    )
    decided = decide(held, asked, now=now)
    return decided if isinstance(decided, Granted) else None


def _still_true(again: PendingDisclosure, stored: StoredAnswer) -> bool:
    """True where the same would be answered now: consent and records may have changed since."""
    now, then = (orjson.loads(text)["answers"] for text in (again.answer, stored.answer))
    return bool(now == then)


def _as_if_unspent(inputs: VerificationInputs) -> VerificationInputs:
    """The inputs with unlimited uses: a repeated call spends none."""
    held = inputs.consent
    return inputs if held is None else inputs._replace(consent=replace(held, max_uses=None))


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


def _answers(
    call: VerificationCall, inputs: VerificationInputs, allowed: frozenset[Asked], now: datetime
) -> tuple[Answered, ...]:
    runtime, datasets = call.runtime, call.request.plan.datasets
    facts = facts_of(inputs.enterprise, inputs.records, runtime.catalogue, now, datasets=datasets)
    return evaluate(
        call.request.asked,
        facts if inputs.is_known else None,
        allowed=allowed,
        digest=lambda value: id_number_digest(runtime.vault, value),
        today=now.astimezone(SHANGHAI).date(),
    )


def _document(
    request: VerificationRequest, answers: tuple[Answered, ...], disclosure_id: str, now: datetime
) -> dict[str, Any]:
    document: dict[str, Any] = {} if request.line is None else {"line": request.line}
    document |= {
        "verification_id": new_id("vrf"),
        "disclosure_id": disclosure_id,
        "enterprise": {"uscc": request.uscc},
        "purpose": request.purpose,
        "as_of": format_time(now),
        "catalogue_version": CATALOGUE_VERSION,
        "answers": [_answer(each) for each in answers],
    }
    return with_warnings(document, request.warnings)


def _answer(answered: Answered) -> Mapping[str, str]:
    told = {"question": answered.tag, "answer": str(answered.answer)}
    return told if answered.match is None else {**told, "match": str(answered.match)}
