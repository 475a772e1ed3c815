"""Verdicts on a source's acts on its records: which is allowed in which state, and why not. Pure.

| act           | the record is              | two persons |
|---------------|----------------------------|-------------|
| repair        | not withdrawn              |             |
| suspend       | not withdrawn, not repaired |            |
| withdraw      | in any state               |             |
| correct       | not withdrawn, not repaired |            |
| reinstate     | suspended, not repaired, not withdrawn | yes |
| revoke_repair | repaired, not withdrawn    | yes         |

What is so already is no change: to repair a repaired record, suspend a suspended one, withdraw a
withdrawn one.
"""

from datetime import date
from typing import Final, Literal

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.records import REGISTRATION, Record

ActionVerb = Literal["repair", "withdraw", "correct", "suspend", "reinstate", "revoke_repair"]
TWO_PERSONS: Final[frozenset[ActionVerb]] = frozenset({"reinstate", "revoke_repair"})
"""Acts after which a record may be told again."""

UNKNOWN_RECORD: Final = FieldProblem(field="key", code=ProblemCode.UNKNOWN_RECORD)
DUPLICATE: Final = FieldProblem(field="key", code=ProblemCode.DUPLICATE)
HAS_ENDED: Final = FieldProblem(field="key", code=ProblemCode.HAS_ENDED)
WITHDRAWN: Final = FieldProblem(field="key", code=ProblemCode.WITHDRAWN)
REPAIRED: Final = FieldProblem(field="key", code=ProblemCode.REPAIRED)
NOT_REPAIRED: Final = FieldProblem(field="key", code=ProblemCode.NOT_REPAIRED)
NOT_SUSPENDED: Final = FieldProblem(field="key", code=ProblemCode.NOT_SUSPENDED)
NOT_REPAIRABLE: Final = FieldProblem(field="action", code=ProblemCode.NOT_REPAIRABLE)
NOT_SUSPENDABLE: Final = FieldProblem(field="action", code=ProblemCode.NOT_SUSPENDABLE)
NOT_FOR_REGISTRATIONS: Final = FieldProblem(field="action", code=ProblemCode.REGISTRATION)
IN_THE_FUTURE: Final = FieldProblem(field="decided_on", code=ProblemCode.IN_THE_FUTURE)


def problem_with(
    verb: ActionVerb,
    record: Record | None,
    dataset: DatasetDefinition,
    *,
    decided_on: date,
    today: date,
    is_repeated: bool = False,
) -> FieldProblem | None:
    """The first failing check, in this order; `None` if the act is allowed."""
    withdrawn = record is not None and record.withdrawn_at is not None
    repaired = record is not None and record.repaired_at is not None
    suspended = record is not None and record.suspended_at is not None
    checks = (
        (decided_on > today, IN_THE_FUTURE),
        (dataset.code == REGISTRATION, NOT_FOR_REGISTRATIONS),
        (verb == "repair" and not dataset.is_ever_bad, NOT_REPAIRABLE),
        (verb == "suspend" and not dataset.is_ever_bad, NOT_SUSPENDABLE),
        (is_repeated, DUPLICATE),
        (record is None, UNKNOWN_RECORD),
        (verb == "correct" and (withdrawn or repaired), HAS_ENDED),
        (verb not in {"correct", "withdraw"} and withdrawn, WITHDRAWN),
        (verb in {"suspend", "reinstate"} and repaired, REPAIRED),
        (verb == "reinstate" and not suspended, NOT_SUSPENDED),
        (verb == "revoke_repair" and not repaired, NOT_REPAIRED),
    )
    return next((problem for fails, problem in checks if fails), None)


def is_already_so(verb: ActionVerb, record: Record) -> bool:
    """True if an allowed act would change nothing."""
    marks = {
        "repair": record.repaired_at,
        "suspend": record.suspended_at,
        "withdraw": record.withdrawn_at,
    }
    return marks.get(verb) is not None
