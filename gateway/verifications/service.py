"""A verification, from what was asked to what is told. Nothing leaves before the commit.

A caller learns the answers and nothing else: for an enterprise that is unknown, closed to the
caller, or asked about too often, the same work is done and every answer is `not_determined`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

import consent
from consent import Granted, Purpose, decide
from gateway.access.authentication import Caller
from gateway.access.client_status import agreement_of
from gateway.access.consent_binding import trouble_with_consent, trouble_with_enterprise
from gateway.access.errors import (
    GatewayError,
    NotInAgreementError,
    TemporarilyUnavailableError,
    conflict_error,
)
from gateway.access.subject_uscc import with_warnings
from gateway.access.timestamps import SHANGHAI, on_the_wire
from gateway.clients.agreements import Agreement
from gateway.creditfile.facts import facts_of
from gateway.creditfile.personal_fields import id_number_digest
from gateway.disclosure.commit import Committed, PendingDisclosure, Probe, commit, log_refusal
from gateway.disclosure.idempotency import AnswerStore, IdempotencyKey, KeyConflict, StoredAnswer
from gateway.disclosure.ids import new_id
from gateway.runtime import Runtime
from gateway.transparency.inclusion_promise import log_promise, merge_by
from gateway.transparency.log_leaf import Disclosure, leaf_hash, new_salt, result_digest
from gateway.verifications.padding import padded
from gateway.verifications.read_query import VerificationInputs, read_inputs
from gateway.verifications.request import VerificationRequest
from verification import (
    CATALOGUE_VERSION,
    Answered,
    Asked,
    admit_probe,
    asserted_form,
    evaluate,
)

# Each turn means that somebody else committed in between; so many in a row is an outage.
TURNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationAnswer:
    """The answer's JSON text, to be sent as it stands."""

    text: str


async def answer_verification(
    runtime: Runtime,
    caller: Caller,
    ask: VerificationRequest,
    key: IdempotencyKey | None,
) -> VerificationAnswer | GatewayError:
    """Answer `ask`, or say why not; either is in the log before this returns."""
    keeping = _keeping(runtime, caller, ask)
    for _ in range(TURNS):
        now = runtime.now()
        found = await read_inputs(runtime.hot, caller, ask, key, now)
        agreement = _ground(caller, found, ask, now)
        if isinstance(agreement, GatewayError):
            await log_refusal(runtime.hot, _refusal(caller, ask, agreement, now))
            return agreement
        runtime.quotas.note(caller.client_id, agreement.version)
        kept = keeping.found(key, found.kept, now)
        if isinstance(kept, KeyConflict):
            conflict = conflict_error(kept)
            await log_refusal(runtime.hot, _refusal(caller, ask, conflict, now))
            return conflict
        if isinstance(kept, StoredAnswer):
            present = _as_if_unspent(found)
            again = _telling(runtime, caller, ask, present, agreement, None, now)
            if _still_true(again, kept):
                return VerificationAnswer(text=kept.answer)
            key = None  # it has changed since: answered anew, and the old answer stays its key's
        telling = _telling(runtime, caller, ask, found, agreement, key, now)
        if isinstance(await commit(runtime.hot, telling), Committed):
            return VerificationAnswer(text=telling.answer)
    return TemporarilyUnavailableError(retry_after=1)


def _ground(
    caller: Caller, found: VerificationInputs, ask: VerificationRequest, now: datetime
) -> Agreement | GatewayError:
    """The agreement that covers this ask: token, client, agreement, then its purposes and questions."""
    agreement = agreement_of(found.standing, now)
    if isinstance(agreement, GatewayError):
        return agreement
    trouble = trouble_with_enterprise(caller.token, ask.uscc) or trouble_with_consent(
        caller.token, found.consent, now=now
    )
    if trouble is not None:
        return trouble
    outside = agreement.missing(purpose=ask.purpose, questions=[each.tag for each in ask.questions])
    if outside:
        return NotInAgreementError(f"Your agreement does not cover: {', '.join(outside)}.")
    if not found.allowed:
        raise RuntimeError("allowed, and not read: the read statement decides otherwise")
    return agreement


def _telling(
    runtime: Runtime,
    caller: Caller,
    ask: VerificationRequest,
    found: VerificationInputs,
    agreement: Agreement,
    key: IdempotencyKey | None,
    now: datetime,
) -> PendingDisclosure:
    """What would be told now, and what it costs."""
    granted = _granted(caller, ask, found, now)
    open_to_caller = frozenset(
        asked
        for asked, each in zip(ask.asked, ask.questions, strict=True)
        if not each.closed(asked.value)
        or (granted is not None and not set(each.consented_by).isdisjoint(granted.questions))
    )
    probes, admitted = _probed(runtime, ask, found, open_to_caller, now)
    answers = _answers(runtime, ask, found, open_to_caller & admitted, now)
    disclosure = Disclosure(
        disclosure_id=new_id("dsc"),
        uscc=ask.uscc,
        client_id=caller.client_id,
        kind="verification",
        outcome="told",
        purpose=ask.purpose,
        consent_id=granted.consent_id if granted else None,
        agreement_version=agreement.version,
        asked=[each.tag for each in ask.asked],
        relied_on=sorted({rest for each in answers for rest in each.rests_on}),
        at=now,
    )
    salt = new_salt()
    core = _document(ask, answers, disclosure, now)
    disclosure = replace(disclosure, result_digest=result_digest(core))
    core["log_promise"] = log_promise(
        leaf_hash(disclosure, salt),
        runtime.settings.issuer,
        on_the_wire(merge_by(now)),
    )
    text = padded(core)
    return PendingDisclosure(
        disclosure=disclosure,
        salt=salt,
        consent_version=granted.version if granted else None,
        key=key,
        answer=text,
        kept=_keeping(runtime, caller, ask).sealed(key, text),
        probes=probes,
    )


def _granted(
    caller: Caller, ask: VerificationRequest, found: VerificationInputs, now: datetime
) -> Granted | None:
    """The consent under which some of these questions may be answered, if there is one."""
    asked = consent.AccessRequest(
        client_id=caller.client_id,
        uscc=ask.uscc,
        purpose=Purpose(ask.purpose),
        datasets=(),
        questions=ask.under_consent,
    )
    decided = decide(found.consent, asked, now=now)
    return decided if isinstance(decided, Granted) else None


def _still_true(again: PendingDisclosure, kept: StoredAnswer) -> bool:
    """Whether the same would be answered now: consent and records may have changed since."""
    now, then = (orjson.loads(text)["answers"] for text in (again.answer, kept.answer))
    return bool(now == then)


def _as_if_unspent(found: VerificationInputs) -> VerificationInputs:
    """What was found, but that a repeated call needs the consent and no use of it."""
    held = found.consent
    return found if held is None else replace(found, consent=replace(held, max_uses=None))


def _probed(
    runtime: Runtime,
    ask: VerificationRequest,
    found: VerificationInputs,
    open_to_caller: frozenset[Asked],
    now: datetime,
) -> tuple[list[Probe], frozenset[Asked]]:
    """The probe budgets as they will stand, and which asks they let be determined.

    A value that is closed to the caller for want of consent costs nothing: it tells nothing.
    """
    probes: list[Probe] = []
    admitted = {asked for asked in ask.asked if asked.value is None}
    pairs = tuple(zip(ask.asked, ask.questions, strict=True))
    for budget in sorted({of.budget for asked, of in pairs if asked.value is not None}):
        known, revision = found.probes.get(budget, ({}, 0))
        values = [
            asked
            for asked, of in pairs
            if of.budget == budget and asked in open_to_caller and asked.value
        ]
        digests = [
            runtime.digests.of("probe", f"{ask.uscc} {budget} {asserted_form(each)}").hex()[:32]
            for each in values
        ]
        admission = admit_probe(known, digests, now=int(now.timestamp()))
        admitted.update(each for each, yes in zip(values, admission.admitted, strict=True) if yes)
        if admission.known != known:  # else nothing is counted, and nobody need wait for it
            probes.append(Probe(question=budget, asked=admission.known, revision=revision))
    return probes, frozenset(admitted)


def _answers(
    runtime: Runtime,
    ask: VerificationRequest,
    found: VerificationInputs,
    allowed: frozenset[Asked],
    now: datetime,
) -> tuple[Answered, ...]:
    facts = facts_of(found.enterprise, found.records, runtime.catalogue, now, datasets=ask.datasets)
    return evaluate(
        ask.asked,
        facts if found.is_known else None,
        allowed=allowed,
        digest=lambda value: id_number_digest(runtime.vault, value),
        today=now.astimezone(SHANGHAI).date(),
    )


def _document(
    ask: VerificationRequest,
    answers: tuple[Answered, ...],
    disclosure: Disclosure,
    now: datetime,
) -> dict[str, Any]:
    document = {
        "verification_id": new_id("vrf"),
        "disclosure_id": disclosure.disclosure_id,
        "enterprise": {"uscc": ask.uscc},
        "purpose": ask.purpose,
        "as_of": on_the_wire(now),
        "catalogue_version": CATALOGUE_VERSION,
        "answers": [_answer(each) for each in answers],
    }
    return with_warnings(document, ask.uscc)


def _answer(answered: Answered) -> Mapping[str, str]:
    told = {"question": answered.tag, "answer": str(answered.answer)}
    return told if answered.match is None else {**told, "match": str(answered.match)}


def _refusal(
    caller: Caller, ask: VerificationRequest, error: GatewayError, now: datetime
) -> Disclosure:
    return Disclosure(
        disclosure_id=new_id("dsc"),
        uscc=ask.uscc,
        client_id=caller.client_id,
        kind="verification",
        outcome="refused",
        reason=error.code,
        purpose=ask.purpose,
        asked=[each.tag for each in ask.asked],
        at=now,
    )


def _keeping(runtime: Runtime, caller: Caller, ask: VerificationRequest) -> AnswerStore:
    return AnswerStore(vault=runtime.vault, uscc=ask.uscc, client_id=caller.client_id)
