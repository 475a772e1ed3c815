"""Disclosure classes of fields and audiences, and which class reaches which audience."""

from enum import StrEnum
from typing import Final


class DisclosureClass(StrEnum):
    """公开属性: how far a field may go, the widest first."""

    PUBLIC = "public"
    AUTHORISED = "authorised"
    ENTERPRISE = "enterprise"
    """The enterprise itself sees it; it reaches no client."""
    GOVERNMENT = "government"
    NEVER = "never"
    """May be compared in a question; never disclosed."""


class Audience(StrEnum):
    """Recipient of a disclosure."""

    PUBLIC = "public"
    """Anyone: the public page of an enterprise code."""
    AUTHORISED = "authorised"
    """A client with the enterprise's consent."""
    VERIFICATION = "verification"
    """Evaluation of questions, which discloses yes or no only."""
    ENTERPRISE = "enterprise"
    """The enterprise itself, in the portal."""


CLASSES_FOR: Final[dict[Audience, frozenset[DisclosureClass]]] = {
    Audience.PUBLIC: frozenset({DisclosureClass.PUBLIC}),
    Audience.AUTHORISED: frozenset({DisclosureClass.PUBLIC, DisclosureClass.AUTHORISED}),
    Audience.VERIFICATION: frozenset(
        {DisclosureClass.PUBLIC, DisclosureClass.AUTHORISED, DisclosureClass.NEVER}
    ),
    Audience.ENTERPRISE: frozenset(
        {DisclosureClass.PUBLIC, DisclosureClass.AUTHORISED, DisclosureClass.ENTERPRISE}
    ),
}
"""`government` reaches no client and no page."""
