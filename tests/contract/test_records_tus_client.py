"""Uploads by tuspy, the tus project's Python client: a file in parts, gone on with by another process."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader.uploader import Uploader

from tests.gateway_fixture import GatewayFixture
from tests.records_builders import (
    UPLOADS,
    forget,
    lines,
    make_department,
    make_penalty,
    wait_for_job,
)
from tests.sdk_builders import client_of
from xinqiao import Client

pytestmark = pytest.mark.asyncio(loop_scope="session")


class SignedUploader(Uploader):
    """The class of docs/operate/delivering-records.md: a token and a proof for each request."""

    method = "POST"

    def __init__(self, source: Client, path: Path, **options: Any) -> None:
        self.source, self.uploads = source, f"{source.issuer}{UPLOADS}"
        super().__init__(
            file_path=str(path),
            client=TusClient(self.uploads),
            chunk_size=700,
            upload_checksum=True,
            **options,
        )

    def get_headers(self) -> dict[str, str]:
        url, method = (self.url, self.method) if self.url else (self.uploads, "POST")
        own: dict[str, str] = super().get_headers()  # type: ignore[no-untyped-call]
        return own | dict(self.source.headers_for(method, url, scope="records:write"))

    def get_offset(self) -> int:
        self.method = "HEAD"
        try:
            offset: int = super().get_offset()
            return offset
        finally:
            self.method = "PATCH"

    def set_url(self, url: str) -> None:
        super().set_url(url)
        self.method = "PATCH"


async def test_a_file_is_uploaded_in_parts_and_gone_on_with(
    served: GatewayFixture, tmp_path: Path
) -> None:
    """Each part with its checksum; the second uploader asks for the offset."""
    department = await make_department(served)
    rows = [make_penalty(served, served.uscc("clean")) for _ in range(5)]
    path = tmp_path / "penalties.ndjson"
    content = lines(*rows)
    path.write_bytes(content)
    metadata = {
        "dataset": "penalty",
        "filename": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
    }

    def upload() -> str:
        with client_of(department, Client) as source:
            first = SignedUploader(source, path, metadata=metadata)
            first.upload(stop_at=1_000)
            second = SignedUploader(source, path, url=first.url)
            assert 0 < second.offset < len(content)
            second.upload()
            with pytest.raises(TusCommunicationError):
                SignedUploader(source, path, url=f"{first.url}x")
            return str(first.url)

    url = await asyncio.to_thread(upload)
    job = await wait_for_job(department, url.rpartition("/")[2])
    assert (job["state"], job["created"]) == ("done", len(rows))
    await forget(served)
