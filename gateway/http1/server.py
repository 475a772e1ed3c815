"""Uvicorn options of the gateway, the same for `serve`, the demo and tests."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.http1.protocol import Http1Protocol

MAX_CONNECTIONS: Final = 2_000  # per worker; more are answered 503
# Longer than clients and proxies keep an idle connection, so that they close it and no call is lost.
KEEP_ALIVE_SECONDS: Final = 75

SERVER_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "loop": "uvloop",
        "http": Http1Protocol,
        "ws": "none",
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "limit_concurrency": MAX_CONNECTIONS,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    }
)
