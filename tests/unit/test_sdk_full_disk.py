"""The SDK on a full disk: evidence and keys are whole, or what was there before."""

from pathlib import Path

import pytest

from tests.small_files import files_of_at_most
from xinqiao._core.whole_file import write_private


@pytest.mark.parametrize("overwrite", [True, False])
def test_nothing_is_left_of_a_file_that_could_not_be_written(
    tmp_path: Path, *, overwrite: bool
) -> None:
    with files_of_at_most(100), pytest.raises(OSError, match="large"):
        write_private(tmp_path / "evidence.json", "x" * 10_000, overwrite=overwrite)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """With `overwrite`, through a link too; without it the earlier file is never touched."""
    kept, link = tmp_path / "kept.json", tmp_path / "link.json"
    write_private(kept, "earlier")
    link.symlink_to(kept)
    with files_of_at_most(100), pytest.raises(OSError, match="large"):
        write_private(kept, "x" * 10_000, overwrite=True)
    with pytest.raises(FileExistsError):
        write_private(link, "later")
    assert kept.read_text() == "earlier"
    write_private(link, "later", overwrite=True)
    assert kept.read_text() == "later"
    assert link.is_symlink()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_device_is_written_to_as_it_is() -> None:
    write_private(Path("/dev/null"), "x", overwrite=True)
    assert not Path("/dev/null").is_file()
