"""A font's subset for one print run, since a whole Chinese font takes a second to load for every file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from gateway.codes.printing import content as words
from gateway.codes.printing.text_fit import ELLIPSIS, MISSING
from gateway.codes.printing.typeface import Typeface

FIXED: Final = "".join(
    (
        *words.TITLE,
        *words.HOW,
        *words.PHRASE,
        *words.SAME_PHRASE,
        *words.DOMAIN,
        *words.LICENCE,
        *words.LICENCE_SHORT,
        *words.COMPLAINT,
        *words.COMPLAINT_SHORT,
        *words.FOLD,
        words.NOTE,
        MISSING,
        ELLIPSIS,
        "".join(map(chr, range(0x20, 0x7F))),
    )
)
"""The characters that stand on every piece, and ASCII."""


def write_subset(typeface: Typeface, characters: Iterable[str], path: Path) -> Typeface:
    """Write the font with these and the fixed characters alone, as far as it has them, to `path` (`.otf`)."""
    options = Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    font = TTFont(typeface.path, fontNumber=typeface.face, lazy=True)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=set(map(ord, [*characters, *FIXED])))
    subsetter.subset(font)
    font.save(path)
    return Typeface(path, 0)
