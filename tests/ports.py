"""Ports for servers that tests start as processes of their own."""

import secrets
import socket
from contextlib import suppress
from typing import Final

LOWEST: Final = 15_000
MOST: Final = 15_000
"""All below the ports that the system gives to outgoing connections: none takes it meanwhile."""


def free_port() -> int:
    """A loopback port that nobody listens on."""
    while True:
        port = LOWEST + secrets.randbelow(MOST)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
