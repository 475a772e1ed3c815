"""National enterprise codes (the 企业码 on the business licence): addresses, and the enterprises meant.

An address is the prefix of the national platform and an identifier. The authority delivers the enterprise
of each identifier; only the identifier's digest is stored. Identifiers that can be guessed (numbers,
counters, texts made from the enterprise's USCC) are refused: they would allow enumeration.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes.guessable_identifiers import are_counted, is_derived
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement

MIN_LENGTH: Final = 20
MAX_WRITTEN: Final = 500
_BATCH: Final = 5_000
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.~%=-]{19,255}[A-Za-z0-9_~%=-]", re.ASCII)
_ORIGIN: Final = re.compile(r"https?://[^/]+", re.IGNORECASE)
_ENDINGS: Final = "/,.。"
_FIND: Final = Statement(
    "SELECT uscc FROM national_code WHERE digest = CAST(:digest AS bytea)",
)
_CLEAR: Final = Statement("DELETE FROM national_code")
_INSERT: Final = Statement("""
    INSERT INTO national_code (digest, uscc)
    SELECT * FROM unnest(CAST(:digests AS bytea[]), CAST(:usccs AS text[]))
    ON CONFLICT (digest) DO NOTHING""")


class NationalCodeError(ValueError):
    """A national code cannot be loaded; the message says why."""


def identifier_in(written: str, prefix: str) -> str | None:
    """The identifier in an address that begins with the prefix; `None` if it is no such address.

    Scheme and host are compared without regard to case, and http is as good as https.
    """
    plain = unicodedata.normalize("NFKC", written[:MAX_WRITTEN]).strip().rstrip(_ENDINGS)
    address, beginning = _folded(plain), _folded(prefix)
    rest = address.removeprefix(beginning)
    return rest if rest != address and _IDENTIFIER.fullmatch(rest) else None


def check_identifier(identifier: str, uscc: str) -> None:
    """Refuse an identifier that is malformed or can be guessed."""
    if not _IDENTIFIER.fullmatch(identifier):
        message = f"is not {MIN_LENGTH} to 256 letters, digits and - _ . ~ % = without a final ."
        raise NationalCodeError(message)
    if is_derived(identifier, uscc):
        raise NationalCodeError("is made from the enterprise's own USCC")
    if identifier.isdigit():
        raise NationalCodeError("is a number, and numbers in a row can be guessed")


async def find_enterprise(hot: HotDatabase, identifier: str) -> str | None:
    """The USCC that an identifier stands for."""
    row = await hot.row(_FIND, {"digest": _digest(identifier)})
    return None if row is None else str(row["uscc"])


async def replace_all(connection: AsyncConnection, codes: Iterable[tuple[str, str]]) -> int:
    """Replace the table by these identifiers and their enterprises; how many.

    Identifiers are judged together as well as one by one (`check_identifier`).
    """
    await connection.execute(_CLEAR)
    rows, count = iter(codes), 0
    while some := list(islice(rows, _BATCH)):
        if are_counted([identifier for identifier, _ in some]):
            raise NationalCodeError(
                "its identifiers differ in so few characters that all can be tried"
            )
        digests = [_digest(identifier) for identifier, _ in some]
        values = {"digests": digests, "usccs": [uscc for _, uscc in some]}
        if (await connection.execute(_INSERT, values)).rowcount < len(some):
            raise NationalCodeError("an identifier stands there twice")
        count += len(some)
    return count


def _digest(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode()).digest()


def _folded(address: str) -> str:
    origin = _ORIGIN.match(address)
    if origin is None:
        return address
    host = origin[0].lower().partition("://")[2]
    return f"https://{host}{address[origin.end() :]}"
