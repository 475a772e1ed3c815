"""Test vectors and tables of name comparison, and the answer to a name question."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any, Final

import opencc

import verification
from verification import STAND_IN, Asked, evaluate

ROOT: Final = Path(verification.__file__).parent
VECTORS: Final = Path(__file__).parent / "vectors"
NAMES: Final[dict[str, Any]] = json.loads((ROOT / "vectors" / "names.v2.json").read_text("utf-8"))
TABLES: Final[dict[str, Any]] = json.loads((ROOT / "tables" / "names.v2.json").read_text("utf-8"))
KEPT_APART: Final = list(zip(TABLES["kept_apart"][::2], TABLES["kept_apart"][1::2], strict=True))
APART_IN_SOME_WORDS: Final = "藉借沈沉坏坯哩里瞭了覆复甦苏俱具彷仿么幺麽"
"""Standard characters that OpenCC merges in some words only, and `names.v2` never."""
_OPENCC: Final = Path(opencc.__file__).parent / "clib"


def standard_characters() -> list[str]:
    """The 8,105 characters of 通用规范汉字表, in order."""
    lines = (VECTORS / "standard-characters-2013.txt").read_text("utf-8").splitlines()
    return list("".join(line for line in lines if not line.startswith("#")))


def answer(tag: str, recorded: str, asserted: str) -> tuple[str, str | None]:
    """Answer to a name question, given the recorded and the asserted name."""
    asked = Asked(tag=tag, value=asserted)
    facts = STAND_IN._replace(name=recorded, legal_representative=recorded)
    (told,) = evaluate(
        [asked], facts, allowed={asked}, digest=lambda _: b"", today=date(2026, 11, 28)
    )
    return told.answer, told.match


def dictionary(name: str, folder: Path) -> list[tuple[str, list[str]]]:
    """One of OpenCC's dictionaries: text and its replacements."""
    subprocess.run(
        [
            _OPENCC / "bin" / "opencc_dict",
            *("-i", _OPENCC / "share" / "opencc" / f"{name}.ocd2", "-f", "ocd2"),
            *("-o", folder / name, "-t", "text"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    lines = (folder / name).read_text("utf-8").splitlines()
    return [(one, others.split(" ")) for one, others in (line.split("\t") for line in lines)]
