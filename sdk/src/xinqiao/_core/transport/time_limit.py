"""Time limit of a whole flow: what is left of it bounds each request and pause.

Nobody can interrupt a blocking call, so that the network's timeouts are set to what is left when a request
begins: one that connects slowly and then answers slowly may take twice that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from xinqiao._core.flow import Exclusive, Pause, Send
from xinqiao.errors import TimedOut

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow, Step
    from xinqiao._core.session import Session

T = TypeVar("T")
_PHASES = ("connect", "read", "write", "pool")


def within(flow: Flow[T], session: Session, *, seconds: float) -> Flow[T]:
    """Run a flow for so many seconds at most; no request begins after them."""
    return _until(flow, session, session.world.ticks() + seconds)


def _until(flow: Flow[T], session: Session, end: float) -> Flow[T]:
    try:
        step = next(flow)
        while True:
            try:
                outcome = yield _bounded(step, session, end)
            except Exception as error:  # noqa: BLE001 - the flow decides what an error means
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _bounded(step: Step, session: Session, end: float) -> Step:
    left = end - session.world.ticks()
    match step:
        case Send(request):
            if left <= 0:
                over = TimedOut("The time for the whole call (`RetryPolicy.total`) is over.")
                over.may_have_arrived = False
                raise over
            own = request.extensions.get("timeout") or dict.fromkeys(
                _PHASES, session.settings.timeout
            )
            bounded = {
                name: left if given is None else min(given, left) for name, given in own.items()
            }
            request.extensions = {**request.extensions, "timeout": bounded}
            return step
        case Pause(seconds):
            return Pause(max(0.0, min(seconds, left)))
        case Exclusive(inner):
            return Exclusive(_until(inner, session, end))
        case _:
            return step
