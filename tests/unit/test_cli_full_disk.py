"""Commands on a full disk: files are whole, or are not there."""

import os
import socket
from pathlib import Path

import pytest

from gateway.cli.exit import file_sentence
from gateway.cli.keys import init, rotate
from gateway.cli.whole_file import whole_file, write_whole
from tests.small_files import files_of_at_most


def test_keys_init_leaves_no_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Existing files are left alone: an empty one would stay when there is room again."""
    with files_of_at_most(100), pytest.raises(SystemExit):
        init(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "could not be written" in capsys.readouterr().err
    init(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_keys_rotate_leaves_the_file_and_no_piece_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path)
    file = tmp_path / "signing-keys.json"
    before = file.read_bytes()
    with files_of_at_most(100), pytest.raises(SystemExit):
        rotate(file)
    assert "left as it is" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_command_writes_takes_the_place_of_an_earlier_file_only_whole(
    tmp_path: Path,
) -> None:
    report = tmp_path / "report.csv"
    write_whole(report, "earlier\n")
    with files_of_at_most(100), pytest.raises(OSError, match="large"), whole_file(report) as file:
        file.write("x" * 10_000)
    assert report.read_text() == "earlier\n"
    write_whole(report, "later\n")
    assert report.read_text() == "later\n"
    assert list(tmp_path.iterdir()) == [report]


def test_a_device_is_written_to_as_it_is() -> None:
    write_whole(Path("/dev/null"), "x")
    assert not Path("/dev/null").is_file()


def test_a_pipe_is_written_to_as_it_is() -> None:
    """As in `> >(…)` or `/dev/stdout` before a pipe: the name leads to no file."""
    reading, writing = os.pipe()
    write_whole(Path(f"/dev/fd/{writing}"), "x\n")
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "x\n"


def test_a_file_keeps_its_rights(tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("earlier")
    report.chmod(0o600)
    write_whole(report, "later")
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_used_is_named_and_no_database(tmp_path: Path) -> None:
    """An error of a connection, Unix sockets' too, names no file."""
    with pytest.raises(OSError, match="No such file") as missing:
        (tmp_path / "missing").read_text()
    assert (
        file_sentence(missing.value)
        == f"{tmp_path}/missing cannot be used (No such file or directory)."
    )
    with (
        socket.socket(socket.AF_UNIX) as made,
        pytest.raises(OSError, match="No such file") as refused,
    ):
        made.connect(str(tmp_path / "socket"))
    assert file_sentence(refused.value) is None
