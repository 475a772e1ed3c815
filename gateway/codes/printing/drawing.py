"""Vector drawing model: marks in millimetres from the top left corner, drawings, and pages of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.codes.qr import Matrix

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

INK: Final[Colour] = (17, 17, 17)
SOFT: Final[Colour] = (64, 72, 80)
BRAND: Final[Colour] = (11, 61, 102)
WHITE: Final[Colour] = (255, 255, 255)
FAINT: Final[Colour] = (150, 156, 162)
"""Cutting and folding lines."""

BOLD_STROKE: Final = 0.035
"""Width of the stroke that makes text bold, in ems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; `y` is its baseline, `size` the em."""

    x: float
    y: float
    size: float
    text: str
    colour: Colour = INK
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle, filled or outlined."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour | None = None
    line: Colour | None = None
    line_width: float = 0.5
    radius: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """The outline of a circle."""

    x: float
    y: float
    radius: float
    line: Colour
    line_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A dashed hairline, for cutting or folding."""

    x: float
    y: float
    to_x: float
    to_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A QR symbol with its quiet zone, `size` wide."""

    x: float
    y: float
    size: float
    matrix: Matrix

    @property
    def module(self) -> float:
        """Width of a module."""
        return self.size / len(self.matrix)


Mark = Text | Box | Circle | Line | Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Marks on an area."""

    width: float
    height: float
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A drawing on a page, made `scale` times as large; `turned` by 180 degrees, for a folded piece."""

    drawing: Drawing
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    turned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A rectangle of a page that leads to an address, on a screen."""

    x: float
    y: float
    width: float
    height: float
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page with the drawings on it."""

    width: float
    height: float
    placements: Sequence[Placement]
    links: Sequence[Link] = ()
