"""A file's rows, whatever its format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gateway.creditfile.intake.columns import Form, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows as they stand in the file, and their form: to pass over rows costs little."""

    items: Iterator[Any]
    form: Form
    skip: Callable[[int], int] | None = None
    """Passes over so many rows, if there is a quicker way than to take them; how many there were."""

    def __iter__(self) -> Iterator[Row]:
        return map(self.form.read, self.items)

    def pass_over(self, count: int) -> int:
        """Pass over so many rows; how many there were."""
        if self.skip is not None:
            return self.skip(count)
        return sum(1 for _ in islice(self.items, count))
