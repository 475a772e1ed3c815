"""PDF writer of printed codes: vectors and text, with the font embedded as a subset (fpdf2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

from gateway.codes import qr
from gateway.codes.printing.drawing import (
    BOLD_STROKE,
    FAINT,
    Box,
    Circle,
    Colour,
    Line,
    Mark,
    Page,
    Placement,
    Symbol,
    Text,
)
from gateway.codes.printing.typeface import Typeface
from gateway.codes.qr import Matrix

POINTS: Final = 72 / 25.4
"""Points of a millimetre."""
_KAPPA: Final = 4 / 3 * (2**0.5 - 1)
"""Distance of a Bézier curve's control points that makes a quarter of a circle of radius 1."""
_FONT: Final = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file within the PDF, its bytes as they are."""

    name: str
    media_type: str
    description: str
    content: bytes


def write_pdf(
    pages: Iterable[Page],
    typeface: Typeface,
    *,
    title: str,
    created: datetime,
    attachment: Attachment | None = None,
) -> bytes:
    """The pages as one PDF that asks to be printed at its size; the same input gives the same bytes."""
    document = _Document(unit="mm")
    document.viewer_preferences = ViewerPreferences(print_scaling="None")
    document.set_title(title)
    document.set_lang("zh-CN")
    document.set_creator("Xinqiao")
    document.set_creation_date(created)
    document.set_margin(0)
    document.set_auto_page_break(auto=False)
    document.embed(typeface)
    for page in pages:
        document.draw_page(page)
    if attachment is not None:
        document.embed_file(
            bytes=attachment.content,
            basename=attachment.name,
            mime_type=attachment.media_type,
            desc=attachment.description,
            creation_date=created,
            modification_date=created,
        )
    return bytes(document.output())


class _Document(FPDF):
    """Document whose pages are written as PDF operators (ISO 32000-1, 8.5 and 9.4).

    Marks are in millimetres of their drawing; fpdf2's own shapes take forty times as long for a symbol.
    """

    def embed(self, typeface: Typeface) -> None:
        """Add the font; a subset of it is embedded."""
        self.add_font(_FONT, fname=typeface.path, collection_font_number=typeface.face)
        font = self.fonts[_FONT]
        if isinstance(font, TTFFont):
            font.ttfont.recalcBBoxes = False  # the whole font's boxes serve; a second's work less
            font.ttfont.recalcTimestamp = False
        self._texts: dict[tuple[Text, float], str] = {}

    def draw_page(self, page: Page) -> None:
        """Add a page."""
        self.add_page(format=(page.width, page.height))
        self.set_font(_FONT, size=10)
        assert self.current_font is not None  # noqa: S101  # just set; for the type checker
        self._out(self._set_font_for_page(self.current_font, 10))
        for each in page.placements:
            self._out("\n".join(self._operators(each, page)))
        for link in page.links:
            self.link(link.x, link.y, link.width, link.height, link.address)

    def _operators(self, placement: Placement, page: Page) -> Iterator[str]:
        drawing, scale = placement.drawing, placement.scale
        x, y = placement.x * POINTS, (page.height - placement.y) * POINTS
        y -= drawing.height * scale * POINTS
        if placement.turned:
            x += drawing.width * scale * POINTS
            y += drawing.height * scale * POINTS
            scale = -scale
        unit = POINTS * scale
        yield f"q {unit:.5f} 0 0 {unit:.5f} {x:.3f} {y:.3f} cm"
        for mark in drawing.marks:
            yield self._mark(mark, drawing.height)
        yield "Q"

    def _mark(self, mark: Mark, height: float) -> str:
        match mark:
            case Text():
                key = (mark, height)  # most stand on every sticker
                if key not in self._texts:
                    self._texts[key] = self._text(mark, height)
                return self._texts[key]
            case Symbol():
                return _symbol(mark, height)
            case Box():
                return _box(mark, height)
            case Circle():
                y = height - mark.y
                side, radius = 2 * mark.radius, mark.radius
                path = _rounded(mark.x - radius, y - radius, side, side, radius)
                return f"{_rgb(mark.line)} RG {mark.line_width} w {path} S"
            case Line():
                return (
                    f"q {_rgb(FAINT)} RG 0.15 w [1.5 1.5] 0 d {mark.x} {height - mark.y} m "
                    f"{mark.to_x} {height - mark.to_y} l S Q"
                )

    def _text(self, mark: Text, height: float) -> str:
        font, colour = self.current_font, _rgb(mark.colour)
        assert font is not None  # noqa: S101  # set with the page; for the type checker
        bold = f"{colour} RG {mark.size * BOLD_STROKE:.3f} w 2 Tr" if mark.bold else "0 Tr"
        return (
            f"BT {colour} rg {bold} /F{font.i} {mark.size:.3f} Tf {mark.x:.3f} "
            f"{height - mark.y:.3f} Td {font.encode_text(mark.text)} ET"
        )


def _symbol(mark: Symbol, height: float) -> str:
    """The dark modules as one filled path, so that no hairline shows between them."""
    size = mark.module
    return (
        f"q {size:.6f} 0 0 -{size:.6f} {mark.x:.4f} {height - mark.y:.4f} cm 0 g\n"
        f"{_rectangles(mark.matrix)} f Q"
    )


def _rectangles(matrix: Matrix) -> str:
    return "\n".join([f"{x} {y} {length} 1 re" for x, y, length in qr.runs(matrix)])


def _box(mark: Box, height: float) -> str:
    paint = {(True, False): "f", (False, True): "S"}[mark.fill is not None, mark.line is not None]
    colours = f"{_rgb(mark.fill)} rg" if mark.fill else f"{_rgb(mark.line or FAINT)} RG"
    path = _rounded(mark.x, height - mark.y - mark.height, mark.width, mark.height, mark.radius)
    return f"{colours} {mark.line_width} w {path} {paint}"


def _rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
    """The path of a rectangle with rounded corners; with half its side as radius, of a circle."""
    bend = radius * (1 - _KAPPA)
    right, top = x + width, y + height
    parts = (
        (f"{x + radius:.3f} {y:.3f} m {right - radius:.3f} {y:.3f} l",),
        (right - bend, y, right, y + bend, right, y + radius),
        (f"{right:.3f} {top - radius:.3f} l",),
        (right, top - bend, right - bend, top, right - radius, top),
        (f"{x + radius:.3f} {top:.3f} l",),
        (x + bend, top, x, top - bend, x, top - radius),
        (f"{x:.3f} {y + radius:.3f} l",),
        (x, y + bend, x + bend, y, x + radius, y),
        ("h",),
    )
    return " ".join(
        each[0] if isinstance(each[0], str) else " ".join(f"{v:.3f}" for v in each) + " c"
        for each in parts
    )


@cache
def _rgb(colour: Colour) -> str:
    return " ".join(f"{each / 255:.3f}" for each in colour)
