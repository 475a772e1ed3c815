"""Exit of a command that refuses: one sentence for the operator, status 2."""

import sys
from typing import NoReturn


def fail(sentence: str) -> NoReturn:
    """Print a sentence for the operator and exit with status 2."""
    print(sentence, file=sys.stderr)
    raise SystemExit(2)
