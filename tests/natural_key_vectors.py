"""Test vectors of natural keys: spellings of one number, and numbers that must stay distinct."""

import re
from pathlib import Path
from typing import Final

VECTORS: Final = Path(__file__).parent / "vectors"


def read_vectors(name: str) -> list[list[str]]:
    """Numbers of each line, with code point escapes decoded."""
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [
        re.sub(r"\\u(....)", lambda escape: chr(int(escape[1], 16)), line).split("\t")
        for line in lines
        if not line.startswith("#")
    ]
