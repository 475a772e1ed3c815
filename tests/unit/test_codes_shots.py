"""Printed symbols in a hundred seeded shots: 160 px wide, slanted, blurred, noisy, glaring, covered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gateway.codes.ids import code_id_from
from gateway.codes.printing.content import Content, content_of
from gateway.codes.printing.drawing import Symbol
from gateway.codes.printing.font_subset import write_subset
from gateway.codes.printing.formats import STICKERS_PER_SHEET, sheet_page
from gateway.codes.printing.layouts import beside
from gateway.codes.printing.pdf import write_pdf
from gateway.codes.printing.typeface import open_typeface
from gateway.pages.chinese_font import find_font

FONT: Final = find_font(None)
SHOTS: Final = 100
LEAST_READ: Final = 99
WIDTH: Final = 160
"""Pixels of the symbol with its quiet zone in a shot."""
OVER: Final = 3
"""Pixels of the print for a pixel of the shot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardships:
    """Limits of a bad shot."""

    slant: float = 0.12
    """Displacement of a corner, of the symbol's width."""
    blur: float = 0.9
    """Radius in pixels of the shot; a module has 3.6."""
    noise: float = 0.25
    """Of full brightness, to either side."""
    glare: float = 0.5
    cover: float = 0.16
    """Width of what covers the symbol, of the symbol's width."""


def contents(random: Random) -> Iterator[Content]:
    for _ in range(SHOTS):
        yield content_of(
            "https://credit.zhejiang.gov.cn",
            code_id=code_id_from(random.randbytes(16)),
            sign_name="云栖小店",
            name="杭州云栖科技有限公司",
            check_phrase="青山 白云",
        )


def printed(these: list[Content], folder: Path) -> Iterator[Image.Image]:
    """Each symbol, cut out of the printed sheets of stickers."""
    assert FONT is not None
    first = these[0]
    texts = f"{first.sign_name}{first.name}{first.check_phrase}"
    typeface = write_subset(open_typeface(FONT), texts, folder / "subset.otf")
    drawings = [beside(each, typeface) for each in these]
    starts = range(0, SHOTS, STICKERS_PER_SHEET)
    pages = [sheet_page(drawings[start : start + STICKERS_PER_SHEET]) for start in starts]
    [symbol] = [each for each in drawings[0].marks if isinstance(each, Symbol)]
    scale = WIDTH * OVER / symbol.size
    pdf = write_pdf(pages, typeface, title="t", created=datetime(2026, 11, 22, tzinfo=UTC))
    document = pypdfium2.PdfDocument(pdf)
    for number, page in enumerate(pages):
        whole = document[number].render(scale=scale * 25.4 / 72, grayscale=True).to_pil()
        for place in page.placements[:-1]:
            x, y = (place.x + symbol.x) * scale, (place.y + symbol.y) * scale
            yield whole.crop((round(x), round(y), round(x) + WIDTH * OVER, round(y) + WIDTH * OVER))
    document.close()


def shot_of(symbol: Image.Image, random: Random, worst: Hardships) -> Image.Image:
    """What a camera sees: every hardship by a random part, all of them at once."""
    size = symbol.width
    picture = symbol.convert("L")
    _cover(picture, random, worst.cover * size)
    turned = picture.transform(
        (size, size),
        Image.Transform.PERSPECTIVE,
        _perspective(size, random, worst.slant),
        Image.Resampling.BICUBIC,
        fillcolor=255,
    )
    picture = turned.resize((WIDTH, WIDTH), Image.Resampling.BOX)
    picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0, worst.blur)))
    glare = Image.radial_gradient("L").point(lambda each: 255 - each).resize((WIDTH, WIDTH))
    strength = random.uniform(0, worst.glare)
    moved = ImageChops.offset(glare, random.randrange(WIDTH), random.randrange(WIDTH))
    picture.paste(255, mask=moved.point(lambda each: round(each * strength)))
    noise = random.uniform(0, worst.noise)
    grain = Image.frombytes("L", picture.size, random.randbytes(WIDTH * WIDTH))
    return ImageChops.add(
        picture, grain.point(lambda each: round(each * noise)), 1, round(-128 * noise)
    )


def _perspective(size: int, random: Random, slant: float) -> tuple[float, ...]:
    """Coefficients that map the shot onto the print, whose corners it shows further in (Heckbert 1989)."""
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (
        tuple((each + (2 * each - 1) * random.uniform(0, slant)) * size for each in corner)
        for corner in corners
    )
    across, down, x, y = x1 - x2, x3 - x2, x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    area = across * (y3 - y2) - down * (y1 - y2)
    g, h = (x * (y3 - y2) - down * y) / area, (across * y - x * (y1 - y2)) / area
    a, b, d, e = x1 - x0 + g * x1, x3 - x0 + h * x3, y1 - y0 + g * y1, y3 - y0 + h * y3
    return a / size, b / size, x0, d / size, e / size, y0, g / size, h / size


def _cover(picture: Image.Image, random: Random, most: float) -> None:
    """A blot or a tear anywhere but on the three finder patterns, without which nothing is found."""
    size, finder = picture.width, picture.width * 0.26
    while True:
        width, height = random.uniform(0, most), random.uniform(0, most)
        x, y = random.uniform(0, size - width), random.uniform(0, size - height)
        on_left, on_right = x < finder, x + width > size - finder
        on_top, at_bottom = y < finder, y + height > size - finder
        if not (on_top and (on_left or on_right)) and not (on_left and at_bottom):
            break
    ImageDraw.Draw(picture).ellipse((x, y, x + width, y + height), fill=random.choice((0, 255)))


def is_read(picture: Image.Image, address: str) -> bool:
    pixels = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    return [each.text for each in zxingcpp.read_barcodes(pixels)] == [address]


@pytest.mark.skipif(FONT is None, reason="no Chinese font is installed")
def test_a_camera_reads_printed_symbols_in_spite_of_everything(tmp_path: Path) -> None:
    """At least 99 of 100, each with its own id."""
    random = Random(20261122)  # noqa: S311  # not for secrets
    these = list(contents(random))
    symbols = printed(these, tmp_path)
    read = [
        is_read(shot_of(symbol, random, Hardships()), each.address)
        for symbol, each in zip(symbols, these, strict=True)
    ]
    assert sum(read) >= LEAST_READ
