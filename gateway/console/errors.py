"""The refusal that only operators see, and how each reason of the console is shown."""

from gateway.access.errors import ConflictError, GatewayError, NotFoundError
from gateway.console.refusals import Reason, Refused


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
