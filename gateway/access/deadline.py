"""Deadline of a call: when it passes, the work is cancelled and the call answered 503.

The time in which the client sends its body does not count; reading a body has its own bound. Each part
received or sent renews the deadline, so that an upload or a stream may be long as a whole.

A cancelled statement may have committed: then it stands in the log without an answer, and the same call
with its `Idempotency-Key` gets the stored answer.
"""

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.types import Message, Receive

DEADLINE = "deadline"


class Deadline:
    """One call's deadline, `seconds` after its last renewal."""

    __slots__ = ("_beyond", "_loop", "_seconds", "_timer")

    def __init__(self, timer: asyncio.Timeout, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._beyond = 0.0
        self._timer = timer
        self.renew()

    def renew(self) -> None:
        """Restart the time from now."""
        self._move(self._loop.time() + self._seconds + self._beyond)

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
            self._move(None)
            message = await receive()
            has_arrived = not message.get("more_body", False)
            self.renew()
            return message

        return received

    def _move(self, when: float | None) -> None:
        with suppress(RuntimeError):  # it has just run out
            self._timer.reschedule(when)


def extend_deadline(request: Request, seconds: float) -> None:
    """Extend a call's deadline, for a long poll."""
    deadline: Deadline | None = getattr(request.state, DEADLINE, None)
    if deadline is not None:
        deadline.allow(seconds)
