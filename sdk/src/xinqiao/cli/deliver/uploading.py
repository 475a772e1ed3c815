"""Upload of a delivery, resumed where it was, and the wait for its job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xinqiao._core.api.uploads import JobStatus, PartSource
from xinqiao.cli._errors import InputError
from xinqiao.errors import NotFound

from .delivery import Delivery, stamp_of
from .progress import bytes_bar, resumable, spinner
from .summary import note
from .texts import text
from .upload_state import UploadState

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao.cli._language import Language

    from .upload_client import UploadClient


def upload(client: UploadClient, delivery: Delivery, *, anew: bool) -> JobStatus:
    """Upload what has not arrived yet; `anew`: an upload whose job has ended is not taken up."""
    language = delivery.language
    job = _begun_upload(client, delivery, anew=anew)
    label, length = text("uploading", language), delivery.length
    with (
        resumable(language),
        delivery.path.open("rb") as file,
        bytes_bar(label, length) as moved,
    ):

        def read(offset: int, size: int) -> bytes:
            if stamp_of(os.fstat(file.fileno())) != delivery.stamp:
                raise _changed(delivery.path)
            file.seek(offset)
            return file.read(size)

        source = PartSource(length=length, read=read, moved=moved)
        return client.upload_parts(job.job_id, source, language=language)


def follow(client: UploadClient, delivery: Delivery, job: JobStatus) -> JobStatus:
    """Wait for the job's end."""
    language = delivery.language

    def said(rows: int) -> str:
        return text("taking_rows", language, rows=f"{rows:,}")

    with resumable(language), spinner(said(job.rows)) as say:
        return client.await_job(
            job.job_id, moved=lambda each: say(said(each.rows)), language=language
        )


def _begun_upload(client: UploadClient, delivery: Delivery, *, anew: bool) -> JobStatus:
    """The stored upload of this file with these options, or a new one."""
    state, language = UploadState(client, delivery.metadata), delivery.language
    job = _stored_job(client, state, language)
    if job is None or (anew and job.has_ended):
        job = client.create_upload(
            length=delivery.length, metadata=delivery.metadata, language=language
        )
        state.store(job.job_id)
    elif job.state == "receiving":
        share = f"{job.received / delivery.length:.0%}"
        note(text("upload_resumed", language, share=share))
    else:
        note(text("job_resumed", language))
    note(text("job", language, job_id=job.job_id))
    return job


def _stored_job(client: UploadClient, state: UploadState, language: Language) -> JobStatus | None:
    job_id = state.job_id()
    try:
        return None if job_id is None else client.job_status(job_id, language=language)
    except NotFound:  # it has expired
        return None


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} 在上传时被改动：请在写完后重新运行。",
        f"{path} was changed while it was uploaded: run it again when the file is finished.",
    )
