"""Retry policy: exponential backoff with full jitter, `Retry-After`, a deadline. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil, inf
from typing import TypeAlias

from xinqiao.errors import (
    CertificateUntrusted,
    ConfigurationError,
    LimitReached,
    ServerUnavailable,
    XinqiaoError,
)

#: A random number between its two arguments.
RandomBetween: TypeAlias = Callable[[float, float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Limits of automatic retries. All times in seconds.

    `retries` tries follow the first one at most; none begins when `deadline` seconds have passed
    since the first. The wait before try n is random in 0 … min(`longest`, `base`·2ⁿ), after
    whatever `Retry-After` asks for.

    `total` bounds a whole call, tokens and tries included, for code that somebody waits for:
    `RetryPolicy(retries=1, total=3)`. Each request then waits for the network no longer than what is
    left, and none begins after it (`TimedOut`, or `AnswerLost` if the call was sent). A call that the
    gateway holds, as `await_decision` and followed changes, has the time of its wait on top.
    """

    retries: int = 3
    deadline: float = 30.0
    base: float = 0.25
    longest: float = 8.0
    total: float | None = None

    def __post_init__(self) -> None:
        """Refuse negative values, and a total that leaves no time."""
        if min(self.retries, self.deadline, self.base, self.longest) < 0:
            raise ConfigurationError("No part of a retry policy can be negative.")
        if self.total is not None and not 0 < self.total < inf:
            raise ConfigurationError("The total of a retry policy is a number of seconds above 0.")

    def wait(
        self, tried: int, error: XinqiaoError, *, elapsed: float, chance: RandomBetween
    ) -> float | None:
        """Seconds to wait after `tried` failed retries, or None to give up."""
        if tried >= self.retries:
            return None
        spread = chance(0.0, min(self.longest, self.base * 2.0**tried))
        delay = spread + (error.retry_after or 0)
        end = self.deadline if self.total is None else min(self.deadline, self.total)
        return delay if elapsed + delay < end else None


def may_repeat(error: XinqiaoError, *, idempotent: bool, once: bool = False) -> bool:
    """True if a call that failed with this error may be sent again; `once`: not after any answer."""
    if isinstance(error, CertificateUntrusted) or (once and error.status is not None):
        return False
    if isinstance(error, ServerUnavailable):
        return idempotent or not error.may_have_arrived
    return isinstance(error, LimitReached)


def parse_retry_after(value: str | None, *, now: float) -> int | None:
    """Read a `Retry-After` field, seconds or an HTTP date (RFC 9110, section 10.2.3), as whole seconds."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        when = parsedate_to_datetime(text)
        moment = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0, ceil(moment - now))


def utc_time(now: float) -> datetime:
    """Aware UTC datetime of a POSIX timestamp."""
    return datetime.fromtimestamp(now, UTC)
