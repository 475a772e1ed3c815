"""The limiter's error: without a count it fails closed."""

from gateway.db.unavailable import UnavailableError


class LimiterUnavailableError(UnavailableError):
    """The gateway cannot count calls right now; try again shortly."""
