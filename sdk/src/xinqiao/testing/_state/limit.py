"""Limit of the fake gateway's client: calls a minute by GCRA, with the `RateLimit` headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

_WINDOW: Final = 60.0
_ROUNDING: Final = 1e-6


@dataclass(slots=True, kw_only=True)
class FakeLimit:
    """A quota of calls a minute, or none; it fills up again steadily."""

    per_minute: int | None
    full_at: float = 0.0
    """When the quota is full again."""
    refused: tuple[float, float] | None = None
    """When a call was refused last, and when it would have fitted."""

    def report(self, now: float) -> dict[str, Any]:
        """The answer of `GET /v1/limits`: of the client's calls a minute alone."""
        told: dict[str, Any] = {"as_of": _time(now), "limits": []}
        if self.per_minute is not None:
            interval, until_full = _WINDOW / self.per_minute, max(self.full_at - now, 0.0)
            remaining = int((_WINDOW - until_full) / interval + _ROUNDING)
            more = until_full - _WINDOW + (remaining + 1) * interval if until_full else 0.0
            limit = {
                "limit": "client",
                "per": "client",
                "quota": self.per_minute,
                "window_seconds": int(_WINDOW),
                "remaining": max(remaining, 0),
                "refill_seconds": ceil(more - _ROUNDING),
                "reset_seconds": ceil(until_full - _ROUNDING),
            }
            told["limits"].append(limit)
        if self.refused is not None:
            refused, fits = map(_time, self.refused)
            told["last_refusal"] = {"limit": "client", "refused_at": refused, "fits_at": fits}
        return told

    def charge(self, now: float) -> tuple[int | None, dict[str, str]]:
        """Count one call: seconds to wait where it does not fit, and the headers of its answer."""
        if self.per_minute is None:
            return None, {}
        interval = _WINDOW / self.per_minute
        until_full = max(self.full_at - now, 0.0)
        wait = until_full + interval - _WINDOW
        fits = wait <= _ROUNDING
        if fits:
            until_full += interval
            self.full_at = now + until_full
        remaining = int((_WINDOW - until_full) / interval + _ROUNDING)
        until_more = until_full - _WINDOW + (remaining + 1) * interval if until_full else 0.0
        headers = {
            "RateLimit-Policy": f'"client";q={self.per_minute};w={_WINDOW:.0f}',
            "RateLimit": f'"client";r={remaining};t={ceil(until_more - _ROUNDING)}',
        }
        if fits:
            return None, headers
        self.refused = now, now + ceil(wait)
        return ceil(wait), headers


def _time(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat()
