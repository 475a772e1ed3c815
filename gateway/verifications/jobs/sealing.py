"""Encryption of a job's lines at rest: a set of lines packed by zstd, sealed for its job and place."""

from collections.abc import Sequence
from typing import Final

import zstandard

from gateway.privacy.field_encryption import Vault

TABLE: Final = "verification_job"
ASKED: Final = "asked"
ANSWERS: Final = "answers"
_LEVEL: Final = 1
_LARGEST: Final = 64 << 20
_LF: Final = b"\n"


def seal_lines(vault: Vault, lines: Sequence[bytes], *, column: str, row: str) -> bytes:
    """These lines, none of which holds a line feed, as one sealed value."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(_LF.join(lines))
    return vault.seal(packed, table=TABLE, column=column, row=row)


def open_lines(vault: Vault, sealed: bytes, *, column: str, row: str) -> list[bytes]:
    """The lines of a sealed value."""
    packed = vault.open(sealed, table=TABLE, column=column, row=row)
    plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
    return plain.split(_LF)


def place_of(job_id: str, first_line: int) -> str:
    """The row for which a set is sealed; the same in SQL: `privacy.reencryption`."""
    return f"{job_id}/{first_line}"
