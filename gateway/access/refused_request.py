"""An ask for what does not exist, or for a consent that may not be asked for, is a refused attempt on an
enterprise, and logged (R10).

Of what the caller wrote only names of the catalogues are kept: an unknown text may hold anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.access.authentication import Caller
from gateway.access.errors import GatewayError
from gateway.disclosure.ids import new_id
from gateway.transparency.log_leaf import Disclosure, LeafKind

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """What was asked about whom, as far as it is known, and the error that answers it."""

    error: GatewayError
    uscc: str
    kind: LeafKind
    purpose: str
    asked: tuple[str, ...]

    def refusal(self, caller: Caller, now: datetime) -> Disclosure:
        """The row of the log."""
        return Disclosure(
            disclosure_id=new_id("dsc"),
            uscc=self.uscc,
            client_id=caller.client_id,
            kind=self.kind,
            outcome="refused",
            reason=self.error.code,
            purpose=self.purpose,
            asked=list(self.asked),
            at=now,
        )
