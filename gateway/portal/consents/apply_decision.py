"""A decision and the consent that it makes are written together, once, or not at all."""

from datetime import datetime
from secrets import token_bytes
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

import consent
from consent import (
    AccessRequest,
    Channel,
    Consent,
    DisplayedText,
    Person,
    Refused,
    Scope,
    Transition,
)
from consent import store as consents
from consent.ids import RANDOM_BYTES
from gateway.disclosure import consent_writer
from gateway.identity import interactions
from gateway.identity.interactions import Decision, Interaction
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import forget_undecided, note, note_unless_decided
from gateway.portal.consents.decision import (
    Choice,
    Decider,
    DecisionProblem,
    ask_again,
    ask_of,
    asked_scope,
)


async def cooling_until(
    connection: AsyncConnection, ask: AccessRequest, *, now: datetime
) -> datetime | None:
    """Until when this may not be asked again after a refusal (R9); `None` if it may."""
    refusal = await consents.last_refusal(connection, ask.client_id, ask.uscc, ask.purpose)
    if refusal is None or consent.may_ask_again([refusal], now=now):
        return None
    return refusal.cool_down_until


async def tell_if_left_open(
    connection: AsyncConnection, interaction: Interaction, ask: AccessRequest, *, now: datetime
) -> None:
    """Let the enterprise hear that somebody asks, should whoever reads this not decide it."""
    await note_unless_decided(
        connection,
        ask.uscc,
        client_id=ask.client_id,
        request_digest=interaction.request_digest,
        until=interaction.expires_at,
        now=now,
    )


async def decide(
    connection: AsyncConnection,
    interaction: Interaction,
    choice: Choice,
    decider: Decider,
    *,
    now: datetime,
) -> DecisionProblem | None:
    """Write the decision in the caller's transaction; `None` when all is written."""
    ask = ask_of(interaction.ask, choice.uscc)
    by = decider.acting(choice.uscc, Channel.REDIRECT)
    await consents.in_turn(connection, ask.client_id, ask.uscc, ask.purpose)
    cooling = await cooling_until(connection, ask, now=now) is not None
    if cooling and choice.scope is not None:
        return DecisionProblem.COOLING_DOWN
    acts = None if cooling else _acts(interaction, ask, choice, by, decider.shown, now)
    if isinstance(acts, Refused):
        return _TROUBLES.get(acts.reason, DecisionProblem.NOTHING_CHOSEN)
    decision = Decision(
        outcome="refused" if choice.scope is None else "granted",
        consent_id=acts[0].consent.consent_id if acts else None,
        uscc=choice.uscc,
        subject=decider.subject,
    )
    taken = await interactions.decide(
        connection,
        interaction,
        decision,
        session_digest=decider.session_digest,
        now=now,
    )
    if not taken:
        return DecisionProblem.ALREADY_DECIDED
    await forget_undecided(connection, choice.uscc, request_digest=interaction.request_digest)
    if acts is None:
        return None
    await _keep_text(connection, decider)
    await _tell(connection, ask.client_id, choice, now=now)
    return await _write(connection, acts, by, now=now)


async def answer(
    connection: AsyncConnection,
    asked: Consent,
    choice: Choice,
    decider: Decider,
    *,
    now: datetime,
) -> DecisionProblem | None:
    """Answer a consent that was asked for by link; `None` when all is written."""
    by = decider.acting(choice.uscc, Channel.LINK)
    await consents.in_turn(connection, asked.client_id, asked.uscc, asked.purpose)
    cooling = await cooling_until(connection, ask_again(asked), now=now) is not None
    if cooling and choice.scope is not None:
        return DecisionProblem.COOLING_DOWN
    await _keep_text(connection, decider)
    await _tell(connection, asked.client_id, choice, amends=asked.amends is not None, now=now)
    if choice.scope is not None and asked.amends is not None:
        return await _amend(connection, asked, choice.scope, by, decider.shown, now=now)
    answered = (
        consent.refuse(asked, by=by, shown=decider.shown, now=now)
        if choice.scope is None
        else consent.grant(asked, scope=choice.scope, by=by, shown=decider.shown, now=now)
    )
    if isinstance(answered, Refused):
        return _TROUBLES.get(answered.reason, DecisionProblem.ALREADY_DECIDED)
    return await _save(connection, asked, answered, by, now=now)


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
    by: Person,
    shown: DisplayedText,
    *,
    now: datetime,
) -> DecisionProblem | None:
    """Change the running consent in its place, and end the request."""
    held = await consents.by_id(connection, amendment.amends or "")
    if held is None:
        return DecisionProblem.ALREADY_ENDED
    both = consent.amend(held, amendment, scope=scope, by=by, shown=shown, now=now)
    if isinstance(both, Refused):
        # Something was ticked and the term lies ahead, or this would not be reached.
        spent = both.reason is consent.Reason.NOTHING_CHOSEN
        return DecisionProblem.USES_SPENT if spent else DecisionProblem.ALREADY_ENDED
    changed, taken_up = both
    saved = await consent_writer.save(connection, held, changed)
    ended = await consent_writer.save(connection, amendment, taken_up)
    return None if saved and ended else DecisionProblem.ALREADY_DECIDED


def _acts(  # the parts of one decision
    interaction: Interaction,
    ask: AccessRequest,
    choice: Choice,
    by: Person,
    shown: DisplayedText,
    now: datetime,
) -> tuple[Transition, Transition] | Refused:
    """The request and the answer to it, as they will be kept."""
    whole = asked_scope(interaction.ask)
    requested = consent.request(
        ask,
        consent_id=consent.consent_id_from(token_bytes(RANDOM_BYTES)),
        valid_until=whole.valid_until,
        max_uses=whole.max_uses,
        channel=Channel.REDIRECT,
        now=now,
    )
    if isinstance(requested, Refused):
        return requested
    if choice.scope is None:
        answered = consent.refuse(requested.consent, by=by, shown=shown, now=now)
    else:
        answered = consent.grant(
            requested.consent,
            scope=choice.scope,
            by=by,
            shown=shown,
            now=now,
        )
    return answered if isinstance(answered, Refused) else (requested, answered)


async def _write(
    connection: AsyncConnection,
    acts: tuple[Transition, Transition],
    by: Person,
    *,
    now: datetime,
) -> DecisionProblem | None:
    requested, answered = acts
    await consent_writer.insert(connection, requested)
    return await _save(connection, requested.consent, answered, by, now=now)


async def _save(
    connection: AsyncConnection,
    asked: Consent,
    answered: Transition,
    by: Person,
    *,
    now: datetime,
) -> DecisionProblem | None:
    """Write the answer in the place of the request; a grant ends what it supersedes."""
    older = await consents.open_for(connection, asked.client_id, asked.uscc, asked.purpose)
    saved = await consent_writer.save(connection, asked, answered)
    for before in older if answered.consent.was_granted else []:
        if before.consent_id != asked.consent_id:
            saved = await _supersede(connection, before, answered.consent, by, now=now) and saved
    return None if saved else DecisionProblem.ALREADY_DECIDED


async def _supersede(
    connection: AsyncConnection,
    before: Consent,
    newer: Consent,
    by: Person,
    *,
    now: datetime,
) -> bool:
    """End an older grant for the same; what has ended by itself stays as it is."""
    ended = consent.supersede(before, newer=newer, by=by, now=now)
    if isinstance(ended, Refused):
        return True
    return await consent_writer.save(connection, before, ended)


_TROUBLES: Final = {
    consent.Reason.NOTHING_CHOSEN: DecisionProblem.NOTHING_CHOSEN,
    consent.Reason.COOLING_DOWN: DecisionProblem.COOLING_DOWN,
}
