"""A set of lines after an attempt: answers, lines left for later, and what they wait for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.access.errors import QuotaExhaustedError, RateLimitedError
from gateway.verifications.batch.answer_lines import AnsweredLine
from gateway.verifications.jobs.lifecycle import PauseReason

MIN_WAIT: Final = 5
"""Seconds for which a quota is waited for at least, so that some lines fit."""
MAX_FAULTS: Final = 3
"""Attempts after which a line that fails by itself is answered with its fault."""
_QUOTAS: Final = {
    RateLimitedError.code: PauseReason.RATE_LIMITED,
    QuotaExhaustedError.code: PauseReason.QUOTA_EXHAUSTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaWait:
    """A quota that has ended, and the seconds until it fits again."""

    reason: PauseReason
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The answers of a set, empty where there is none yet; `faults` of its lines failed."""

    answers: tuple[bytes, ...]
    problems: int
    """Lines newly answered with a problem."""
    wait: QuotaWait | None = None
    faults: int = 0

    @property
    def told(self) -> int:
        """The number of answered lines."""
        return sum(1 for each in self.answers if each)

    @property
    def is_whole(self) -> bool:
        """True where every line is answered."""
        return all(self.answers)


def settle(
    before: Sequence[bytes], found: Sequence[tuple[int, AnsweredLine]], *, attempts: int
) -> Settled:
    """The set after an attempt that gave the lines at these places an answer, or none for now.

    The longest wait counts: a line that does not fit would be asked in vain before.
    """
    answers, problems, faults = list(before), 0, 0
    waits: list[QuotaWait] = []
    for place, line in found:
        document = _problem_in(line)
        wait = None if line.is_told else _wait_in(document)
        if wait is not None:
            waits.append(wait)
        elif not line.is_told and attempts < MAX_FAULTS:
            faults += 1
        else:
            answers[place] = line.text.encode()
            problems += document is not None
    return Settled(
        answers=tuple(answers),
        problems=problems,
        wait=max(waits, key=lambda each: each.seconds, default=None),
        faults=faults,
    )


def _wait_in(problem: dict[str, Any] | None) -> QuotaWait | None:
    reason = _QUOTAS.get((problem or {}).get("code", ""))
    if problem is None or reason is None:
        return None
    return QuotaWait(reason=reason, seconds=max(problem.get("retry_after", 0), MIN_WAIT))


def _problem_in(line: AnsweredLine) -> dict[str, Any] | None:
    """The problem of a line's answer, if it has one."""
    if '"problem"' not in line.text:
        return None
    found: dict[str, Any] | None = orjson.loads(line.text).get("problem")
    return found
