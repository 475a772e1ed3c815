"""Rows of made-up text files: the command finds the ones that the gateway finds."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.creditfile.field_problems import FieldProblem
from gateway.ingest.readers.csv_reader import read_csv
from gateway.ingest.readers.decompression import DecompressedFile
from gateway.ingest.readers.header import HeaderReader
from tests.creditfile_builders import CATALOGUE
from xinqiao.cli.deliver.own_rows import ReadOptions, read_rows

EVERY = range(1_000_000)
PIECES = st.sampled_from(
    ['"', '"', ",", ",", "\n", "\n", "\r", "\r\n", " ", "\t", "a", "罚", "\u3000", ";", "\0"]
)
HEADER = "uscc,document_number,kinds,decided_on\n"


@given(
    titles=st.lists(st.sampled_from(["", ",,,", "标题", "a,b", '"a\nb",']), max_size=3),
    pieces=st.lists(PIECES, max_size=60),
)
def test_rows_are_those_of_the_gateway(titles: list[str], pieces: list[str]) -> None:
    """Numbers and cells, wherever quotes, separators and line ends stand."""
    content = "".join(f"{each}\n" for each in titles) + HEADER + "".join(pieces)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_text(content, encoding="utf-8", newline="")
        options = ReadOptions(path=path, format="csv", uscc_names=frozenset({"uscc"}))
        with closing(read_rows(options, EVERY)) as found:
            ours = [list(cells) for _, cells in found.select(EVERY)]
        taken: list[Any] = []
        with DecompressedFile(path) as source:
            reader = read_csv(source, HeaderReader(CATALOGUE, "penalty"), "auto")
            while more := reader.take(3):
                taken += more
    assert ours == [[] if isinstance(each, FieldProblem) else each for each in taken]
