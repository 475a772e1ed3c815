"""Who may do what for an enterprise, now. Pure: nothing here reads a clock or a database.

The legal representative may do everything. Whom the legal representative has appointed (经办人) may do
no more than what can be passed on: never appoint others, and never what only a person can decide
(questions on a person's ID, a natural person's separate consent). Another role of the identity
provider's gives nothing, but where the operator has said that the provider appoints by it.
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
    """What a page or a form of the portal asks of whoever opens it."""

    CONSENTS = "consents"
    RECORD = "record"
    OBJECTIONS = "objections"
    CODES = "codes"
    MANAGE = "manage"
    """Appoint delegates, say where notices go, confirm what a predecessor allowed."""
    IN_PERSON = "in_person"
    """Decide on a person's ID, give a natural person's separate consent."""


DELEGABLE: Final = (Permission.CONSENTS, Permission.RECORD, Permission.OBJECTIONS, Permission.CODES)


class PermissionProblem(StrEnum):
    """Why nobody was appointed, or an invitation not taken up. Nothing was written then."""

    NO_NAME = "no_name"
    NO_POWERS = "no_powers"
    TERM = "term"
    TOO_LATE = "too_late"
    OWN = "own"


class DelegationState(StrEnum):
    """Where a delegation stands."""

    INVITED = "invited"
    RUNNING = "running"
    NOT_TAKEN_UP = "not_taken_up"
    OVER = "over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """What a legal representative has passed on, to whoever takes up the invitation."""

    uscc: str
    delegation_id: str
    powers: tuple[Permission, ...]
    representative: str
    """Who was the legal representative then: by nobody else's word does it go on."""
    appointed_by: str
    appointed_at: datetime
    invited_until: datetime
    ends_at: datetime
    subject: str | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


def appoint(  # what an appointment is made of; all by keyword
    *,
    uscc: str,
    delegation_id: str,
    powers: Iterable[str],
    representative: str,
    by: str,
    ends_at: datetime | None,
    now: datetime,
) -> Delegation | PermissionProblem:
    """A delegation that waits to be taken up; what cannot be passed on is refused, not left out."""
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
        appointed_by=by,
        appointed_at=now,
        invited_until=min(now + INVITED_FOR, ends_at),
        ends_at=ends_at,
    )


def accept(
    invited: Delegation, *, subject: str, representative: str, now: datetime
) -> Delegation | PermissionProblem:
    """The delegation as it becomes when `subject` takes it up: once, in time, and not one's own."""
    if (
        state_of(invited, now) is not DelegationState.INVITED
        or representative != invited.representative
    ):
        return PermissionProblem.TOO_LATE
    if subject == invited.appointed_by:
        return PermissionProblem.OWN
    return replace(invited, subject=subject, accepted_at=now)


def state_of(of: Delegation, now: datetime) -> DelegationState:
    """Where it stands now."""
    if of.ended_at is not None:
        return DelegationState.ENDED
    if of.accepted_at is None:
        return DelegationState.INVITED if now < of.invited_until else DelegationState.NOT_TAKEN_UP
    return DelegationState.RUNNING if now < of.ends_at else DelegationState.OVER


def powers_under(
    of: Delegation, *, subject: str, representative: str, now: datetime
) -> frozenset[Permission]:
    """What `subject` may do under it while `representative` is the legal representative."""
    holds = (
        state_of(of, now) is DelegationState.RUNNING
        and of.subject == subject
        and of.representative == representative
    )
    return frozenset(of.powers) & frozenset(DELEGABLE) if holds else frozenset()


def powers_of_role(role: str, delegate_roles: Collection[str]) -> frozenset[Permission]:
    """What the identity provider's word gives; `delegate_roles` are those that the operator listed."""
    if role == LEGAL_REPRESENTATIVE:
        return frozenset(Permission)
    return frozenset(DELEGABLE) if role in delegate_roles else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPermissions:
    """A delegation beside the name that its enterprise's legal representative has now."""

    delegation: Delegation
    representative: str


def standing(
    mandates: Iterable[tuple[str, str]],
    delegations: Sequence[CurrentPermissions],
    *,
    subject: str,
    delegate_roles: Collection[str],
    outdated: frozenset[str],
    now: datetime,
) -> Mapping[str, frozenset[Permission]]:
    """For each enterprise what a person may do now, those that may do nothing left out.

    `mandates` are (USCC, role) as the provider said at sign-in; `outdated` are the enterprises whose
    legal representative has changed since: the provider has to say it again.
    """
    powers: dict[str, frozenset[Permission]] = {}
    for uscc, role in mandates:
        if uscc not in outdated:  # named in two roles, a person has what both give
            own = powers_of_role(role, delegate_roles)
            powers[uscc] = powers.get(uscc, frozenset()) | own
    for each in delegations:
        of = each.delegation
        own = powers_under(of, subject=subject, representative=each.representative, now=now)
        powers[of.uscc] = powers.get(of.uscc, frozenset()) | own
    return MappingProxyType({uscc: held for uscc, held in powers.items() if held})
