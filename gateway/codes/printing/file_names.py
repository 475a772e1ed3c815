"""File names of downloads: the shop's sign and the format, without what no file system takes."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

_MAX_SIGN: Final = 40
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|%\s.]+')
_CATEGORIES: Final = ("C", "Zl", "Zp")
"""Unicode categories left out: controls, bidirectional marks, private use, line separators."""


def file_name(sign: str, piece: str, ending: str) -> str:
    """As 企业码-云栖小店-a6.pdf; the sign is cut after 40 characters."""
    seen = "".join(c for c in sign if not unicodedata.category(c).startswith(_CATEGORIES))
    plain = _UNSAFE.sub("_", unicodedata.normalize("NFC", seen))[:_MAX_SIGN].strip("_-")
    return f"企业码-{plain or '店'}-{piece}.{ending}"


def attachment(name: str, fallback: str) -> str:
    """A `Content-Disposition` with the name (RFC 6266, RFC 8187), and one in ASCII for old clients."""
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"
