"""CSV reader: skipped rows are counted like parsed ones."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.ingest.readers.csv_reader import read_csv
from gateway.ingest.readers.decompression import DecompressedFile
from gateway.ingest.readers.header import HeaderReader
from tests.creditfile_builders import CATALOGUE
from tests.sampling import sampled

LICENCE = HeaderReader(CATALOGUE, "licence")
HEADER = "uscc,number,name,valid_from,authority\n"
_PIECES = st.sampled_from(
    ["a", "罚1", ",", '"', '""', '"a,b"', '"a\nb"', "\n", "\r\n", "\r", " ", "a,b,c,d,e\n", "\n\n",
     ",,\n", "\n,\u3000 ", ",,,,,,"]
)  # fmt: skip


@settings(max_examples=sampled(150, full=400))
@example(content="\r,,\n", count=1, first=0, block=1)
@given(
    content=st.lists(_PIECES, max_size=40).map("".join),
    count=st.integers(0, 12),
    first=st.integers(0, 3),
    block=st.integers(1, 60),
)
def test_skipping_rows_equals_reading_them(
    tmp_path_factory: pytest.TempPathFactory, content: str, count: int, first: int, block: int
) -> None:
    """For quoted, empty and torn lines, wherever a block ends; line numbers are those of the file."""
    path = tmp_path_factory.getbasetemp() / "passed.csv"
    path.write_bytes((HEADER + content).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.ingest.readers.decompression.BLOCK_BYTES", block)
        with DecompressedFile(path) as source:
            whole = list(read_csv(source, LICENCE, "utf-8"))
        with DecompressedFile(path) as source:
            rows = read_csv(source, LICENCE, "utf-8")
            taken = [rows.parser.read(each) for each in rows.take(first)]
            passed = rows.pass_over(count)
            rest = list(rows)
    assert taken == whole[:first]
    assert passed == min(count, len(whole) - len(taken))
    assert rest == whole[len(taken) + passed :]
