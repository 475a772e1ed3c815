"""Canonical paths (RFC 3986): a path that normalisation would change is refused. Pure.

A second spelling would bypass a proxy's rule, a quota or a cache. Percent-encoded UTF-8 is data and
passes, with hexadecimal digits in either case.
"""

import re
import unicodedata
from typing import Final

# RFC 3986 §3.3: segments of pchar, none of them empty but the last, none of them `.` or `..`.
WELL_FORMED: Final = re.compile(
    rb"(?:/(?!\.{1,2}(?:/|\Z))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?"
)
ENCODED: Final = re.compile(rb"%(..)")
UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
BACKSLASH: Final = ord("\\")
ENCODED_SLASH: Final = re.compile(rb"%2f", re.IGNORECASE)


def path_problem(path: bytes) -> str | None:
    """A sentence on why `path`, as sent, is not canonical; `None` if it is."""
    if not path.startswith(b"/") or not WELL_FORMED.fullmatch(path):
        return (
            "The path holds what must be percent-encoded, a percent sign without two hexadecimal "
            "digits, an empty segment, or a segment that is `.` or `..`."
        )
    encoded = bytes(int(digits, 16) for digits in ENCODED.findall(path))
    if any(octet in UNRESERVED or octet == BACKSLASH for octet in encoded):
        return "The path percent-encodes a letter, a digit or one of - . _ ~, or has a backslash."
    if encoded and not _is_text(path):
        return "The path percent-encodes a control character, or what is not UTF-8."
    return None


def has_encoded_slash(path: bytes) -> bool:
    """True where a segment of `path` holds an encoded slash, which no path here does."""
    return ENCODED_SLASH.search(path) is not None


def _is_text(path: bytes) -> bool:
    octets = ENCODED.sub(lambda found: bytes([int(found[1], 16)]), path)
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(character) == "Cc" for character in text)
