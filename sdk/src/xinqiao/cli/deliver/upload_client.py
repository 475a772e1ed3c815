"""Client with the calls of uploads and their jobs, over the flows of `_core.api.uploads`."""

from __future__ import annotations

from typing import Final

from xinqiao import Client, RetryPolicy
from xinqiao._client import _blocking_method
from xinqiao._core.api import uploads

TIMEOUT: Final = 60  # seconds; the gateway writes a part to disk before it answers
PATIENT: Final = RetryPolicy(retries=12, deadline=300, base=0.5, longest=30)
"""Retries in five minutes without an advance."""


class UploadClient(Client):
    """Blocking client of a source."""

    create_upload: Final = _blocking_method(uploads.create_upload)
    upload_parts: Final = _blocking_method(uploads.upload_parts)
    job_status: Final = _blocking_method(uploads.job_status)
    await_job: Final = _blocking_method(uploads.await_job)
    job_list: Final = _blocking_method(uploads.job_list)
