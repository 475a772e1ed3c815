"""Numbers of reports (128 random bits, as in their addresses), and the ids under which they are stored.

Who knows a number may read the report. The database, the log and the portal's addresses have its id
alone, from which the number cannot be found; for its enterprise the number is stored encrypted.
"""

import hashlib
from base64 import b32encode
from typing import Final

from gateway.codes.ids import RANDOM_BYTES, code_id_from, parse_code_id

_PREFIX: Final = "rpt_"


def number_from(randomness: bytes) -> str:
    """The number that at least 16 random bytes determine: 26 characters of base32, upper case."""
    return code_id_from(randomness[:RANDOM_BYTES])


def parse_number(written: str) -> str:
    """A scanned or typed number in upper case; empty if malformed, which is no report's."""
    return parse_code_id(written) or ""


def report_id_of(number: str) -> str:
    """The id of the report with this number."""
    digest = hashlib.sha256(f"credit report {number}".encode()).digest()[:RANDOM_BYTES]
    return _PREFIX + b32encode(digest).decode().rstrip("=").lower()
