"""An expected no is a value: why, and one sentence that says what to do."""

from dataclasses import dataclass
from enum import Enum, auto


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
