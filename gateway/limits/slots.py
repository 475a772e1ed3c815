"""Slots of long calls in one worker: at most so many at once, and so many of one client. Pure."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class NoSlotError(Exception):
    """All slots are taken."""


@dataclass(slots=True, kw_only=True)
class Slots:
    """The slots of one worker. Who has one waits for its `turn` before each piece of its work."""

    most: int
    most_of_one: int
    turns: int
    _taken: Counter[str] = field(default_factory=Counter)
    _turn: asyncio.Semaphore | None = None

    @property
    def turn(self) -> asyncio.Semaphore:
        """Turns of work, given in the order in which they were asked for."""
        if self._turn is None:
            self._turn = asyncio.Semaphore(self.turns)
        return self._turn

    @contextmanager
    def taken(self, client_id: str) -> Iterator[None]:
        """A slot inside the block; `NoSlotError` where none is free for this client."""
        if self._taken.total() >= self.most or self._taken[client_id] >= self.most_of_one:
            raise NoSlotError
        self._taken[client_id] += 1
        try:
            yield
        finally:
            self._taken[client_id] -= 1
            self._taken += Counter()  # without the zeros
