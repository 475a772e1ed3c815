"""Answers a verification: read, authorize, evaluate, commit. Nothing leaves before the commit.

For an enterprise that is unknown, closed to the caller, or asked about too often, the same work is done
and every answer is `not_determined`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from gateway.access.answer_loop import answer_until_committed, commit_call, pending_disclosure
from gateway.access.errors import Refusal
from gateway.access.serializers.timestamps import SHANGHAI, format_time
from gateway.access.subject_uscc import with_warnings
from gateway.creditfile.facts import facts_of
from gateway.creditfile.personal_fields import id_number_digest
from gateway.disclosure.commit import Committed, PendingDisclosure
from gateway.disclosure.idempotency import StoredAnswer
from gateway.disclosure.ids import new_id
from gateway.disclosure.items import DisclosedItem
from gateway.transparency.disclosure_leaf import Disclosure, result_digest
from gateway.verifications.padding import pad_answer
from gateway.verifications.permission import PermittedCall, VerificationCall, permit
from gateway.verifications.read_query import VerificationInputs, read_inputs
from gateway.verifications.request import VerificationRequest
from verification import CATALOGUE_VERSION, Answered, Asked, Question, Value, evaluate
from verification.facts import Facts

PreparedAnswer: TypeAlias = PendingDisclosure | StoredAnswer | Refusal


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
) -> PreparedAnswer:
    """The answer to commit, the one that was given before and is still true, or a refusal."""
    permitted = permit(call, inputs, now)
    if isinstance(permitted, Refusal):
        return permitted
    return _prepared(permitted, _answers(permitted, _facts(permitted, now), now), now)


def prepare_answers(
    calls: Iterable[tuple[VerificationCall, VerificationInputs]], now: datetime
) -> list[PreparedAnswer]:
    """As `prepare_answer`, each step for all calls: so its code stays in the core's cache."""
    found = [permit(call, inputs, now) for call, inputs in calls]
    permitted = [each for each in found if not isinstance(each, Refusal)]
    facts = [_facts(each, now) for each in permitted]
    answers = [_answers(each, known, now) for each, known in zip(permitted, facts, strict=True)]
    prepared = iter(
        [_prepared(each, told, now) for each, told in zip(permitted, answers, strict=True)]
    )
    return [each if isinstance(each, Refusal) else next(prepared) for each in found]


def _prepared(
    permitted: PermittedCall, answers: tuple[Answered, ...], now: datetime
) -> PendingDisclosure | StoredAnswer:
    """The disclosure to commit, or the stored answer if the same would be answered now."""
    pending = _pending(permitted, answers, now)
    stored = permitted.stored
    if stored is None:
        return pending
    if _still_true(pending, stored):
        return stored
    anew = permitted.anew(now)
    return _pending(anew, _answers(anew, _facts(anew, now), now), now)


def _pending(
    permitted: PermittedCall, answers: tuple[Answered, ...], now: datetime
) -> PendingDisclosure:
    """The disclosure of these answers, and what it costs."""
    call, granted = permitted.call, permitted.granted
    request = call.request
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
        agreement_version=permitted.agreement.version,
        asked=[each.tag for each in request.asked],
        relied_on=sorted({rest for each in answers for rest in each.rests_on}),
        result_digest=result_digest(document),
        at=now,
    )
    return pending_disclosure(
        call,
        disclosure,
        document,
        key=permitted.key,
        serialize=pad_answer,
        consent_version=granted.version if granted else None,
        probes=permitted.probes,
        items=[
            DisclosedItem(
                code=each.tag,
                value=_band(question, asked.value),
                answer=str(each.answer),
                withheld=_withheld(asked, permitted),
            )
            for each, asked, question in zip(answers, request.asked, request.questions, strict=True)
        ],
    )


def _still_true(again: PendingDisclosure, stored: StoredAnswer) -> bool:
    """True where the same would be answered now: consent and records may have changed since."""
    now, then = (orjson.loads(text)["answers"] for text in (again.answer, stored.answer))
    return bool(now == then)


def _facts(permitted: PermittedCall, now: datetime) -> Facts:
    """The facts on the enterprise, or on the decoy that stands for one that is unknown."""
    inputs, request = permitted.inputs, permitted.call.request
    catalogue, datasets = permitted.call.runtime.catalogue, request.plan.datasets
    return facts_of(inputs.enterprise, inputs.records, catalogue, now, datasets=datasets)


def _answers(permitted: PermittedCall, facts: Facts, now: datetime) -> tuple[Answered, ...]:
    vault = permitted.call.runtime.vault
    return evaluate(
        permitted.call.request.asked,
        facts if permitted.inputs.is_known else None,
        allowed=permitted.allowed,
        digest=lambda value: id_number_digest(vault, value),
        today=now.astimezone(SHANGHAI).date(),
    )


def _withheld(asked: Asked, permitted: PermittedCall) -> str | None:
    """The reason why a question was not answered, for the enterprise only."""
    if asked.tag in permitted.unlicensed:
        return "not_in_agreement"
    return None if asked in permitted.open_to_caller else "not_in_consent"


def _band(question: Question, value: Value | None) -> str | None:
    """The value asked about, of a question with fixed values."""
    return value if question.value == "one_of" and isinstance(value, str) else None


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
