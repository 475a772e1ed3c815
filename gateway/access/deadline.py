"""Deadline of a call: what takes the gateway longer is answered 503, and what it was doing is cancelled.

The time in which the client sends its body does not count; whoever reads a body bounds that. Each part
that has arrived or left renews the deadline, so that an upload or a stream may be long as a whole.

A cancelled statement may have committed: then nothing was told, what it wrote stands in the log, and the
same call with its `Idempotency-Key` gets the kept answer.
"""

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.types import Message, Receive

DEADLINE = "deadline"


class Deadline:
    """The end of one call's time, `seconds` after its last renewal."""

    __slots__ = ("_beyond", "_loop", "_seconds", "_timer")

    def __init__(self, timer: asyncio.Timeout, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._beyond = 0.0
        self._timer = timer
        self.renew()

    def renew(self) -> None:
        """Let the call take its time from now on."""
        self._move(self._loop.time() + self._seconds + self._beyond)

    def allow(self, seconds: float) -> None:
        """The same, and so many seconds beyond its time, now and whenever it is renewed."""
        self._beyond = seconds
        self.renew()

    def receiving(self, receive: Receive) -> Receive:
        """`receive`, with the time stopped until the body has arrived."""
        has_arrived = False

        async def received() -> Message:
            nonlocal has_arrived
            if has_arrived:  # what is still waited for is the client's hanging up
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


def allow(request: Request, seconds: float) -> None:
    """Let a call that has to wait, as a long poll does, take so many seconds beyond its time."""
    deadline: Deadline | None = getattr(request.state, DEADLINE, None)
    if deadline is not None:
        deadline.allow(seconds)
