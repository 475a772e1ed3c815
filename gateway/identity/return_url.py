"""After sign-in a person goes back to a page of the portal, and to nowhere else."""

import re
from typing import Final

HOME: Final = "/portal"
LONGEST: Final = 512

# A path below /portal with what a path and a query may hold; no second slash, no backslash, no
# control character, no encoded slash: nothing that a browser could read as another host.
_PORTAL: Final = re.compile(r"/portal(/[A-Za-z0-9_\-.~]+)*(\?[A-Za-z0-9_\-.~=&%+:]*)?")


def safe_return(wanted: str) -> str:
    """Give `wanted` if it is a page of the portal, else the portal's start page."""
    fits = len(wanted) <= LONGEST and _PORTAL.fullmatch(wanted) and "/.." not in wanted
    loops = wanted.startswith("/portal/sign-")
    return wanted if fits and not loops else HOME
