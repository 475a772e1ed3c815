"""What all steps of the tour share: who plays, what they hold, and how a step fails."""

from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from gateway.synthetic.seed_demo import Kit
from xinqiao import AsyncClient, ConsentGrant, Evidence

BY_PLATFORM: Final = "merchant_onboarding"
BY_BANK: Final = "loan_approval"


class TourFailedError(Exception):
    """A step did not end as it must."""


@dataclass(slots=True)
class TourContext:
    """Who plays, what they hold, and where they speak."""

    kit: Kit
    console: Console
    bank: AsyncClient
    platform: AsyncClient
    department: AsyncClient
    signed: int = 0
    grant: ConsentGrant | None = None
    evidence: Evidence | None = None

    def subject(self, *traits: str) -> dict[str, Any]:
        """The first subject of the kit that has all these traits."""
        fitting = (s for s in self.kit["subjects"] if set(traits) <= set(s["traits"]))
        return next(fitting)

    @property
    def held(self) -> ConsentGrant:
        """What the enterprise has granted to the bank."""
        if self.grant is None:
            raise TourFailedError("There is no consent.")
        return self.grant

    def saw(self, evidence: Evidence) -> None:
        """One more answer whose signature the SDK has verified."""
        self.signed += 1
        self.evidence = evidence

    def say(self, text: str) -> None:
        """A line below a step's title."""
        self.console.print(Padding(Text.from_markup(text), (0, 0, 0, 4)))


def require(holds: object, otherwise: str) -> None:
    """End the tour unless it holds."""
    if not holds:
        raise TourFailedError(f"The tour expected something else: {otherwise}.")
