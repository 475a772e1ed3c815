"""Write the decision on a requested consent: by link or by redirect, in one transaction."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import Consent, DisplayedText, Person, Purpose, Refused, Scope, Transition
from consent import store as consents
from gateway.disclosure import consent_log_writer
from gateway.identity import interactions
from gateway.identity.interactions import Interaction
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import forget_undecided, note
from gateway.portal.consents.decision import Choice, Decider, DecisionProblem


async def cooling_until(
    connection: AsyncConnection, client_id: str, uscc: str, purpose: Purpose, *, now: datetime
) -> datetime | None:
    """The end of the cool-down after a refusal of the same (R9); `None` outside of one."""
    refusal = await consents.last_refusal(connection, client_id, uscc, purpose)
    if refusal is None or consent.may_ask_again([refusal], now=now):
        return None
    return refusal.cool_down_until


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
    person = decider.acting(asked.uscc, asked.channel)
    await consents.in_turn(connection, *relation)
    if choice.scope is not None and await cooling_until(connection, *relation, now=now):
        return DecisionProblem.COOLING_DOWN
    if interaction is not None:
        decided = await interactions.decide(
            connection,
            interaction,
            "refused" if choice.scope is None else "granted",
            uscc=asked.uscc,
            consent_id=asked.consent_id,
            subject=decider.subject,
            session_digest=decider.session_digest,
            now=now,
        )
        if not decided:
            return DecisionProblem.ALREADY_DECIDED
        digest = interaction.request_digest
        await forget_undecided(connection, asked.uscc, request_digest=digest)
    await _keep_text(connection, decider)
    await _tell(connection, asked.client_id, choice, amends=asked.amends is not None, now=now)
    if choice.scope is not None and asked.amends is not None:
        return await _amend(connection, asked, choice.scope, person, decider.shown, now=now)
    answered = (
        consent.refuse(asked, person=person, shown=decider.shown, now=now)
        if choice.scope is None
        else consent.grant(asked, scope=choice.scope, person=person, shown=decider.shown, now=now)
    )
    if isinstance(answered, Refused):
        return _PROBLEMS.get(answered.reason, DecisionProblem.ALREADY_DECIDED)
    return await _save(connection, asked, answered, person, now=now)


async def _tell(
    connection: AsyncConnection,
    client_id: str,
    choice: Choice,
    *,
    amends: bool = False,
    now: datetime,
) -> None:
    """Tell the enterprise out of band what is being decided in its name."""
    granted = NoticeKind.CONSENT_AMENDED if amends else NoticeKind.CONSENT_GRANTED
    kind = NoticeKind.CONSENT_REFUSED if choice.scope is None else granted
    await note(connection, kind, choice.uscc, client_id=client_id, now=now)


async def _keep_text(connection: AsyncConnection, decider: Decider) -> None:
    shown = decider.shown
    if shown.text_digest is not None:
        await consents.keep_text(connection, shown.text_digest, shown.text_version, decider.text)


async def _amend(  # the parts of one change
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
        if before.consent_id != asked.consent_id:
            saved = (
                await _supersede(connection, before, answered.consent, person, now=now) and saved
            )
    return None if saved else DecisionProblem.ALREADY_DECIDED


async def _supersede(
    connection: AsyncConnection,
    before: Consent,
    newer: Consent,
    person: Person,
    *,
    now: datetime,
) -> bool:
    """End an older grant for the same; what has ended by itself stays as it is."""
    ended = consent.supersede(before, newer=newer, person=person, now=now)
    if isinstance(ended, Refused):
        return True
    return await consent_log_writer.save(connection, before, ended)


_PROBLEMS: Final = {
    consent.Reason.NOTHING_CHOSEN: DecisionProblem.NOTHING_CHOSEN,
    consent.Reason.COOLING_DOWN: DecisionProblem.COOLING_DOWN,
}
