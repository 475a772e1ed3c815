"""Folder of the metrics that workers share."""

import os
import tempfile
from pathlib import Path

import pytest

from gateway.shared_metrics import FOLDER, MEMORY, keep_folder, sharing_metrics


@pytest.mark.skipif(not os.access(MEMORY, os.W_OK), reason="this machine has no /dev/shm")
def test_the_files_are_in_memory_and_go_with_the_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that writes to a mapped file on a full disk would be killed (SIGBUS)."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    with sharing_metrics():
        folder = Path(os.environ[FOLDER])
        assert folder.parent == Path(MEMORY)
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert FOLDER not in os.environ


def test_a_folder_that_was_deleted_is_made_again() -> None:
    """A worker could not start without it."""
    with sharing_metrics():
        folder = Path(os.environ[FOLDER])
        folder.rmdir()
        keep_folder()
        assert folder.stat().st_mode & 0o777 == 0o700
