"""The one way in which the limiter fails: closed, without a count and without an answer."""

from gateway.db.unavailable import UnavailableError


class LimiterUnavailableError(UnavailableError):
    """The gateway cannot count calls right now; try again shortly."""
