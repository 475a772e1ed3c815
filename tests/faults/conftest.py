"""What the faults' tests share."""

from tests.two_workers import redis, workers

__all__ = ["redis", "workers"]
