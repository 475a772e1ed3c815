"""What came with a call, whole or as the error that it is: an error too is counted before it is told.

So a malformed call spends its proof and its place in the limits like any other.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request

from gateway.access import body
from gateway.access.admission import IdempotencyKey, idempotency_key
from gateway.access.body import Wire
from gateway.access.errors import GatewayError
from gateway.access.subject import warnings_of

W = TypeVar("W", bound=Wire)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming(Generic[W]):
    """A parsed body, or what is wrong with the call; and its idempotency key."""

    parsed: W | GatewayError
    key: IdempotencyKey | None


async def incoming(request: Request, model: type[W], *, largest: int = body.LARGEST) -> Incoming[W]:
    """Read the body of `request`, of at most `largest` bytes, as a `model`."""
    try:
        raw = await body.read(request, largest=largest)
        key = idempotency_key(request, raw)
    except GatewayError as error:
        return Incoming(parsed=error, key=None)
    parsed = body.parse(request, raw, model)
    request.state.warnings = warnings_of(_uscc_of(parsed))
    return Incoming(parsed=parsed, key=key)


def _uscc_of(parsed: object) -> object:
    """The code that is asked about, where one is: answers and problems say what is to be said of it."""
    return getattr(getattr(parsed, "enterprise", None), "uscc", None)
