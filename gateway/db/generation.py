"""Generation of database sessions, shared by the pools of one worker.

Sessions that were opened while their server was read-only stay so, and behind a proxy they stay with a
server that is no primary any more. The first error that says so ends the generation: every session
opened before is replaced when it is next taken from its pool.
"""

from dataclasses import dataclass

from gateway.db.unavailable import makes_unfit


@dataclass(slots=True)
class SessionGeneration:
    """The number of the present generation."""

    number: int = 0

    def note(self, error: BaseException) -> None:
        """End the generation if `error` makes its sessions unfit."""
        if makes_unfit(error):
            self.number += 1
