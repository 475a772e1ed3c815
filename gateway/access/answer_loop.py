"""Answering a call about an enterprise, for verifications and queries: admission, attempts, refusals.

An attempt reads, decides and commits; it is repeated with a fresh read where the state has changed in
between. A refusal is logged before it is returned (R10).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson
from fastapi import Request

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller
from gateway.access.errors import Refusal, TemporarilyUnavailableError, raise_if_refused
from gateway.access.http.body import IncomingCall, WireModel
from gateway.access.refused_request import RefusedRequest
from gateway.access.request_signature import keep_signed
from gateway.access.serializers.timestamps import format_time
from gateway.disclosure.commit import (
    Committed,
    PendingDisclosure,
    Probe,
    StateChanged,
    commit,
    log_refusal,
)
from gateway.disclosure.idempotency import AnswerStore, IdempotencyKey
from gateway.disclosure.items import DisclosedItem
from gateway.disclosure.signed_requests import drop_request
from gateway.runtime import Runtime
from gateway.transparency.disclosure_leaf import (
    MERGE_SECONDS,
    Disclosure,
    DisclosureLeaf,
)

_MERGE_DELAY: Final = timedelta(seconds=MERGE_SECONDS)
MAX_ATTEMPTS: Final = 20
"""Each repetition means another commit in between; so many in a row is an outage."""


class EnterpriseRequest(Protocol):
    """A well-formed request about one enterprise."""

    @property
    def uscc(self) -> str:
        """The enterprise's code."""
        ...

    @property
    def purpose(self) -> str:
        """The purpose of the request."""
        ...

    def refused(self, refusal: Refusal) -> RefusedRequest:
        """This request with its refusal, for the log."""
        ...


R = TypeVar("R", bound=EnterpriseRequest)
W = TypeVar("W", bound=WireModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmittedCall(Generic[R]):
    """An admitted call about one enterprise; `http` is the request by which it came by itself."""

    runtime: Runtime
    caller: Caller
    request: R
    key: IdempotencyKey | None
    http: Request | None = None

    @property
    def answers(self) -> AnswerStore:
        """The stored answers to this caller about this enterprise."""
        return AnswerStore(
            vault=self.runtime.vault, uscc=self.request.uscc, client_id=self.caller.client_id
        )


async def parse_and_admit(
    http: Request,
    runtime: Runtime,
    caller: Caller,
    came: IncomingCall[W],
    parse: Callable[[W], R | RefusedRequest | Refusal],
) -> AdmittedCall[R]:
    """Admit and parse a call; a refusal is logged if it names an enterprise, and raised."""
    parsed = came.parsed if isinstance(came.parsed, Refusal) else parse(came.parsed)
    uscc = None if isinstance(parsed, Refusal) else parsed.uscc
    await admit(http, runtime, caller, uscc=uscc, key=came.key)
    if isinstance(parsed, RefusedRequest):
        await log_refusal(runtime.hot, parsed.disclosure(caller, runtime.now()))
        parsed = parsed.refusal
    return AdmittedCall(
        runtime=runtime, caller=caller, request=raise_if_refused(parsed), key=came.key, http=http
    )


async def answer_until_committed(
    call: AdmittedCall[R], attempt: Callable[[datetime], Awaitable[bytes | Refusal | None]]
) -> bytes | Refusal:
    """Repeat `attempt` while it gives `None` (the state has changed): the answer or a logged refusal."""
    for _ in range(MAX_ATTEMPTS):
        now = call.runtime.now()
        answer = await attempt(now)
        if isinstance(answer, Refusal):
            refused = call.request.refused(answer)
            await log_refusal(call.runtime.hot, refused.disclosure(call.caller, now))
        if answer is not None:
            return answer
    return Refusal(TemporarilyUnavailableError, retry_after=1)


async def commit_call(
    call: AdmittedCall[R], pending: PendingDisclosure
) -> Committed | StateChanged:
    """Commit a disclosure; a signed request is kept before, and dropped if nothing was told."""
    hot, told = call.runtime.hot, pending.disclosure
    if call.http is None or call.caller.signature is None:
        return await commit(hot, pending)
    await keep_signed(
        call.http, call.runtime,
        client_id=told.client_id, subject_id=told.disclosure_id, uscc=told.uscc,
    )  # fmt: skip
    committed = await commit(hot, pending)
    if isinstance(committed, StateChanged):
        await drop_request(hot, uscc=told.uscc, subject_id=told.disclosure_id)
    return committed


def pending_disclosure(
    call: AdmittedCall[R],
    disclosure: Disclosure,
    document: dict[str, Any],
    *,
    key: IdempotencyKey | None,
    serialize: Callable[[dict[str, Any]], bytes] = orjson.dumps,
    consent_version: int | None,
    held_version: int | None = None,
    probes: Sequence[Probe] = (),
    items: Sequence[DisclosedItem] = (),
) -> PendingDisclosure:
    """The answer `document`, ready to commit: with its `log_promise`, and encrypted under `key`.

    `disclosure` has the digest of the `document` as it comes. The promise: its leaf will be in the log by
    `merge_by`. A leaf missing then is proof against the operator.
    """
    leaf = DisclosureLeaf.of(disclosure)
    document["log_promise"] = {
        "leaf_hash": leaf.hash.hex(),
        "log": f"{call.runtime.settings.issuer}/log",
        "merge_by": format_time(disclosure.at + _MERGE_DELAY),
    }
    answer = serialize(document)
    return PendingDisclosure(
        disclosure=disclosure,
        leaf=leaf,
        consent_version=consent_version,
        held_version=held_version,
        key=key,
        answer=answer,
        sealed_answer="" if key is None else call.answers.seal(key, answer),
        probes=probes,
        items=items,
    )
