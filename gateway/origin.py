"""Origins (RFC 6454) as clients and browsers compare them: lower case, no default port. Pure."""

import re
from typing import Final

_ORIGIN: Final = re.compile(r"(https?)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_plain_origin(text: str) -> bool:
    """True for scheme, host and port alone, as a browser would write them."""
    found = _ORIGIN.fullmatch(text)
    if found is None or found[2] is None:
        return found is not None
    port = int(found[2])
    return port < 1 << 16 and port != _DEFAULT_PORTS[found[1]]
