"""The one way in which the limiter fails: closed, without a count and without an answer."""


class LimiterUnavailableError(Exception):
    """The gateway cannot count calls right now; try again shortly."""
