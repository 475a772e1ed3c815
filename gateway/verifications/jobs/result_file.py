"""A job's result as CSV or xlsx: rendered in parts, twice: for its digest, then to be sent and signed.

The digest stands in the header, so that the file is signed as any other answer.
"""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from gateway.pages.csv_safe import BOM, as_csv
from gateway.runtime import Runtime
from gateway.verifications.jobs.result import (
    answered_sets,
    asked_tags,
    result_header,
    result_row,
)
from gateway.verifications.jobs.stored_job import Job
from gateway.verifications.jobs.xlsx_writer import XlsxWriter

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """The rendering of one job's result in one of these media types."""

    runtime: Runtime
    job: Job
    media_type: str
    tags: tuple[str, ...]

    async def parts(self) -> AsyncIterator[bytes]:
        """The file's bytes, some rows at a time; the same each time."""
        header = result_header(self.tags)
        if self.media_type == XLSX:
            book = XlsxWriter()
            yield book.add([header])
            async for texts in answered_sets(self.runtime, self.job):
                yield book.add([result_row(text, self.tags) for text in texts])
            yield book.end()
            return
        yield f"{BOM}{as_csv([header])}".encode()
        async for texts in answered_sets(self.runtime, self.job):
            yield as_csv([result_row(text, self.tags) for text in texts]).encode()

    async def digest(self) -> tuple[str, int]:
        """The value of `Content-Digest`, and the length."""
        digest, length = hashlib.sha256(), 0
        async for part in self.parts():
            digest.update(part)
            length += len(part)
        return f"sha-256=:{base64.b64encode(digest.digest()).decode()}:", length


async def result_file(runtime: Runtime, job: Job, media_type: str) -> ResultFile:
    """The result of an ended job as such a file."""
    tags = tuple(await asked_tags(runtime, job))
    return ResultFile(runtime=runtime, job=job, media_type=media_type, tags=tags)
