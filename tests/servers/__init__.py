"""Servers that tests start, as processes or on loopback."""
