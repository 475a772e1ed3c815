"""Parts of the product after which test files are named: `test_<part>_<subject>.py`.

A part is a package of the gateway, a module at its top, or one of `OTHERS`.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OTHERS: Final = frozenset({"consent", "verification", "sdk", "deploy", "docs", "lint", "bench"})


def _gateway_parts(folder: Path) -> frozenset[str]:
    packages = {each.parent.name for each in folder.glob("*/**/__init__.py")}
    return frozenset(packages | {each.stem for each in folder.glob("[a-z]*.py")})


PARTS: Final = _gateway_parts(ROOT / "gateway") | OTHERS


def part_of(file: Path) -> str | None:
    """The part that a test file is named after; the longest one where several fit."""
    fitting = (part for part in PARTS if file.stem.startswith(f"test_{part}_"))
    return max(fitting, key=len, default=None)
