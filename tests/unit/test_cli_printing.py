"""Tables of operators' commands: aligned on a terminal, lines with tabs in a pipe."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import Final

import pytest

from gateway.cli.printing import print_table

COLUMNS: Final = ("name", "count")
ROWS: Final = (("x" * 100, 7), ("a\tb\u202e", None))
PROGRAM: Final = "from tests.unit.test_cli_printing import *; print_table(COLUMNS, ROWS, figures=1)"


def test_a_pipe_gets_a_line_for_each_row_with_tabs(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is folded, and no tab or control character of a value is left."""
    print_table(COLUMNS, ROWS, title="A title")
    assert capfd.readouterr().out == f"A title\nname\tcount\n{'x' * 100}\t7\na\\tb\\u202e\t-\n"


def test_a_terminal_gets_an_aligned_table_of_its_width() -> None:
    """What is too wide is folded in its column, not cut."""
    reader, writer = pty.openpty()
    environment = {**os.environ, "TERM": "dumb"}  # of 80 columns, without colours
    subprocess.run([sys.executable, "-c", PROGRAM], stdout=writer, env=environment, check=True)
    os.close(writer)
    shown = _all_of(reader)
    assert {len(each) for each in shown.splitlines()} == {80}
    assert shown.count("x") == 100
    assert "\t" not in shown


def _all_of(reader: int) -> str:
    """Everything that was written to a terminal that is closed."""
    shown = b""
    with suppress(OSError), os.fdopen(reader, "rb", buffering=0) as terminal:
        while part := terminal.read(4096):
            shown += part
    return shown.decode()
