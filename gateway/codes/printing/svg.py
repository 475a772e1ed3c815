"""SVG writer of printed codes: text as outlines, so that it looks the same without the font."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from gateway.codes import qr
from gateway.codes.printing.drawing import (
    BOLD_STROKE,
    FAINT,
    Box,
    Circle,
    Colour,
    Drawing,
    Line,
    Mark,
    Symbol,
    Text,
)
from gateway.codes.printing.typeface import Typeface


def write_svg(drawing: Drawing, typeface: Typeface, *, title: str) -> bytes:
    """The drawing as an SVG of its size in millimetres; its texts are also in `<desc>`."""
    texts = " · ".join(each.text for each in drawing.marks if isinstance(each, Text))
    size = f'width="{drawing.width}mm" height="{drawing.height}mm"'
    view = f"0 0 {drawing.width} {drawing.height}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{view}" role="img">',
        f"<title>{escape(title)}</title><desc>{escape(texts)}</desc>",
        f"<defs>{''.join(_glyphs(drawing, typeface))}</defs>",
        f'<path fill="#fff" d="M0 0h{drawing.width}v{drawing.height}H0z"/>',
        *(_mark(each, typeface) for each in drawing.marks),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def _glyphs(drawing: Drawing, typeface: Typeface) -> Iterator[str]:
    """Each character's outline once."""
    used = {c for each in drawing.marks if isinstance(each, Text) for c in each.text}
    for each in sorted(used - {" "}):
        yield f'<path id="u{ord(each):x}" d="{typeface.outline(each)}"/>'


def _mark(mark: Mark, typeface: Typeface) -> str:
    match mark:
        case Text():
            return _text(mark, typeface)
        case Symbol():
            scale = f"translate({mark.x} {mark.y}) scale({mark.module:.6f})"
            path = qr.as_path(mark.matrix)
            return f'<path transform="{scale}" shape-rendering="crispEdges" d="{path}"/>'
        case Box():
            fill = _rgb(mark.fill) if mark.fill else "none"
            line = (
                f' stroke="{_rgb(mark.line)}" stroke-width="{mark.line_width}"' if mark.line else ""
            )
            return (
                f'<rect x="{mark.x}" y="{mark.y}" width="{mark.width}" height="{mark.height}" '
                f'rx="{mark.radius}" fill="{fill}"{line}/>'
            )
        case Circle():
            return (
                f'<circle cx="{mark.x}" cy="{mark.y}" r="{mark.radius}" fill="none" '
                f'stroke="{_rgb(mark.line)}" stroke-width="{mark.line_width}"/>'
            )
        case Line():
            return (
                f'<path d="M{mark.x} {mark.y}L{mark.to_x} {mark.to_y}" stroke="{_rgb(FAINT)}" '
                'stroke-width="0.15" stroke-dasharray="1.5"/>'
            )


def _text(mark: Text, typeface: Typeface) -> str:
    em = typeface.units_per_em
    scale = mark.size / em
    colour = _rgb(mark.colour)
    bold = f' stroke="{colour}" stroke-width="{BOLD_STROKE * em:.0f}"' if mark.bold else ""
    uses, place = [], 0.0
    for each in mark.text:
        if each != " ":
            uses.append(f'<use href="#u{ord(each):x}" x="{place * em:.0f}"/>')
        place += typeface.width(each)
    move = f"translate({mark.x:.3f} {mark.y:.3f}) scale({scale:.6f} {-scale:.6f})"
    return f'<g fill="{colour}"{bold} transform="{move}">{"".join(uses)}</g>'


def _rgb(colour: Colour) -> str:
    return "#" + bytes(colour).hex()
