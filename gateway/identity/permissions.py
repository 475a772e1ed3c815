"""Permissions of a person for an enterprise, by role and delegation. Pure.

The legal representative has every permission, a delegate (经办人) only delegable ones: never to appoint
others, and never what the person must decide (questions on a person's ID, a natural person's separate
consent). Another role of the identity provider gives none, unless the operator has listed it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

LEGAL_REPRESENTATIVE: Final = "legal_representative"
LONGEST_TERM: Final = timedelta(days=366)
INVITED_FOR: Final = timedelta(days=7)


class Permission(StrEnum):
    """The permission that a page or form of the portal requires."""

    CONSENTS = "consents"
    RECORD = "record"
    OBJECTIONS = "objections"
    CODES = "codes"
    REPAIRS = "repairs"
    REPORTS = "reports"
    MANAGE = "manage"
    """Appoint delegates, set contact points, confirm a predecessor's consents."""
    IN_PERSON = "in_person"
    """Decide on a person's ID, give a natural person's separate consent."""


DELEGABLE: Final = (
    Permission.CONSENTS,
    Permission.RECORD,
    Permission.OBJECTIONS,
    Permission.REPAIRS,
    Permission.REPORTS,
    Permission.CODES,
)


class PermissionProblem(StrEnum):
    """The reason why an appointment or acceptance was refused; nothing was written."""

    NO_NAME = "no_name"
    NO_POWERS = "no_powers"
    TERM = "term"
    TOO_LATE = "too_late"
    OWN = "own"


class DelegationState(StrEnum):
    """The state of a delegation."""

    INVITED = "invited"
    RUNNING = "running"
    NOT_TAKEN_UP = "not_taken_up"
    OVER = "over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """Permissions that a legal representative delegates to the person who accepts the invitation."""

    uscc: str
    delegation_id: str
    powers: tuple[Permission, ...]
    representative: str
    """The legal representative at appointment; the delegation lapses under another."""
    appointed_by: str
    appointed_at: datetime
    invited_until: datetime
    ends_at: datetime
    subject: str | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


def appoint(
    *,
    uscc: str,
    delegation_id: str,
    powers: Iterable[str],
    representative: str,
    actor: str,
    ends_at: datetime | None,
    now: datetime,
) -> Delegation | PermissionProblem:
    """A new delegation, to be accepted; a permission that is not delegable refuses it whole."""
    asked = set(powers)
    if not asked or not asked <= set(DELEGABLE):
        return PermissionProblem.NO_POWERS
    if ends_at is None or not now < ends_at <= now + LONGEST_TERM:
        return PermissionProblem.TERM
    return Delegation(
        uscc=uscc,
        delegation_id=delegation_id,
        powers=tuple(each for each in DELEGABLE if each in asked),
        representative=representative,
        appointed_by=actor,
        appointed_at=now,
        invited_until=min(now + INVITED_FOR, ends_at),
        ends_at=ends_at,
    )


def accept(
    invited: Delegation, *, subject: str, representative: str, now: datetime
) -> Delegation | PermissionProblem:
    """The delegation accepted by `subject`: once, in time, and not by its appointer."""
    if (
        state_of(invited, now) is not DelegationState.INVITED
        or representative != invited.representative
    ):
        return PermissionProblem.TOO_LATE
    if subject == invited.appointed_by:
        return PermissionProblem.OWN
    return replace(invited, subject=subject, accepted_at=now)


def state_of(delegation: Delegation, now: datetime) -> DelegationState:
    """The state of a delegation at `now`."""
    if delegation.ended_at is not None:
        return DelegationState.ENDED
    if delegation.accepted_at is None:
        invited = now < delegation.invited_until
        return DelegationState.INVITED if invited else DelegationState.NOT_TAKEN_UP
    return DelegationState.RUNNING if now < delegation.ends_at else DelegationState.OVER


def delegated_permissions(
    delegation: Delegation, *, subject: str, representative: str, now: datetime
) -> frozenset[Permission]:
    """The permissions of `subject` by a delegation, under the present `representative`."""
    holds = (
        state_of(delegation, now) is DelegationState.RUNNING
        and delegation.subject == subject
        and delegation.representative == representative
    )
    return frozenset(delegation.powers) & frozenset(DELEGABLE) if holds else frozenset()


def role_permissions(role: str, delegate_roles: Collection[str]) -> frozenset[Permission]:
    """The permissions of a role; `delegate_roles` are those that the operator has listed."""
    if role == LEGAL_REPRESENTATIVE:
        return frozenset(Permission)
    return frozenset(DELEGABLE) if role in delegate_roles else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPermissions:
    """A delegation with the present legal representative of its enterprise."""

    delegation: Delegation
    representative: str


def current_permissions(
    mandates: Iterable[tuple[str, str]],
    delegations: Sequence[CurrentPermissions],
    *,
    subject: str,
    delegate_roles: Collection[str],
    outdated: frozenset[str],
    now: datetime,
) -> Mapping[str, frozenset[Permission]]:
    """A person's permissions by enterprise, without the enterprises that give none.

    `mandates` are (USCC, role) as the provider gave them at sign-in; `outdated` are the enterprises
    whose legal representative has changed since: their mandates no longer count.
    """
    found: dict[str, frozenset[Permission]] = {}
    for uscc, role in mandates:
        if uscc not in outdated:  # two roles at one enterprise add up
            own = role_permissions(role, delegate_roles)
            found[uscc] = found.get(uscc, frozenset()) | own
    for each in delegations:
        uscc = each.delegation.uscc
        own = delegated_permissions(
            each.delegation, subject=subject, representative=each.representative, now=now
        )
        found[uscc] = found.get(uscc, frozenset()) | own
    return MappingProxyType({uscc: own for uscc, own in found.items() if own})
