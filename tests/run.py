"""`make test`: one parallel run of pytest, then one run of the tests marked `alone`.

Both runs get the same arguments. The exit status is that of the first run that did not pass.
"""

import difflib
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.parts import PARTS, part_of

FOLDER: Final = Path(__file__).parent
TOGETHER: Final = (
    "--alone=not",
    f"--numprocesses={min((os.cpu_count() or 1) + 1, 4)}",  # some wait while others compute
    "--dist=loadfile",
    "--no-loadscope-reorder",  # `tests/conftest.py` has the order
)
ALONE: Final = ("--alone=only",)
PASSED: Final = 0
INTERRUPTED: Final = 2
NOTHING_FOUND: Final = 5


def main() -> None:
    """Run the tests named by the arguments and the variable PART; all by default."""
    part = os.environ.get("PART", "")
    files = files_of(part, FOLDER.rglob("test_*.py")) if part else []
    if part and not files:
        sys.exit(f"make test: {unknown(part)}")
    sys.exit(run([*sys.argv[1:], *(str(each) for each in files)]))


def run(arguments: Sequence[str]) -> int:
    """Exit status of both runs; of the first alone if it fails under `-x`."""
    # Hundreds of processes import the same modules: compiled once.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    statuses = []
    for own in (TOGETHER, ALONE):
        command = [sys.executable, "-m", "pytest", *own, *arguments]
        status = subprocess.run(command, env=environment, check=False).returncode
        statuses.append(status)
        stop_at_once = "-x" in arguments or "--exitfirst" in arguments
        if status == INTERRUPTED or (stop_at_once and status not in {PASSED, NOTHING_FOUND}):
            break
    failed = [each for each in statuses if each not in {PASSED, NOTHING_FOUND}]
    return failed[0] if failed else min(statuses)


def files_of(part: str, files: Iterable[Path]) -> list[Path]:
    """The files `test_<part>_<subject>.py` of a part."""
    return sorted(each for each in files if part_of(each) == part)


def unknown(part: str) -> str:
    """The error for a part without test files, with similar names."""
    near = difflib.get_close_matches(part, sorted(PARTS))
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"no test file is named test_{part}_….py.{hint} See tests/README.md."


if __name__ == "__main__":
    main()
