"""Table of FAPI conformance modules: each names existing tests, or a reason."""

import ast
import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "gateway" / "oauth" / "README.md"
MODULES: Final = 73
ROW: Final = re.compile(r"^\| ([A-Z]\w+) \| (.+) \|$")
NAMED: Final = re.compile(r"`(test_\w+)::(test_\w+)`")
REASON: Final = re.compile(r"n/a: .{20,}")


def rows() -> dict[str, str]:
    """Entries by module."""
    table = README.read_text().partition("## The conformance suite")[2]
    found = [(row[1], row[2]) for line in table.splitlines() if (row := ROW.match(line))]
    assert max(Counter(name for name, _ in found).values()) == 1
    return dict(found)


def names_in(file: str) -> set[str]:
    """Test names of a file, given by its unique basename."""
    [path] = (ROOT / "tests").rglob(f"{file}.py")
    return {
        each.name
        for each in ast.parse(path.read_text()).body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_module_of_the_plan_is_there() -> None:
    """The test plan's list is complete."""
    assert len(rows()) == MODULES


@pytest.mark.parametrize("module", rows())
def test_a_module_has_tests_that_exist_or_a_reason(module: str) -> None:
    """A renamed test must be renamed in the table."""
    said = rows()[module]
    named = NAMED.findall(said)
    assert named or REASON.fullmatch(said)
    assert all(test in names_in(file) for file, test in named)
