"""Delegations as read from the database."""

from dataclasses import fields
from typing import Any

from gateway.identity.delegations import delegation_of
from gateway.identity.permissions import Delegation, Permission


def test_a_power_of_a_later_release_gives_nothing_and_hinders_nothing() -> None:
    """While two releases run at once, a delegate keeps what this one knows."""
    row: dict[str, Any] = dict.fromkeys(each.name for each in fields(Delegation))
    row["powers"] = ["codes", "of a later release", "consents"]
    assert delegation_of(row).powers == (Permission.CONSENTS, Permission.CODES)
