"""Free ports for servers that tests start as processes."""

import secrets
import socket
from contextlib import suppress
from typing import Final

LOWEST: Final = 15_000
MOST: Final = 15_000
"""Below the ports of outgoing connections, so that none takes it meanwhile."""


def free_port() -> int:
    """A free loopback port."""
    while True:
        port = LOWEST + secrets.randbelow(MOST)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
