"""A method made from a flow shows itself in `help()` as what it is, not as the flow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

MethodT = TypeVar("MethodT", bound=Callable[..., Any])


def face_of(flow: Callable[..., Any], returns: str | None = None) -> Callable[[MethodT], MethodT]:
    """Give a method the name, docstring and parameters of its flow; `returns` names its result."""
    of_flow = inspect.signature(flow)
    session, *parameters = of_flow.parameters.values()
    myself = session.replace(name="self", annotation=inspect.Parameter.empty)
    result = returns or of_flow.return_annotation.removeprefix("Flow[").removesuffix("]")

    def dress(method: MethodT) -> MethodT:
        update_wrapper(method, flow)
        shown = of_flow.replace(parameters=[myself, *parameters], return_annotation=result)
        vars(method)["__signature__"] = shown
        return method

    return dress
