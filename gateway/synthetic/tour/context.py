"""Shared context of the tour steps: clients, results so far, output, and failure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from gateway.synthetic.demo.seed import Kit
from xinqiao import AsyncClient, ConsentGrant, Evidence

BY_PLATFORM: Final = "merchant_onboarding"
BY_BANK: Final = "loan_approval"


class TourFailedError(Exception):
    """A step did not have the expected result."""


@dataclass(slots=True)
class TourContext:
    """The demo's folder and clients, the consent granted, the latest evidence, and the console."""

    kit: Kit
    folder: Path
    console: Console
    bank: AsyncClient
    platform: AsyncClient
    department: AsyncClient
    signed: int = 0
    merchant: str | None = None
    """One of whom every question of the review was answered yes."""
    grant: ConsentGrant | None = None
    query_id: str | None = None
    """Of the bank's query under that consent."""
    evidence: Evidence | None = None

    def subject(self, *traits: str) -> dict[str, Any]:
        """The kit's first subject with all these traits."""
        fitting = (s for s in self.kit["subjects"] if set(traits) <= set(s["traits"]))
        return next(fitting)

    @property
    def granted(self) -> ConsentGrant:
        """The consent granted to the bank."""
        if self.grant is None:
            raise TourFailedError("There is no consent.")
        return self.grant

    def count_signed(self, evidence: Evidence) -> None:
        """Count an answer whose signature the SDK has verified."""
        self.signed += 1
        self.evidence = evidence

    def print_line(self, text: str) -> None:
        """Print a line below the step's title."""
        self.console.print(Padding(Text.from_markup(text), (0, 0, 0, 4)))


def require(holds: object, otherwise: str) -> None:
    """Fail the tour unless `holds` is true."""
    if not holds:
        raise TourFailedError(f"The tour expected something else: {otherwise}.")
