"""The vectors of natural keys: lines of spellings of one number, and of numbers that are told apart."""

import re
from pathlib import Path
from typing import Final

VECTORS: Final = Path(__file__).parent / "vectors"


def read_vectors(name: str) -> list[list[str]]:
    """Each line's numbers, its escapes of code points read."""
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [
        re.sub(r"\\u(....)", lambda escape: chr(int(escape[1], 16)), line).split("\t")
        for line in lines
        if not line.startswith("#")
    ]
