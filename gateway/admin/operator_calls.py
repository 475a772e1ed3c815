"""An operator's call passes the checks of every call, then a transaction of its own; a refusal
there changes nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import TypeVar

from fastapi import Request

from gateway.access import body
from gateway.access.admission_control import admit_call
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_status import require_agreement
from gateway.access.errors import InvalidRequestError, NotFoundError, accept
from gateway.admin.audit_log import At
from gateway.admin.errors import AdminRefusal, error_of
from gateway.admin.operators import Operator
from gateway.admin.schemas import ByOperator
from gateway.clients.registration import CLIENT_ID, RegistrationError
from gateway.clients.terms import TermsError
from gateway.limits.limiter import QuotasError
from gateway.runtime import Runtime

ADMIN = "admin"
READERS = ("admin", "audit")
B = TypeVar("B", bound=ByOperator)
T = TypeVar("T")


async def reader(request: Request, runtime: Runtime) -> Caller:
    """Whoever may look: an operator or an auditor."""
    return await _caller(request, runtime, READERS)


async def operator_only(request: Request, runtime: Runtime) -> Caller:
    """Whoever may act, where there is something to see that is not for auditors."""
    return await _caller(request, runtime, (ADMIN,))


async def acting(request: Request, runtime: Runtime, model: type[B]) -> tuple[Operator, B]:
    """The operator and what is asked for. An empty body is an empty object."""
    caller = await _caller(request, runtime, (ADMIN,))
    raw = await body.read_body(request)
    asked = model.model_validate({}) if not raw and model is ByOperator else None
    parsed = accept(asked or body.parse_body(request, raw, model))
    return Operator.with_token(caller.client_id, parsed.operator), parsed


@asynccontextmanager
async def transaction(runtime: Runtime, by: Operator) -> AsyncIterator[At]:
    """One act's transaction; what its checks refuse is a problem, and rolls back."""
    try:
        async with runtime.engine.begin() as connection:
            now = runtime.now().astimezone(UTC)
            yield At(connection=connection, by=by, now=now, datasets=runtime.catalogue.codes)
    except (RegistrationError, TermsError, QuotasError) as error:
        raise InvalidRequestError(str(error)) from None


async def done(
    runtime: Runtime, by: Operator, verb: Callable[[At], Awaitable[T | AdminRefusal]]
) -> T:
    """What `verb` gave, committed; a refusal is raised as its problem."""
    async with transaction(runtime, by) as at:
        outcome = await verb(at)
        if isinstance(outcome, AdminRefusal):
            raise error_of(outcome)
    return outcome


def known_shape(some_id: str) -> str:
    """An id that may exist; any other is not found before anything is read."""
    if not CLIENT_ID.fullmatch(some_id):
        raise NotFoundError
    return some_id


async def _caller(request: Request, runtime: Runtime, scopes: tuple[str, ...]) -> Caller:
    caller = await authenticate(request, runtime, scope=scopes)
    await admit_call(request, runtime, caller, uscc=None, key=None)
    await require_agreement(runtime, caller)
    return caller
