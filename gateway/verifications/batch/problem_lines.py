"""Problems inside a batch: of one line, and the one that ends the batch. Pure."""

from typing import Any, Final

from gateway.access.admission_control import LONG_WAIT_SECONDS
from gateway.access.errors import QuotaExhaustedError, RateLimitedError, Refusal
from gateway.db.engine import to_json
from gateway.limits.model import LineLimit

INTERNAL_ERROR: Final = {
    "code": "internal_error",
    "detail": "Something went wrong on our side; report the request_id.",
}


def line_problem(number: int, refusal: Refusal, warnings: tuple[str, ...] = ()) -> str:
    """The answer to a line that is refused; `warnings` are on its code."""
    more = {"warnings": warnings} if warnings else {}
    return to_json({"line": number, "problem": refusal_document(refusal), **more})


def faulty_line(number: int) -> str:
    """The answer to a line that could not be answered, by a fault of the gateway's."""
    return to_json({"line": number, "problem": INTERNAL_ERROR})


def batch_problem(refusal: Refusal | None) -> str:
    """The last line of a batch that ends without a manifest; `None`: by a fault of the gateway's."""
    return to_json({"problem": INTERNAL_ERROR if refusal is None else refusal_document(refusal)})


def limit_refusal(limit: LineLimit) -> Refusal:
    """The refusal of a line that does not fit a quota."""
    wait = limit.retry_after
    error = QuotaExhaustedError if wait > LONG_WAIT_SECONDS else RateLimitedError
    return Refusal(error, retry_after=wait)


def refusal_document(refusal: Refusal) -> dict[str, Any]:
    """Code and sentence of a refusal, and when to try again where that is known."""
    detail = refusal.detail or (refusal.error.__doc__ or "").strip()
    again = {} if refusal.retry_after is None else {"retry_after": refusal.retry_after}
    return {"code": refusal.error.code, "detail": detail, **again}
