"""On-screen enterprise codes: sealed addresses of an enterprise that last a minute, for one viewer. Pure.

A token is base32 of 40 bytes: the USCC (12), the second at which it was made (4), a nonce (8) and the
first half of an HMAC-SHA-256 over these (16).
"""

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.codes.ids import symbol_url

LIFE: Final = timedelta(seconds=60)
NONCE_BYTES: Final = 8
PATH: Final = "/S/"
_USCC_BYTES: Final = 12
_USCC_LENGTH: Final = 18
_TIME_BYTES: Final = 4
_SEAL_BYTES: Final = 16
_PLAIN_BYTES: Final = _USCC_BYTES + _TIME_BYTES + NONCE_BYTES
_TOKEN: Final = re.compile(r"[A-Z2-7]{64}", re.ASCII)
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Sealer = Callable[[bytes], bytes]
"""A keyed digest of at least 16 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenCode:
    """The content of a genuine token."""

    uscc: str
    made_at: datetime
    nonce: str

    @property
    def expires_at(self) -> datetime:
        """The first moment at which it is no longer valid."""
        return self.made_at + LIFE


def screen_token(uscc: str, *, now: datetime, nonce: bytes, sealer: Sealer) -> str:
    """The token that shows `uscc` from `now` on; 64 characters."""
    plain = (
        int(uscc, 36).to_bytes(_USCC_BYTES)
        + int(now.timestamp()).to_bytes(_TIME_BYTES)
        + nonce[:NONCE_BYTES]
    )
    return b32encode(plain + sealer(plain)[:_SEAL_BYTES]).decode()


def parse_screen_token(written: str, *, sealer: Sealer) -> ScreenCode | None:
    """The content of a token in any case; `None` if it is malformed or not ours."""
    token = written.upper()
    if not _TOKEN.fullmatch(token):
        return None
    whole = b32decode(token)
    plain, seal = whole[:_PLAIN_BYTES], whole[_PLAIN_BYTES:]
    if not hmac.compare_digest(sealer(plain)[:_SEAL_BYTES], seal):
        return None
    seconds = int.from_bytes(plain[_USCC_BYTES : _USCC_BYTES + _TIME_BYTES])
    return ScreenCode(
        uscc=_uscc_of(int.from_bytes(plain[:_USCC_BYTES])),
        made_at=datetime.fromtimestamp(seconds, UTC),
        nonce=plain[_USCC_BYTES + _TIME_BYTES :].hex(),
    )


def view_key(shown: ScreenCode, *, sealer: Sealer) -> str:
    """The key in the first viewer's links, which open the page again while the token lives."""
    return sealer(bytes.fromhex(shown.nonce))[:_SEAL_BYTES].hex()


def screen_url(issuer: str, token: str) -> str:
    """The address in the symbol on the screen."""
    return symbol_url(issuer, f"{PATH}{token}")


def _uscc_of(number: int) -> str:
    digits = []
    for _ in range(_USCC_LENGTH):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
