"""The two refusals that only operators see."""

from gateway.access.errors import GatewayError, NotFoundError
from gateway.console.refusals import Reason, Refused


class ConflictError(GatewayError):
    """This cannot be done as things stand; see `detail`, read again and decide anew."""

    code = "conflict"


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
