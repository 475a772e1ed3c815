"""Sends a batch's answers: unsigned in their header, as the last line is the signed manifest.

What goes wrong before the first answer is a problem as of any call; later it is the last line, and there
is no manifest. A client that neither sends nor reads for as long as a call may take is left.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.types import Message, Scope, Send

from gateway.access.errors import GatewayError, Refusal, TemporarilyUnavailableError
from gateway.access.http.request_middleware import STREAMED
from gateway.db.unavailable import is_unavailable, name_of
from gateway.verifications.batch.line_source import LineSource
from gateway.verifications.batch.problem_lines import batch_problem

RETRY_SECONDS: Final = 2

log = structlog.get_logger("gateway.verifications.batch")


class ClientStoppedError(Exception):
    """The client neither sends nor reads any more."""


@dataclass(slots=True, kw_only=True)
class StreamSender:
    """The sending of one batch; `patience` is in seconds."""

    scope: Scope
    send: Send
    headers: Sequence[tuple[bytes, bytes]]
    source: LineSource
    patience: float
    _has_begun: bool = False

    async def send_all(self, chunks: AsyncIterator[bytes]) -> None:
        """Send what there is, and how it ended. Raises what goes wrong before the first answer."""
        try:
            async for chunk in chunks:
                await self._send_part(chunk, more=True)
        except ClientStoppedError:
            return  # the server closes the connection
        except Exception as error:
            if not self._has_begun:
                raise
            await self._send_part(f"{batch_problem(_refusal_of(error))}\n".encode(), more=True)
        if self._has_begun and not self.source.is_cut:
            await self._send_part(b"", more=False)

    async def _send_part(self, part: bytes, *, more: bool) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.scope["state"][STREAMED] = True
            start = {"type": "http.response.start", "status": 200, "headers": list(self.headers)}
            await self._send(start)
        await self._send({"type": "http.response.body", "body": part, "more_body": more})

    async def _send(self, message: Message) -> None:
        """Send while the client reads, or still sends."""
        with self.source.sending():
            sending = asyncio.ensure_future(self.send(message))
            try:
                while not sending.done():
                    received = self.source.received
                    await asyncio.wait({sending}, timeout=self.patience)
                    if not sending.done() and received == self.source.received:
                        raise ClientStoppedError
                sending.result()
            finally:
                sending.cancel()


def _refusal_of(error: Exception) -> Refusal | None:
    """The refusal that an error stands for; `None` for a fault of the gateway's."""
    if isinstance(error, GatewayError):
        wait = error.headers.get("Retry-After")
        return Refusal(type(error), error.detail, retry_after=None if wait is None else int(wait))
    log.error("batch_ended", kind=name_of(error))
    if is_unavailable(error):
        return Refusal(TemporarilyUnavailableError, retry_after=RETRY_SECONDS)
    return None
