"""Answering a call about an enterprise, for verifications and queries: admission, attempts, refusals.

An attempt reads, decides and commits; it is repeated with a fresh read where the state has changed in
between. A refusal is logged before it is returned (R10).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from fastapi import Request

from gateway.access.admission_control import check_limits
from gateway.access.authentication import Caller
from gateway.access.body import IncomingCall, WireModel
from gateway.access.errors import Refusal, TemporarilyUnavailableError, raise_if_refused
from gateway.access.refused_request import RefusedRequest
from gateway.access.timestamps import format_time
from gateway.disclosure.commit import log_refusal
from gateway.disclosure.idempotency import AnswerStore
from gateway.runtime import Runtime
from gateway.transparency.disclosure_leaf import Disclosure, leaf_hash, new_salt, result_digest
from gateway.transparency.inclusion_promise import log_promise, merge_deadline

MAX_ATTEMPTS: Final = 20
"""Each repetition means another commit in between; so many in a row is an outage."""


class EnterpriseRequest(Protocol):
    """A well-formed request about one enterprise."""

    @property
    def uscc(self) -> str:
        """The enterprise's code."""
        ...

    def refused(self, refusal: Refusal) -> RefusedRequest:
        """This request with its refusal, for the log."""
        ...


R = TypeVar("R", bound=EnterpriseRequest)
W = TypeVar("W", bound=WireModel)


async def parse_and_admit(
    http: Request,
    runtime: Runtime,
    caller: Caller,
    came: IncomingCall[W],
    parse: Callable[[W], R | RefusedRequest | Refusal],
) -> R:
    """Admit a call and give its request; a refusal is logged if it names an enterprise, and raised."""
    parsed = came.parsed if isinstance(came.parsed, Refusal) else parse(came.parsed)
    uscc = None if isinstance(parsed, Refusal) else parsed.uscc
    await check_limits(http, runtime, caller, uscc=uscc, key=came.key)
    if isinstance(parsed, RefusedRequest):
        await log_refusal(runtime.hot, parsed.disclosure(caller, runtime.now()))
        parsed = parsed.refusal
    return raise_if_refused(parsed)


async def answer_until_committed(
    runtime: Runtime,
    caller: Caller,
    request: EnterpriseRequest,
    attempt: Callable[[datetime], Awaitable[str | Refusal | None]],
) -> str | Refusal:
    """Repeat `attempt` while it gives `None` (the state has changed): the answer or a logged refusal."""
    for _ in range(MAX_ATTEMPTS):
        now = runtime.now()
        answer = await attempt(now)
        if isinstance(answer, Refusal):
            await log_refusal(runtime.hot, request.refused(answer).disclosure(caller, now))
        if answer is not None:
            return answer
    return Refusal(TemporarilyUnavailableError, retry_after=1)


def answer_store(runtime: Runtime, caller: Caller, request: EnterpriseRequest) -> AnswerStore:
    """The stored answers to this caller about this enterprise."""
    return AnswerStore(vault=runtime.vault, uscc=request.uscc, client_id=caller.client_id)


def finalise_disclosure(
    runtime: Runtime, disclosure: Disclosure, document: dict[str, Any]
) -> tuple[Disclosure, bytes]:
    """Add `log_promise` to an answer; its disclosure with the result digest, and the leaf's salt."""
    disclosure, salt = replace(disclosure, result_digest=result_digest(document)), new_salt()
    document["log_promise"] = log_promise(
        leaf_hash(disclosure, salt),
        runtime.settings.issuer,
        format_time(merge_deadline(disclosure.at)),
    )
    return disclosure, salt
