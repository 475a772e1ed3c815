"""A flow never does I/O: it yields a step, and its driver sends back the step's outcome."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import httpx2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request; the outcome is a response whose body has been read."""

    request: httpx2.Request


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds; the outcome is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """Run this flow while no other flow of the same client runs alone; the outcome is its result.

    Flows that run alone never ask to run another alone.
    """

    flow: Flow[Any]


Step: TypeAlias = Send | Pause | Alone
Flow: TypeAlias = Generator[Step, Any, T]


def send(request: httpx2.Request) -> Flow[httpx2.Response]:
    """Send a request."""
    return cast("httpx2.Response", (yield Send(request)))


def pause(seconds: float) -> Flow[None]:
    """Wait."""
    yield Pause(seconds)


def alone(flow: Flow[T]) -> Flow[T]:
    """Run a flow while no other runs alone."""
    return cast("T", (yield Alone(flow)))
