"""One line of a job: a verification as in a batch, or one that cannot be asked, with its problem. Pure.

Broken lines begin with a mark that no JSON text has, so that what a client sends never passes for one.
"""

from typing import Any, Final

import orjson

from gateway.access.errors import InvalidRequestError

MAX_LINE_BYTES: Final = 64 << 10
BROKEN: Final = b"!"


def broken_line(line: int, detail: str, code: str = InvalidRequestError.code) -> bytes:
    """A line that cannot be asked; `detail` repeats nothing of it."""
    return BROKEN + orjson.dumps({"line": line, "problem": {"code": code, "detail": detail}})


def is_broken(line: bytes) -> bool:
    """True for a line of `broken_line`."""
    return line.startswith(BROKEN)


def verdict_of(broken: bytes) -> bytes:
    """The answer to a broken line: its number and its problem."""
    return broken[len(BROKEN) :]


def problem_of(broken: bytes) -> dict[str, Any]:
    """The same as a document."""
    found: dict[str, Any] = orjson.loads(verdict_of(broken))
    return found
