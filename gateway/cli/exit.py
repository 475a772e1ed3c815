"""Exit of a command that refuses: one sentence for the operator, status 2."""

import sys
from typing import NoReturn


def fail(sentence: str) -> NoReturn:
    """Print a sentence for the operator and exit with status 2."""
    print(sentence, file=sys.stderr)
    raise SystemExit(2)


def file_sentence(error: Exception) -> str | None:
    """Sentence that names the file of an error; `None` if the error names no file (a connection's)."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    return f"{error.filename} cannot be used ({error.strerror})."
