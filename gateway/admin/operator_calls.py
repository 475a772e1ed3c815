"""Operators' HTTP calls: authentication and admission, the act in its transaction, the answer."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Concatenate, ParamSpec, TypeVar

from fastapi import Request

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_status import require_agreement
from gateway.access.errors import InvalidRequestError, NotFoundError, raise_if_refused
from gateway.access.http import body
from gateway.admin.audit_log import ActContext
from gateway.admin.errors import AdminRefusal, error_of
from gateway.admin.operators import Operator
from gateway.admin.schemas import ByOperator
from gateway.clients.registration import CLIENT_ID, RegistrationError
from gateway.clients.terms import TermsError
from gateway.limits.quotas import QuotasError
from gateway.runtime import Runtime

ADMIN = "admin"
READERS = ("admin", "audit")
B = TypeVar("B", bound=ByOperator)
T = TypeVar("T")
P = ParamSpec("P")


async def reader(request: Request, runtime: Runtime) -> Caller:
    """Authenticate a caller who may read: an operator or an auditor."""
    return await _caller(request, runtime, READERS)


async def operator_only(request: Request, runtime: Runtime) -> Caller:
    """Authenticate an operator, where auditors may not read."""
    return await _caller(request, runtime, (ADMIN,))


async def read_act(request: Request, runtime: Runtime, model: type[B]) -> tuple[Operator, B]:
    """The operator and the parsed body of a call. An empty body is an empty object."""
    caller = await _caller(request, runtime, (ADMIN,))
    raw = await body.read_body(request)
    asked = model.model_validate({}) if not raw and model is ByOperator else None
    parsed = raise_if_refused(asked or body.parse_body(request, raw, model))
    return Operator.with_token(caller.client_id, parsed.operator), parsed


async def run_act(
    runtime: Runtime,
    operator: Operator,
    act: Callable[Concatenate[ActContext, P], Awaitable[T | AdminRefusal]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run an act in a transaction of its own; a refusal or a failed check is an HTTP error."""
    try:
        async with runtime.engine.begin() as connection:
            context = ActContext(
                connection=connection,
                operator=operator,
                now=runtime.now().astimezone(UTC),
                datasets=runtime.catalogue.codes,
            )
            outcome = await act(context, *args, **kwargs)
            if isinstance(outcome, AdminRefusal):
                raise error_of(outcome)
    except (RegistrationError, TermsError, QuotasError) as error:
        raise InvalidRequestError(str(error)) from None
    return outcome


def known_shape(some_id: str) -> str:
    """An id of the right form; any other is "not found" without a query."""
    if not CLIENT_ID.fullmatch(some_id):
        raise NotFoundError
    return some_id


async def _caller(request: Request, runtime: Runtime, scopes: tuple[str, ...]) -> Caller:
    caller = await authenticate(request, runtime, scope=scopes)
    await admit(request, runtime, caller, uscc=None, key=None)
    await require_agreement(runtime, caller)
    return caller
