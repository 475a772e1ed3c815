"""Long polling (`wait`): reading again until there is something or the time is over, by the clock."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def poll(
    read: Callable[[], Awaitable[T]], *, until: Callable[[T], bool], wait: float, every: float
) -> T:
    """The first result for which `until` holds, or the last after `wait` seconds, reading included.

    `wait` and `every` in seconds; it is read once at least, and `every` seconds after each read.
    """
    clock = asyncio.get_running_loop()
    ends = clock.time() + wait
    while True:
        found = await read()
        left = ends - clock.time()
        if left <= 0 or until(found):
            return found
        await asyncio.sleep(min(every, left))
