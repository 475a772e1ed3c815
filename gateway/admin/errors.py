"""Refusals of an operator's act, as values, and the error that shows each over HTTP."""

from dataclasses import dataclass
from enum import Enum, auto

from gateway.access.errors import ConflictError, GatewayError, NotFoundError


class Reason(Enum):
    """Why an act was not done."""

    NOT_FOUND = auto()
    CONFLICT = auto()
    SECOND_OPERATOR = auto()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed."""

    reason: Reason
    sentence: str


def no_such(what: str) -> Refused:
    """There is none of this id."""
    return Refused(Reason.NOT_FOUND, f"There is no such {what}.")


def conflict(sentence: str) -> Refused:
    """It cannot be done as things stand."""
    return Refused(Reason.CONFLICT, sentence)


class SecondOperatorNeededError(GatewayError):
    """Whoever proposed cannot approve; another operator must."""

    code = "second_operator_needed"


ERRORS: dict[Reason, type[GatewayError]] = {
    Reason.NOT_FOUND: NotFoundError,
    Reason.CONFLICT: ConflictError,
    Reason.SECOND_OPERATOR: SecondOperatorNeededError,
}


def error_of(refused: Refused) -> GatewayError:
    """The problem that shows this refusal."""
    return ERRORS[refused.reason](refused.sentence)
