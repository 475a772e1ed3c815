"""History of a consent as its enterprise sees it: each act with the person behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Act, Consent, Event
from gateway.identity import delegations
from gateway.identity.delegations import StoredDelegation
from gateway.identity.permissions import Delegation
from gateway.identity.session_dependency import Visitor
from gateway.pages.i18n import Translated
from gateway.portal import labels
from gateway.portal.delegates.names import delegate_view, masked_account
from gateway.runtime import Runtime

YOU: Final = Translated("您", "You")
REPRESENTATIVE: Final = Translated("法定代表人（经营者）", "The legal representative or operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One act of a consent's history."""

    moment: datetime
    what: Translated


async def consent_history(
    connection: AsyncConnection,
    runtime: Runtime,
    visitor: Visitor,
    held: Consent,
    events: Sequence[Event],
) -> list[HistoryLine]:
    """The acts of one consent, in order, each with the person who acted for the enterprise."""
    actors = {each.actor for each in events}
    stored = await delegations.of_actors(connection, held.uscc, actors)
    return [
        HistoryLine(moment=each.at, what=_what(held, each, _who(each, runtime, visitor, stored)))
        for each in events
    ]


def _what(held: Consent, event: Event, who: Translated) -> Translated:
    if event.what is Act.SUPERSEDED and held.decided_at is None and held.amends is None:
        return labels.REPLACED_REQUEST
    label = labels.ACTS[event.what]
    return Translated(label.zh.format(who=who.zh), label.en.format(who=who.en))


def _who(
    event: Event, runtime: Runtime, visitor: Visitor, stored: Sequence[StoredDelegation]
) -> Translated:
    """The person of an event: a delegate by name, the visitor, or the legal representative."""
    acting = next((each for each in stored if _acted(each.delegation, event)), None)
    if acting is not None:
        name = delegate_view(runtime, acting).full_name
        return Translated(f"经办人 {name.zh}", f"Delegate {name.en}")
    if event.actor == visitor.session.subject:
        return YOU
    if any(each.delegation.appointed_by == event.actor for each in stored):
        return REPRESENTATIVE
    account = masked_account(event.actor)
    return Translated(f"企业人员（{account.zh}）", f"A person of the enterprise ({account.en})")


def _acted(own: Delegation, event: Event) -> bool:
    """True for an act of the delegate within the delegation's term."""
    if own.subject != event.actor or own.accepted_at is None:
        return False
    return own.accepted_at <= event.at <= min(own.ended_at or own.ends_at, own.ends_at)
