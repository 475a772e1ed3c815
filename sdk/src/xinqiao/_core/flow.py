"""Flows: sans-IO generators that yield a step and are sent its outcome by their driver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import httpx2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Step: send this request. Outcome: a response whose body has been read."""

    request: httpx2.Request


@dataclass(frozen=True, slots=True)
class Pause:
    """Step: wait so many seconds. Outcome: None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Step: run this flow under the client's lock. Outcome: the flow's result.

    The lock is not reentrant: such a flow yields no `Exclusive` itself.
    """

    flow: Flow[Any]


@dataclass(frozen=True, slots=True)
class Invoke:
    """Step: call this function of the caller's, which may block or be awaited. Outcome: its result."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class OpenedAnswer:
    """An answer with its body as it comes: an iterator over its parts, in the client's own fashion.

    The body of an answer that is no success has been read.
    """

    response: httpx2.Response
    parts: Any


@dataclass(frozen=True, slots=True)
class Open:
    """Step: send this request. Outcome: an `OpenedAnswer`, to be closed."""

    request: httpx2.Request


@dataclass(frozen=True, slots=True)
class ReadPart:
    """Step: read the next part of the body. Outcome: bytes, or None at its end."""

    answer: OpenedAnswer


@dataclass(frozen=True, slots=True)
class Close:
    """Step: close the answer, read or not. Outcome: None."""

    answer: OpenedAnswer


Step: TypeAlias = Send | Pause | Exclusive | Invoke | Open | ReadPart | Close
Flow: TypeAlias = Generator[Step, Any, T]


def send(request: httpx2.Request) -> Flow[httpx2.Response]:
    """Send a request."""
    return cast("httpx2.Response", (yield Send(request)))


def pause(seconds: float) -> Flow[None]:
    """Wait."""
    yield Pause(seconds)


def exclusive(flow: Flow[T]) -> Flow[T]:
    """Run a flow under the client's lock."""
    return cast("T", (yield Exclusive(flow)))


def invoke(function: Callable[[], T | Awaitable[T]]) -> Flow[T]:
    """Call a function of the caller's."""
    return cast("T", (yield Invoke(function)))


def open_answer(request: httpx2.Request) -> Flow[OpenedAnswer]:
    """Send a request, and leave the body of a success unread."""
    return cast("OpenedAnswer", (yield Open(request)))


def read_part(answer: OpenedAnswer) -> Flow[bytes | None]:
    """Read the next part of a body."""
    return cast("bytes | None", (yield ReadPart(answer)))


def close_answer(answer: OpenedAnswer) -> Flow[None]:
    """Close an answer."""
    yield Close(answer)
