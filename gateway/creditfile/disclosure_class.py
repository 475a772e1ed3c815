"""Who may be told, and how secret a field is: a field reaches an audience only by its class."""

from enum import StrEnum
from typing import Final


class DisclosureClass(StrEnum):
    """公开属性: how far a field may go."""

    PUBLIC = "public"
    AUTHORISED = "authorised"
    GOVERNMENT = "government"
    NEVER = "never"
    """May be compared in a question, is never told."""


class Audience(StrEnum):
    """Whoever is at the other end."""

    PUBLIC = "public"
    """Anybody: the page behind an enterprise code."""
    AUTHORISED = "authorised"
    """A client with the enterprise's consent."""
    VERIFICATION = "verification"
    """The evaluation of questions: it compares, and tells yes or no."""
    ENTERPRISE = "enterprise"
    """The enterprise itself, in the portal."""


CLASSES_FOR: Final[dict[Audience, frozenset[DisclosureClass]]] = {
    Audience.PUBLIC: frozenset({DisclosureClass.PUBLIC}),
    Audience.AUTHORISED: frozenset({DisclosureClass.PUBLIC, DisclosureClass.AUTHORISED}),
    Audience.VERIFICATION: frozenset(
        {DisclosureClass.PUBLIC, DisclosureClass.AUTHORISED, DisclosureClass.NEVER},
    ),
    Audience.ENTERPRISE: frozenset({DisclosureClass.PUBLIC, DisclosureClass.AUTHORISED}),
}
"""`government` is in none of them: it reaches no client, and no page."""
