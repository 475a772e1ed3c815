"""PNG writer of printed codes (Pillow), at 300 dots per inch."""

import io
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from gateway.codes import qr
from gateway.codes.printing.drawing import (
    BOLD_STROKE,
    FAINT,
    WHITE,
    Box,
    Circle,
    Drawing,
    Line,
    Symbol,
    Text,
)
from gateway.codes.printing.typeface import Typeface

DPI: Final = 300
_PIXELS: Final = DPI / 25.4
"""Pixels of a millimetre."""


def write_png(drawing: Drawing, typeface: Typeface) -> bytes:
    """The drawing as a picture that says its size on paper."""
    size = (round(drawing.width * _PIXELS), round(drawing.height * _PIXELS))
    picture = Image.new("RGB", size, WHITE)
    pen = ImageDraw.Draw(picture)
    for mark in drawing.marks:
        match mark:
            case Text():
                _text(pen, mark, typeface)
            case Symbol():
                _symbol(pen, mark)
            case Box():
                box = _corners(mark.x, mark.y, mark.x + mark.width, mark.y + mark.height)
                width = max(1, round(mark.line_width * _PIXELS)) if mark.line else 0
                pen.rounded_rectangle(
                    box, mark.radius * _PIXELS, fill=mark.fill, outline=mark.line, width=width
                )
            case Circle():
                side = mark.radius + mark.line_width / 2
                box = _corners(mark.x - side, mark.y - side, mark.x + side, mark.y + side)
                pen.ellipse(box, outline=mark.line, width=round(mark.line_width * _PIXELS))
            case Line():
                pen.line(_corners(mark.x, mark.y, mark.to_x, mark.to_y), fill=FAINT)
    written = io.BytesIO()
    picture.save(written, "PNG", dpi=(DPI, DPI), optimize=True)
    return written.getvalue()


def _corners(*millimetres: float) -> tuple[float, ...]:
    return tuple(each * _PIXELS for each in millimetres)


def _text(pen: ImageDraw.ImageDraw, mark: Text, typeface: Typeface) -> None:
    em = mark.size * _PIXELS
    font = _font(typeface.path, typeface.face, em)
    stroke = em * BOLD_STROKE / 2 if mark.bold else 0
    place = (mark.x * _PIXELS, mark.y * _PIXELS)
    pen.text(place, mark.text, fill=mark.colour, font=font, anchor="ls", stroke_width=stroke)


@cache
def _font(path: Path, face: int, em: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, em, index=face, layout_engine=ImageFont.Layout.BASIC)


def _symbol(pen: ImageDraw.ImageDraw, mark: Symbol) -> None:
    """The symbol in whole pixels a module, in the middle of its place."""
    count = len(mark.matrix)
    module = int(mark.module * _PIXELS)
    rest = (mark.size * _PIXELS - module * count) / 2
    left, top = round(mark.x * _PIXELS + rest), round(mark.y * _PIXELS + rest)
    for x, y, length in qr.runs(mark.matrix):
        corner = (left + x * module, top + y * module)
        pen.rectangle(
            (*corner, corner[0] + length * module - 1, corner[1] + module - 1), fill="black"
        )
