"""The list of rejected rows is as long as its job says, and nobody's file is taken for one."""

from pathlib import Path

import pytest

from gateway.creditfile.intake.rejects import HEADER, Rejects
from gateway.creditfile.intake.unpacking import FileRefused
from gateway.intake.job_routes import read_list

LINE = b"7,fine,negative\n"


def test_where_nothing_is_rejected_there_is_no_list(tmp_path: Path) -> None:
    """Nor is the one of an earlier run left."""
    path = tmp_path / "list.csv"
    with Rejects(path, 0):
        pass
    assert not path.exists()
    path.write_bytes(HEADER + LINE)
    with Rejects(path, 0):
        pass
    assert not path.exists()


def test_what_was_written_after_the_last_commit_is_cut_off(tmp_path: Path) -> None:
    """And the list goes on from there."""
    path = tmp_path / "list.csv"
    with Rejects(path, 0) as rejects:
        rejects.add(LINE)
        length = rejects.length
        rejects.add(b"8,fine,neg")
    with Rejects(path, length) as rejects:
        rejects.add(b"9,fine,negative\n")
    assert path.read_bytes() == HEADER + LINE + b"9,fine,negative\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"my,own,table\n1,2,3\n", b"x"])
def test_another_file_in_its_place_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    """The run is refused."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="is there already"):
        Rejects(path, 0)
    assert path.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Wherever it leads."""
    target = tmp_path / "target"
    target.write_bytes(HEADER)
    (tmp_path / "list.csv").symlink_to(target)
    with pytest.raises(FileRefused):
        Rejects(tmp_path / "list.csv", 0)
    assert target.exists()


def test_a_list_that_was_taken_away_begins_anew(tmp_path: Path) -> None:
    """With what is rejected from now on."""
    with Rejects(tmp_path / "list.csv", 100) as rejects:
        rejects.add(LINE)
        assert rejects.length == len(LINE)
    assert (tmp_path / "list.csv").read_bytes() == HEADER + LINE


def test_a_list_is_shown_in_whole_lines(tmp_path: Path) -> None:
    """However long it is, and where a line ends in the middle of a character."""
    path = tmp_path / "list.csv"
    assert read_list(path) == HEADER.decode()
    path.write_bytes(HEADER + "1,?,字\n2,?,字\n".encode())
    assert read_list(path, most=len(HEADER) + 13) == HEADER.decode() + "1,?,字\n"
