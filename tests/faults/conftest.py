"""Fixtures of the fault tests."""

from tests.servers.two_workers import redis, workers

__all__ = ["redis", "workers"]
