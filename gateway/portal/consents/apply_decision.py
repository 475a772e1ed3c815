"""Write the decision on a requested consent: by link or by redirect, in one transaction."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import Consent, DisplayedText, Person, Purpose, Refused, Scope, Transition
from consent import store as consents
from gateway.disclosure import consent_log_writer
from gateway.identity import interactions
from gateway.identity.interactions import Interaction, Outcome
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import forget_undecided, note
from gateway.portal.consents.decision import Choice, Decider, DecisionProblem


async def cooling_refusal(
    connection: AsyncConnection, client_id: str, uscc: str, purpose: Purpose, *, now: datetime
) -> Consent | None:
    """The refusal of the same that cools down last (R9); `None` outside of a cool-down."""
    refusal = await consents.last_refusal(connection, client_id, uscc, purpose)
    if refusal is None or consent.may_ask_again([refusal], now=now):
        return None
    return refusal


async def apply_decision(
    connection: AsyncConnection,
    asked: Consent,
    choice: Choice,
    decider: Decider,
    *,
    interaction: Interaction | None,
    now: datetime,
) -> DecisionProblem | None:
    """Write the decision on a requested consent; `None` when all is written.

    `interaction` is that of a request by redirect, which is decided with it. After a problem the
    caller rolls its transaction back.
    """
    relation = asked.client_id, asked.uscc, asked.purpose
    person, shown, scope = decider.person, decider.shown, choice.scope
    await consents.in_turn(connection, *relation)
    if scope is not None and await cooling_refusal(connection, *relation, now=now):
        return DecisionProblem.COOLING_DOWN
    if interaction is not None:
        outcome: Outcome = "refused" if scope is None else "granted"
        if not await _decide(connection, interaction, outcome, asked, decider, now=now):
            return DecisionProblem.ALREADY_DECIDED
    if shown.text_digest is not None:
        await consents.keep_text(
            connection, shown.text_digest, shown.text_version, decider.paragraphs
        )
    granted = NoticeKind.CONSENT_AMENDED if asked.amends else NoticeKind.CONSENT_GRANTED
    kind = NoticeKind.CONSENT_REFUSED if scope is None else granted
    await note(connection, kind, asked.uscc, client_id=asked.client_id, now=now)
    if scope is not None and asked.amends is not None:
        return await _amend(connection, asked, scope, person, shown, now=now)
    answered = (
        consent.refuse(asked, person=person, shown=shown, now=now)
        if scope is None
        else consent.grant(asked, scope=scope, person=person, shown=shown, now=now)
    )
    if isinstance(answered, Refused):
        return _PROBLEMS.get(answered.reason, DecisionProblem.ALREADY_DECIDED)
    return await _save(connection, asked, answered, person, now=now)


async def _decide(
    connection: AsyncConnection,
    interaction: Interaction,
    outcome: Outcome,
    asked: Consent,
    decider: Decider,
    *,
    now: datetime,
) -> bool:
    """Decide the interaction of a request by redirect; false if it can no longer be decided."""
    decided = await interactions.decide(
        connection,
        interaction,
        outcome,
        uscc=asked.uscc,
        consent_id=asked.consent_id,
        subject=decider.person.subject,
        session_digest=decider.session_digest,
        now=now,
    )
    if decided:
        digest = interaction.request_digest
        await forget_undecided(connection, asked.uscc, request_digest=digest)
    return decided


async def _amend(
    connection: AsyncConnection,
    amendment: Consent,
    scope: Scope,
    person: Person,
    shown: DisplayedText,
    *,
    now: datetime,
) -> DecisionProblem | None:
    """Change the running consent in its place, and end the request."""
    held = await consents.by_id(connection, amendment.amends or "")
    if held is None:
        return DecisionProblem.ALREADY_ENDED
    both = consent.amend(held, amendment, scope=scope, person=person, shown=shown, now=now)
    if isinstance(both, Refused):
        # Something was ticked and the term lies ahead, or this would not be reached.
        spent = both.reason is consent.Reason.NOTHING_CHOSEN
        return DecisionProblem.USES_SPENT if spent else DecisionProblem.ALREADY_ENDED
    changed, taken_up = both
    saved = await consent_log_writer.save(connection, held, changed)
    ended = await consent_log_writer.save(connection, amendment, taken_up)
    return None if saved and ended else DecisionProblem.ALREADY_DECIDED


async def _save(
    connection: AsyncConnection,
    asked: Consent,
    answered: Transition,
    person: Person,
    *,
    now: datetime,
) -> DecisionProblem | None:
    """Write the answer in the place of the request; a grant ends what it supersedes."""
    older = await consents.open_for(connection, asked.client_id, asked.uscc, asked.purpose)
    saved = await consent_log_writer.save(connection, asked, answered)
    for before in older if answered.consent.was_granted else []:
        if before.consent_id == asked.consent_id:
            continue
        ended = consent.supersede(before, newer=answered.consent, person=person, now=now)
        if not isinstance(ended, Refused):  # a refused one has ended by itself
            saved = await consent_log_writer.save(connection, before, ended) and saved
    return None if saved else DecisionProblem.ALREADY_DECIDED


_PROBLEMS: Final = {
    consent.Reason.NOTHING_CHOSEN: DecisionProblem.NOTHING_CHOSEN,
    consent.Reason.COOLING_DOWN: DecisionProblem.COOLING_DOWN,
}
