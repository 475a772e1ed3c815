"""Fixtures of the fault tests."""

from tests.two_workers import redis, workers

__all__ = ["redis", "workers"]
