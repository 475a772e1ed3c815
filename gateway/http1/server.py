"""The options with which uvicorn serves the gateway: the same for `serve`, the demo and tests."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.http1.protocol import Http1Protocol

MOST_CONNECTIONS: Final = 2_000  # of one worker; more are answered 503 at once
# Seconds: longer than clients and proxies keep an idle connection, so that it is they who end it and
# no call is sent into one that is just being closed.
KEPT_OPEN: Final = 75

OPTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "loop": "uvloop",
        "http": Http1Protocol,
        "ws": "none",
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "limit_concurrency": MOST_CONNECTIONS,
        "timeout_keep_alive": KEPT_OPEN,
    }
)
