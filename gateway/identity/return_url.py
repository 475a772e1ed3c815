"""The address to return to after sign-in: a page of the portal only (no open redirect)."""

import re
from typing import Final

HOME: Final = "/portal"
SIGN_IN_RETURN: Final = "/portal/sign-in/return"
"""The page that an identity provider sends the browser back to."""
LONGEST_RETURN_URL: Final = 512

# A path below /portal with a query; no second slash, backslash, control character or encoded slash,
# which a browser could read as another host.
_PORTAL: Final = re.compile(r"/portal(/[A-Za-z0-9_\-.~]+)*(\?[A-Za-z0-9_\-.~=&%+:]*)?")


def safe_return(wanted: str) -> str:
    """`wanted` if it is a page of the portal, else the portal's start page."""
    fits = len(wanted) <= LONGEST_RETURN_URL and _PORTAL.fullmatch(wanted) and "/.." not in wanted
    loops = wanted.startswith("/portal/sign-")
    return wanted if fits and not loops else HOME
