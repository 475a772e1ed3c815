"""Permissions of delegations: never more than is delegable, never after their end."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.identity import permissions
from gateway.identity.permissions import (
    DELEGABLE,
    CurrentPermissions,
    Delegation,
    DelegationState,
    Permission,
    PermissionProblem,
    state_of,
)

NOON: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
USCCS: Final = ("A", "B")
names = st.sampled_from(["zhang", "li", "wang"])
moments = st.integers(-400, 400).map(lambda days: NOON + timedelta(days=days))
some_powers = st.lists(st.sampled_from(list(Permission)), unique=True).map(tuple)
delegations = st.builds(
    Delegation,
    uscc=st.sampled_from(USCCS),
    delegation_id=st.just("dlg"),
    powers=some_powers,
    representative=names,
    appointed_by=names,
    appointed_at=moments,
    invited_until=moments,
    ends_at=moments,
    subject=names | st.none(),
    accepted_at=moments | st.none(),
    ended_at=moments | st.none(),
)
held = st.lists(
    st.builds(CurrentPermissions, delegation=delegations, representative=names), max_size=4
)


def _under(
    those: list[CurrentPermissions], subject: str, now: datetime
) -> Mapping[str, frozenset[Permission]]:
    """Permissions given by these delegations."""
    return permissions.current_permissions(
        [], those, subject=subject, delegate_roles=(), outdated=frozenset(), now=now
    )


@given(held, names, moments)
def test_no_delegation_gives_more_than_is_delegable(
    those: list[CurrentPermissions], subject: str, now: datetime
) -> None:
    """Also for manipulated rows."""
    found = _under(those, subject, now)
    assert all(each <= set(DELEGABLE) for each in found.values())


@given(held, names, moments)
def test_permissions_come_from_an_active_delegation_of_the_present_representative(
    those: list[CurrentPermissions], subject: str, now: datetime
) -> None:
    """Ended, expired, another enterprise's and a former representative's give nothing."""
    found = _under(those, subject, now)
    for uscc, own in found.items():
        for power in own:
            assert any(
                of.delegation.uscc == uscc
                and power in of.delegation.powers
                and of.delegation.subject == subject
                and of.delegation.ended_at is None
                and of.delegation.accepted_at is not None
                and now < of.delegation.ends_at
                and of.delegation.representative == of.representative
                for of in those
            )


roles = st.sampled_from(["legal_representative", "agent", "Legal_Representative", ""])


@given(st.lists(st.tuples(st.sampled_from(USCCS), roles)))
def test_no_role_but_the_legal_representatives_gives_anything_by_itself(
    mandates: list[tuple[str, str]],
) -> None:
    """Nor does an outdated role."""
    found = permissions.current_permissions(
        mandates, [], subject="li", delegate_roles=(), outdated=frozenset("A"), now=NOON
    )
    representative = ("B", "legal_representative") in mandates
    assert found == ({"B": frozenset(Permission)} if representative else {})


@given(st.lists(st.tuples(st.sampled_from(USCCS), roles)))
def test_a_role_that_the_operator_lists_gives_no_more_than_a_delegation(
    mandates: list[tuple[str, str]],
) -> None:
    """Unlisted roles give nothing."""
    found = permissions.current_permissions(
        mandates, [], subject="li", delegate_roles=("agent",), outdated=frozenset(), now=NOON
    )
    for uscc in USCCS:
        own = {role for of, role in mandates if of == uscc}
        passed_on = frozenset(DELEGABLE) if "agent" in own else frozenset()
        expected = frozenset(Permission) if "legal_representative" in own else passed_on
        assert found.get(uscc, frozenset()) == expected


@given(st.lists(st.sampled_from([*Permission, "root", ""])), moments | st.none())
def test_an_appointment_is_within_a_year_and_of_delegable_permissions(
    wanted: list[str], ends_at: datetime | None
) -> None:
    """A form that asks for more is refused completely."""
    made = permissions.appoint(
        uscc="A",
        delegation_id="dlg",
        powers=wanted,
        representative="zhang",
        actor="demo:zhang",
        ends_at=ends_at,
        now=NOON,
    )
    if isinstance(made, Delegation):
        assert set(wanted) == set(made.powers) <= set(DELEGABLE)
        assert made.powers
        assert NOON < made.ends_at <= NOON + timedelta(days=366)
        assert made.invited_until <= NOON + timedelta(days=7)
        assert state_of(made, NOON) is DelegationState.INVITED
    else:
        whole = bool(wanted) and set(wanted) <= set(DELEGABLE)
        in_time = ends_at is not None and NOON < ends_at <= NOON + timedelta(days=366)
        assert not (whole and in_time)


@given(delegations, names, names, moments)
def test_an_invitation_is_taken_up_once_in_time_and_not_by_who_made_it(
    invited: Delegation, subject: str, representative: str, now: datetime
) -> None:
    """And while its author is the representative."""
    taken = permissions.accept(invited, subject=subject, representative=representative, now=now)
    if isinstance(taken, PermissionProblem):
        return
    assume(invited.subject is None)
    assert invited.ended_at is None
    assert invited.accepted_at is None
    assert now < invited.invited_until
    assert subject != invited.appointed_by
    assert representative == invited.representative
    assert taken.subject == subject
