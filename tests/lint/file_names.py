"""Lint check: test files are named `test_<part>_<subject>.py`, the part being one of `tests.parts`.

`python -m tests.lint.file_names` lists each exception and ends with 1 if there is any.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.parts import PARTS, part_of


def misnamed(files: Iterable[Path]) -> Iterator[Path]:
    """The test files whose names begin with no part."""
    return (each for each in files if part_of(each) is None)


def main() -> int:
    """Check every test file; return the exit status."""
    found = list(misnamed(sorted(Path("tests").rglob("test_*.py"))))
    for file in found:
        print(f"{file}: name it test_<part>_<subject>.py; parts are {', '.join(sorted(PARTS))}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
