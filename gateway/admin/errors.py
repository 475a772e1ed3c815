"""Refusals of an operator's act, as values, and their HTTP errors."""

from dataclasses import dataclass
from enum import Enum, auto

from gateway.access.errors import (
    ConflictError,
    GatewayError,
    NotFoundError,
    SecondOperatorNeededError,
)


class RefusalReason(Enum):
    """The reason of a refusal."""

    NOT_FOUND = auto()
    CONFLICT = auto()
    SECOND_OPERATOR = auto()


@dataclass(frozen=True, slots=True)
class AdminRefusal:
    """A refused act; nothing was changed."""

    reason: RefusalReason
    sentence: str


def no_such(what: str) -> AdminRefusal:
    """The refusal for an unknown id."""
    return AdminRefusal(RefusalReason.NOT_FOUND, f"There is no such {what}.")


def conflict(sentence: str) -> AdminRefusal:
    """The refusal of an act that the present state does not allow."""
    return AdminRefusal(RefusalReason.CONFLICT, sentence)


ERRORS: dict[RefusalReason, type[GatewayError]] = {
    RefusalReason.NOT_FOUND: NotFoundError,
    RefusalReason.CONFLICT: ConflictError,
    RefusalReason.SECOND_OPERATOR: SecondOperatorNeededError,
}


def error_of(refused: AdminRefusal) -> GatewayError:
    """The HTTP error of a refusal."""
    return ERRORS[refused.reason](refused.sentence)
