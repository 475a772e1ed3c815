"""Font metrics and outlines (OpenType, by fontTools), in fractions of the em."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

from gateway.pages.chinese_font import face_of


@dataclass(frozen=True, eq=False)
class Typeface:
    """One face of a font file; `open_typeface` keeps it, since its tables are large."""

    path: Path
    face: int

    @cached_property
    def _font(self) -> Any:  # fontTools has no types
        return TTFont(self.path, fontNumber=self.face, lazy=True)

    @cached_property
    def _advances(self) -> dict[int, float]:
        """Advance width by code point."""
        metrics, em = self._font["hmtx"].metrics, self.units_per_em
        return {code: metrics[name][0] / em for code, name in self._names.items()}

    @cached_property
    def _names(self) -> dict[int, str]:
        """Glyph name by code point."""
        names: dict[int, str] = self._font.getBestCmap()
        return names

    @cached_property
    def _glyphs(self) -> Any:
        return self._font.getGlyphSet()

    @cached_property
    def units_per_em(self) -> int:
        """Font units of the em."""
        return int(self._font["head"].unitsPerEm)

    def has(self, character: str) -> bool:
        """True if the font has a glyph for the character."""
        return ord(character) in self._advances

    def width(self, text: str) -> float:
        """Width of a text without kerning, in ems; every character must be in the font."""
        advances = self._advances
        return sum(advances[ord(each)] for each in text)

    def outline(self, character: str) -> str:
        """The glyph as SVG path data, in font units with y upwards."""
        pen = SVGPathPen(self._glyphs)
        self._glyphs[self._names[ord(character)]].draw(pen)
        return str(pen.getCommands())


@cache
def open_typeface(path: Path) -> Typeface:
    """The face for simplified Chinese of the font at `path`.

    Its widths are read before anybody else gets it: several threads draw at once, and the file is one.
    """
    found = Typeface(path, face_of(path))
    found.has(" ")
    return found
