"""Deadline of a call: when it passes, the work is cancelled and the call answered 503.

The time in which the client sends its body does not count; reading a body has its own bound. Each part
received or sent renews the deadline, so that an upload or a stream may be long as a whole.

A cancelled statement may have committed: then it stands in the log without an answer, and the same call
with its `Idempotency-Key` gets the stored answer.
"""

import asyncio
from types import TracebackType
from typing import Self

from starlette.requests import Request
from starlette.types import Message, Receive

DEADLINE = "deadline"


class Deadline:
    """A block with one call's deadline, `seconds` after its last renewal.

    Renewing only notes the new time: a single timer of the event loop finds out, and goes on waiting.
    """

    __slots__ = ("_beyond", "_loop", "_seconds", "_timeout", "_timer", "arrived", "due")

    due: float | None
    """The event loop's time at which it passes; `None` while it stands still."""

    arrived: float
    """The event loop's time at which the whole request was there."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._beyond = 0.0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        await self._timeout.__aenter__()
        self.renew()
        self.arrived = self._loop.time()
        self._timer = self._loop.call_at(self._loop.time() + self._seconds, self._watch)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def renew(self) -> None:
        """Restart the time from now."""
        self.due = self._loop.time() + self._seconds + self._beyond

    def since_arrival(self) -> float:
        """Seconds since the whole request was there."""
        return self._loop.time() - self.arrived

    def allow(self, seconds: float) -> None:
        """Add `seconds` to the time, now and at each renewal."""
        self._beyond = seconds
        self.renew()

    def receiving(self, receive: Receive) -> Receive:
        """`receive`, with the deadline suspended until the body has arrived."""
        has_arrived = False

        async def received() -> Message:
            nonlocal has_arrived
            if has_arrived:  # only a disconnect can follow
                return await receive()
            self.due = None
            message = await receive()
            has_arrived = not message.get("more_body", False)
            self.renew()
            self.arrived = self._loop.time()
            return message

        return received

    def _watch(self) -> None:
        """Cancel the call if its deadline has passed, or look again when it may have."""
        now = self._loop.time()
        if self.due is None or now < self.due:
            self._timer = self._loop.call_at(self.due or now + self._seconds, self._watch)
        else:
            self._timeout.reschedule(now)


def extend_deadline(request: Request, seconds: float) -> None:
    """Extend a call's deadline, for a long poll."""
    deadline: Deadline | None = getattr(request.state, DEADLINE, None)
    if deadline is not None:
        deadline.allow(seconds)
