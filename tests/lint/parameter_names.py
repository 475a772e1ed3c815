"""Lint check: parameters are named by nouns, not by prepositions (`of`, `at`, `by`, `to`, `behind`).

`python -m tests.lint.parameter_names` lists each one as FILE:LINE and ends with 1 if there is any.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PREPOSITIONS: Final = frozenset({"of", "at", "by", "to", "behind"})
ROOTS: Final = ("gateway", "consent", "verification", "sdk/src", "tests")


def prepositions_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each parameter that is a preposition, in functions and lambdas."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg) and node.arg in PREPOSITIONS:
            yield node.lineno, node.arg


def main() -> int:
    """Check every Python file of the project; return the exit status."""
    found = 0
    for file in sorted(file for root in ROOTS for file in Path(root).rglob("*.py")):
        for line, name in prepositions_in(file.read_text(encoding="utf-8")):
            print(f"{file}:{line}: parameter `{name}` is a preposition; name it by a noun")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
