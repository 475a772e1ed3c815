"""Files of rejected rows: length by committed job state, other files untouched."""

from pathlib import Path

import pytest

from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.row_lists.list_file import MAX_LIST_BYTES, ROOM_FOR_CUT, RowList, was_cut
from gateway.ingest.row_lists.wording import STORED_REJECTS, STORED_WARNINGS, RowWording
from gateway.records.job_routes import read_list
from tests.creditfile_builders import CATALOGUE

HEADER = STORED_REJECTS.header
LINE = b"7,fine,negative,fine,,\n"


def test_without_rejects_there_is_no_list(tmp_path: Path) -> None:
    """And the list of an earlier run is removed."""
    path = tmp_path / "list.csv"
    with RowList(path, 0, STORED_REJECTS):
        pass
    assert not path.exists()
    path.write_bytes(HEADER + LINE)
    with RowList(path, 0, STORED_REJECTS):
        pass
    assert not path.exists()


def test_lines_after_the_last_commit_are_cut_off(tmp_path: Path) -> None:
    """The list continues from there."""
    path = tmp_path / "list.csv"
    with RowList(path, 0, STORED_REJECTS) as rejects:
        rejects.add(LINE)
        length = rejects.length
        rejects.add(b"8,fine,neg")
    with RowList(path, length, STORED_REJECTS) as rejects:
        rejects.add(b"9,fine,negative,fine,,\n")
    assert path.read_bytes() == HEADER + LINE + b"9,fine,negative,fine,,\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"my,own,table\n1,2,3\n", b"x"])
def test_another_file_in_its_place_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    """The run is refused."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="is there already"):
        RowList(path, 0, STORED_REJECTS)
    assert path.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """To any target."""
    target = tmp_path / "target"
    target.write_bytes(HEADER)
    (tmp_path / "list.csv").symlink_to(target)
    with pytest.raises(FileRefused):
        RowList(tmp_path / "list.csv", 0, STORED_REJECTS)
    assert target.exists()


def test_a_list_that_was_taken_away_begins_anew(tmp_path: Path) -> None:
    """With the rows rejected from then on."""
    with RowList(tmp_path / "list.csv", 100, STORED_REJECTS) as rejects:
        rejects.add(LINE)
        assert rejects.length == len(LINE)
    assert (tmp_path / "list.csv").read_bytes() == HEADER + LINE


def test_a_list_is_shown_in_whole_lines(tmp_path: Path) -> None:
    """Also if the limit is inside a character."""
    path = tmp_path / "list.csv"
    assert not read_list(path)
    path.write_bytes(HEADER + "1,?,字\n2,?,字\n".encode())
    assert read_list(path, max_bytes=13) == "1,?,字\n"


def test_a_list_has_an_end(tmp_path: Path) -> None:
    """As many whole lines as fit, and one that says so; also where its job goes on later."""
    path, line = tmp_path / "list.csv", b'7,facts,,phone,3,11,phone_masked,"fa\ncts"\n'
    last = b"7,?,,,,,list_cut,,\n"
    with RowList(path, 0, STORED_WARNINGS) as warnings:
        warnings.add(line)
        assert not was_cut(path)
        for _ in range(3):
            warnings.add(line * (MAX_LIST_BYTES // len(line) // 2))
        length = warnings.length
        assert MAX_LIST_BYTES - 2 * ROOM_FOR_CUT < length <= MAX_LIST_BYTES
    with RowList(path, length, STORED_WARNINGS) as warnings:
        warnings.add(line)
        assert warnings.length == length
    assert path.read_bytes().endswith(line + last)
    assert was_cut(path)
    assert not was_cut(tmp_path / "none.csv")


def test_a_list_in_words_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is in words too."""
    monkeypatch.setattr("gateway.ingest.row_lists.list_file.MAX_LIST_BYTES", 2_000)
    path, form = tmp_path / "list.csv", RowWording(CATALOGUE, "penalty", "en").rejects_form
    with RowList(path, 0, form) as rejects:
        rejects.add(LINE * 50)
        rejects.add(b"8,fine,negative,fine,,\n")
        assert rejects.length <= 2_000
    assert path.read_bytes().splitlines()[-1].startswith(b"7,?,the list is full")
    assert was_cut(path)


def test_a_list_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Under its own header; its lines are served with the reason that they have."""
    path = tmp_path / "list.csv"
    earlier = b"7,fine,negative\n"
    path.write_bytes(STORED_REJECTS.earlier[0] + earlier + b"8,fine,not committed\n")
    with RowList(path, len(earlier), STORED_REJECTS) as rejects:
        rejects.add(LINE)
        assert rejects.length == len(earlier + LINE)
    with RowList(path, len(earlier + LINE), STORED_REJECTS):
        pass
    assert path.read_bytes() == STORED_REJECTS.earlier[0] + earlier + LINE
    found = list(RowWording(CATALOGUE, "penalty", "zh").rejects(read_list(path)))
    assert found[0] == {"row": "7", "field": "fine", "reason": "negative"}
    assert (found[1]["code"], found[1]["reason"]) == ("negative", "不能为负数")


def test_warnings_without_days_go_on(tmp_path: Path) -> None:
    """A list that was begun before they were listed."""
    path, line = tmp_path / "list.csv", b"7,fine,,,,,like_yuan,fine\n"
    path.write_bytes(STORED_WARNINGS.earlier[1] + line)
    with RowList(path, len(line), STORED_WARNINGS) as warnings:
        warnings.add(b"8,publicity_ends_on,,,,,publicity_end,x,2027-01-08\n")
    found = list(RowWording(CATALOGUE, "penalty", "zh").warnings(read_list(path)))
    assert found[0]["code"] == "like_yuan"
    assert found[1]["reason"].startswith("按规则公示至 2027-01-08；")
