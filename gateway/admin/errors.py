"""Refusals of an operator's act, as values, and the error that shows each over HTTP."""

from dataclasses import dataclass
from enum import Enum, auto

from gateway.access.errors import ConflictError, GatewayError, NotFoundError


class RefusalReason(Enum):
    """Why an act was not done."""

    NOT_FOUND = auto()
    CONFLICT = auto()
    SECOND_OPERATOR = auto()


@dataclass(frozen=True, slots=True)
class AdminRefusal:
    """Nothing was changed."""

    reason: RefusalReason
    sentence: str


def no_such(what: str) -> AdminRefusal:
    """There is none of this id."""
    return AdminRefusal(RefusalReason.NOT_FOUND, f"There is no such {what}.")


def conflict(sentence: str) -> AdminRefusal:
    """It cannot be done as things stand."""
    return AdminRefusal(RefusalReason.CONFLICT, sentence)


class SecondOperatorNeededError(GatewayError):
    """Whoever proposed cannot approve; another operator must."""

    code = "second_operator_needed"


ERRORS: dict[RefusalReason, type[GatewayError]] = {
    RefusalReason.NOT_FOUND: NotFoundError,
    RefusalReason.CONFLICT: ConflictError,
    RefusalReason.SECOND_OPERATOR: SecondOperatorNeededError,
}


def error_of(refused: AdminRefusal) -> GatewayError:
    """The problem that shows this refusal."""
    return ERRORS[refused.reason](refused.sentence)
