"""Outcome of a disclosure item by item, for the enterprise's access history (R10).

Only a chosen band is stored as a question's value, never an asserted text: it may be about somebody else.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self


class DisclosedItem(NamedTuple):
    """A question with its band and answer, or a dataset with the records told; or why it was withheld."""

    code: str
    """The question's tag or the dataset's code."""
    value: str | None = None
    answer: str | None = None
    records: int | None = None
    withheld: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The members that apply."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """An item as stored."""
        return cls(**stored)
