"""Decorator that gives a client method the name, docstring and signature of its flow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

MethodT = TypeVar("MethodT", bound=Callable[..., Any])


def copy_signature(
    flow: Callable[..., Any], returns: str | None = None
) -> Callable[[MethodT], MethodT]:
    """Copy name, docstring and parameters of a flow to a method; `returns` names its result."""
    of_flow = inspect.signature(flow)
    session, *parameters = of_flow.parameters.values()
    myself = session.replace(name="self", annotation=inspect.Parameter.empty)
    result = returns or of_flow.return_annotation.removeprefix("Flow[").removesuffix("]")

    def decorate(method: MethodT) -> MethodT:
        update_wrapper(method, flow)
        shown = of_flow.replace(parameters=[myself, *parameters], return_annotation=result)
        vars(method)["__signature__"] = shown
        return method

    return decorate
