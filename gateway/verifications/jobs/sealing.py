"""Encryption of a job at rest: its lines, packed by zstd, set by set; its upload's digest; its manifest."""

from collections.abc import Sequence
from typing import Final

import zstandard

from gateway.privacy.field_encryption import Vault
from gateway.verifications.jobs.stored_job import Job

TABLE: Final = "verification_job"
ASKED: Final = "asked"
ANSWERS: Final = "answers"
DIGEST: Final = "sealed_digest"
MANIFEST: Final = "sealed_manifest"
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


def seal_digest(vault: Vault, job: Job, digest: bytes) -> bytes:
    """The digest of a job's upload, sealed: that of a single line is guessed by trial."""
    return vault.seal(digest, table=TABLE, column=DIGEST, row=job.job_id)


def request_digest_of(vault: Vault, job: Job) -> bytes:
    """The digest of a job's upload."""
    if job.sealed_digest is None:
        return job.request_digest or b""
    return vault.open(job.sealed_digest, table=TABLE, column=DIGEST, row=job.job_id)


def seal_manifest(vault: Vault, job: Job, manifest: str) -> bytes:
    """A job's signed manifest, sealed: it holds the digest."""
    return vault.seal(manifest.encode(), table=TABLE, column=MANIFEST, row=job.job_id)


def manifest_of(vault: Vault, job: Job) -> str:
    """The signed manifest of an ended job."""
    if job.sealed_manifest is None:
        return job.manifest or ""
    return vault.open(job.sealed_manifest, table=TABLE, column=MANIFEST, row=job.job_id).decode()


def place_of(job_id: str, first_line: int) -> str:
    """The row for which a set is sealed; the same in SQL: `privacy.reencryption`."""
    return f"{job_id}/{first_line}"
