"""Form tokens without a session: signed, short-lived, bound to the scanned code, good for one report.

`EXPIRES.NONCE.MAC`, the MAC over both and the code. A report's id is the token's digest, so that a form
sent twice is one report. Pure.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Final

TERM: Final = timedelta(hours=2)
NONCE_BYTES: Final = 12
_TOKEN: Final = re.compile(r"(\d{10,12})\.([0-9a-f]{24})\.([0-9a-f]{64})", re.ASCII)


def form_token(key: bytes, code: str, nonce: bytes, *, now: datetime) -> str:
    """A token for a form about `code`; `nonce` is random."""
    expires = str(int((now + TERM).timestamp()))
    return f"{expires}.{nonce.hex()}.{_mac(key, expires, nonce.hex(), code)}"


def report_id_of(key: bytes, token: str, code: str, *, now: datetime) -> str | None:
    """The id of the report that a form with this token makes; `None` if the token is not valid."""
    found = _TOKEN.fullmatch(token)
    if found is None or not hmac.compare_digest(found[3], _mac(key, found[1], found[2], code)):
        return None
    if int(found[1]) < now.timestamp():
        return None
    return f"rpt_{hashlib.sha256(token.encode()).hexdigest()[:32]}"


def _mac(key: bytes, expires: str, nonce: str, code: str) -> str:
    return hmac.new(key, f"{expires}.{nonce}.{code}".encode(), "sha256").hexdigest()
