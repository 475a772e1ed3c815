"""Response of a batch: opens it under its key, and sends the answers as they are made."""

from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from gateway.access.authentication import Caller
from gateway.access.client_status import (
    client_status_of,
    current_agreement,
    require_agreement,
    submit_client_status,
)
from gateway.access.errors import (
    IdempotencyConflictError,
    RateLimitedError,
    Refusal,
)
from gateway.access.http.content_digest import ContentDigest
from gateway.access.request_signature import keep_signed
from gateway.clients.agreements import Agreement
from gateway.limits.slots import NoSlotError
from gateway.runtime import Runtime
from gateway.verifications.batch import store
from gateway.verifications.batch.answer_lines import LineAnswerer
from gateway.verifications.batch.hold import holding
from gateway.verifications.batch.line_source import LineSource
from gateway.verifications.batch.service import BatchRun
from gateway.verifications.batch.store import OpenBatch, UnderWay
from gateway.verifications.batch.stream_sender import StreamSender

NDJSON: Final = "application/x-ndjson"
BUSY_SECONDS: Final = 5
UNDER_WAY: Final = (
    "Another call is answering this batch; under its key it goes on once that has ended."
)
UNDER_WAY_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCall:
    """An admitted call of a batch."""

    request: Request
    runtime: Runtime
    caller: Caller
    key: str | None
    declared: ContentDigest | None

    async def agreement(self) -> Agreement | Refusal:
        """The client's agreement, read now."""
        row = await submit_client_status(self.runtime.hot, self.caller)
        return current_agreement(client_status_of(row), self.caller, self.runtime.now())


class BatchResponse(Response):
    """Answers a batch as it is sent."""

    def __init__(self, call: BatchCall) -> None:
        super().__init__(media_type=NDJSON, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Send the answers."""
        try:
            with self._call.runtime.batch_slots.taken(self._call.caller.client_id):
                await self._answer(scope, send)
        except NoSlotError:
            raise RateLimitedError(
                "As many batches as there may be are under way already; wait for one to end.",
                retry_after=BUSY_SECONDS,
            ) from None

    async def _answer(self, scope: Scope, send: Send) -> None:
        call = self._call
        await require_agreement(call.runtime, call.caller)
        declared = None if call.declared is None else call.declared.sha256
        if declared is not None:
            declared = call.runtime.digests.of("request", declared)
        batch = await store.open_batch(
            call.runtime.hot, call.caller.client_id, call.key, declared, call.runtime.now()
        )
        if isinstance(batch, UnderWay):
            raise RateLimitedError(UNDER_WAY, retry_after=UNDER_WAY_SECONDS)
        async with nullcontext() if call.key is None else holding(call.runtime.hot, batch):
            await self._answer_held(scope, send, batch, declared)

    async def _answer_held(
        self, scope: Scope, send: Send, batch: OpenBatch, declared: bytes | None
    ) -> None:
        call = self._call
        if None not in {declared, batch.declared_digest} and declared != batch.declared_digest:
            raise IdempotencyConflictError
        source = LineSource(call.request, call.declared)
        answerer = LineAnswerer(
            runtime=call.runtime,
            caller=call.caller,
            name=None if call.key is None else batch.batch_id,  # without a key it cannot be resumed
            agreement=call.agreement,
            again=batch.again,
        )
        run = BatchRun(
            runtime=call.runtime,
            batch=batch,
            source=source,
            answerer=answerer,
            is_keyed=call.key is not None,
        )
        sender = StreamSender(
            scope=scope,
            send=send,
            headers=self.raw_headers,
            source=source,
            patience=call.runtime.settings.request_timeout,
        )
        async with source.reading(), aclosing(run.chunks()) as chunks:
            if call.caller.signature is not None:
                await source.arrive()
                await keep_signed(
                    call.request, call.runtime,
                    client_id=call.caller.client_id, subject_id=batch.batch_id,
                )  # fmt: skip
            await sender.send_all(chunks)
