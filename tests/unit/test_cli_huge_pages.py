"""Huge pages of a worker's heap."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.huge_pages import HUGE_PAGE, huge_pages_in

MAPS = """\
00400000-00c00000 rw-p 00000000 00:00 0                                  [heap]
7f0000100000-7f0000700000 rw-p 00000000 00:00 0
7f0001000000-7f0002000000 r--p 00000000 00:00 0
7f0003000000-7f0004000000 rw-p 00000000 fe:00 4711                       /usr/lib/libcrypto.so.3
7f0005000000-7f0006000000 rw-p 00000000 00:00 0                          [stack]
7f0007000000-7f00071ff000 rw-p 00000000 00:00 0
"""
PROGRAM = """
from pathlib import Path
from gateway.cli.huge_pages import collapse_heap
texts = [str(each) * 10 for each in range(300_000)]
made = collapse_heap()
assert texts == [str(each) * 10 for each in range(300_000)]
print(made, Path("/proc/self/smaps_rollup").read_text())
"""


def test_a_page_is_whole_and_of_anonymous_memory() -> None:
    """Whole pages of the heap and of what is mapped without a name or a file; no stack, nothing read-only."""
    heap = [0x400000 + place * HUGE_PAGE for place in range(4)]
    assert [*huge_pages_in(MAPS.splitlines())] == [*heap, 0x7F0000200000, 0x7F0000400000]


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="of Linux")
def test_a_heap_is_as_it_was_in_huge_pages() -> None:
    """A process with 30 MB of texts has the same texts, and the pages that were made."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    )
    made, _, rollup = ran.stdout.partition(" ")
    found = re.search(r"AnonHugePages: +(\d+) kB", rollup)
    assert found is not None
    assert int(found[1]) * 1024 >= int(made) * HUGE_PAGE
