"""Printed codes: read back at their size, pages, fonts, texts, and names of every length."""

import io
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final
from xml.etree import ElementTree as ET

import pypdf
import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from PIL import Image

from gateway.codes.printing import content as words
from gateway.codes.printing.content import Content, content_of
from gateway.codes.printing.drawing import Box, Drawing, Symbol, Text
from gateway.codes.printing.file_names import attachment, file_name
from gateway.codes.printing.font_subset import write_subset
from gateway.codes.printing.formats import BY_KEY, FORMATS, STICKERS_PER_SHEET, sheet_pages
from gateway.codes.printing.layouts import (
    MIN_MODULE,
    ROUND,
    ModulesTooSmallError,
    beside,
    upright,
)
from gateway.codes.printing.pdf import write_pdf
from gateway.codes.printing.png import write_png
from gateway.codes.printing.svg import write_svg
from gateway.codes.printing.typeface import Typeface, open_typeface
from gateway.codes.qr import QUIET_ZONE_MODULES
from gateway.pages.chinese_font import face_of, find_font

FONT: Final = find_font(None)
pytestmark = pytest.mark.skipif(FONT is None, reason="no Chinese font is installed")

ISSUER: Final = "https://credit.zhejiang.gov.cn"
DAY: Final = datetime(2026, 11, 22, tzinfo=UTC)
LONGEST: Final = "宝鸡有一群怀揣着少年梦想的年轻人在牛大叔的带领下寻找生命的奇迹网络科技有限公司"
"""The longest name in the national register."""
PAPERS: Final = {
    "a6": (105, 148),
    "a5": (148, 210),
    "a4": (210, 297),
    "round": (80, 80),
    "tent": (210, 297),
    "sheet": (210, 297),
}
SYMBOLS: Final = {"tent": 2, "sheet": 8}
NO_GLYPH: Final = "\U000323b0"
"""A character of an extension that the font has not."""


@pytest.fixture(scope="module")
def typeface() -> Typeface:
    """The installed font."""
    assert FONT is not None
    return open_typeface(FONT)


@pytest.fixture(scope="module")
def small_font(typeface: Typeface, tmp_path_factory: pytest.TempPathFactory) -> Typeface:
    """The font with the characters of one content, as for a print run."""
    path = tmp_path_factory.mktemp("font") / "subset.otf"
    return write_subset(typeface, "".join(asdict(a_content()).values()), path)


def a_content(
    sign_name: str = "云栖小店", name: str = "杭州云栖科技有限公司", *, issuer: str = ISSUER
) -> Content:
    return content_of(
        issuer,
        code_id="ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        sign_name=sign_name,
        name=name,
        check_phrase="青山 白云",
    )


@pytest.fixture(scope="module")
def pdfs(small_font: Typeface) -> Mapping[str, bytes]:
    """A PDF of every format."""
    content = a_content()
    pages = {each.key: each.pages(content, small_font) for each in FORMATS}
    pages["sheet"] = list(sheet_pages([content] * STICKERS_PER_SHEET, small_font))
    return {
        key: write_pdf(these, small_font, title="t", created=DAY) for key, these in pages.items()
    }


def picture_of(pdf: bytes, dpi: int) -> Image.Image:
    """The first page as it looks printed in grey."""
    document = pypdfium2.PdfDocument(pdf)
    picture: Image.Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
    document.close()
    return picture


def read_codes(picture: Image.Image) -> list[Any]:
    grey = picture.convert("L")
    pixels = memoryview(grey.tobytes()).cast("B", (grey.height, grey.width))
    return list(zxingcpp.read_barcodes(pixels))


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    page = document[0].get_textpage()
    text: str = page.get_text_range()
    page.close()
    document.close()
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@pytest.mark.parametrize("key", PAPERS)
def test_every_format_is_read_at_its_printed_size(pdfs: Mapping[str, bytes], key: str) -> None:
    """At 150 dots per inch and in grey, each symbol at level H."""
    found = read_codes(picture_of(pdfs[key], 150))
    assert [(each.text, each.ec_level) for each in found] == [
        (a_content().address, "H")
    ] * SYMBOLS.get(key, 1)


@pytest.mark.parametrize("key", PAPERS)
def test_pages_have_the_size_of_their_paper(pdfs: Mapping[str, bytes], key: str) -> None:
    """In points, and with the wish not to be scaled."""
    reader = pypdf.PdfReader(io.BytesIO(pdfs[key]))
    [page] = reader.pages
    printed = (float(page.mediabox.width), float(page.mediabox.height))
    assert printed == pytest.approx([each * 72 / 25.4 for each in PAPERS[key]], abs=0.1)
    root: Any = reader.trailer["/Root"]
    assert root["/ViewerPreferences"]["/PrintScaling"] == "/None"


@pytest.mark.parametrize("key", PAPERS)
def test_the_font_is_embedded_as_a_subset(pdfs: Mapping[str, bytes], key: str) -> None:
    """A printer without it draws the same, and the file stays small."""
    [page] = pypdf.PdfReader(io.BytesIO(pdfs[key])).pages
    resources: Any = page["/Resources"]
    [font] = resources["/Font"].values()
    [inner] = font.get_object()["/DescendantFonts"]
    described = inner.get_object()["/FontDescriptor"]
    assert {"/FontFile2", "/FontFile3"} & set(described)
    assert re.match(r"/?[A-Z]{6}\+", described["/FontName"])
    assert len(pdfs[key]) < 100_000


@pytest.mark.parametrize("key", PAPERS)
def test_the_text_can_be_read_and_says_what_is_to_be_checked(
    pdfs: Mapping[str, bytes], key: str
) -> None:
    """Names, check phrase, number, official domain and 12315, in both languages."""
    said = text_of(pdfs[key])
    licence = words.LICENCE_SHORT if key == "round" else words.LICENCE
    for each in (
        *words.TITLE,
        *licence,
        *words.PHRASE,
        "云栖小店",
        "杭州云栖科技有限公司",
        "青山 白云",
        a_content().code_id,
        "credit.zhejiang.gov.cn",
        "12315",
    ):
        assert re.sub(r"\s+", "", unicodedata.normalize("NFKC", each)) in said


def drawings(content: Content, typeface: Typeface) -> dict[str, Drawing]:
    return {each.key: each.pages(content, typeface)[0].placements[0].drawing for each in FORMATS}


NAMES: Final = (
    ("云栖小店", "云栖小店"),
    ("牛", LONGEST),
    (LONGEST, LONGEST),
    ("老字号·西湖牛大叔家常菜馆（文三路总店）Uncle Niu’s Kitchen & Bar", LONGEST),
    ("长" * 300, "名" * 2000),
    ("Averylongword" * 9, "W" * 90),
    ("行 " * 60, "A b " * 60),
)


@pytest.mark.parametrize(("sign", "name"), NAMES)
def test_no_text_leaves_its_piece_or_touches_the_symbol(
    typeface: Typeface, sign: str, name: str
) -> None:
    """Long names are made smaller, wrapped, and at last cut; lines do not overlap."""
    for key, drawing in drawings(a_content(sign, name), typeface).items():
        texts = [each for each in drawing.marks if isinstance(each, Text)]
        [symbol] = [each for each in drawing.marks if isinstance(each, Symbol)]
        for each in texts:
            right = each.x + typeface.width(each.text) * each.size
            top, bottom = each.y - 0.88 * each.size, each.y + 0.12 * each.size
            assert each.x >= 4.9, each
            assert right <= drawing.width - 4.9, each
            assert top >= 4.9, each
            assert bottom <= drawing.height - 4.9, each
            assert each.size >= 1.39, each
            data = symbol.size - 2 * QUIET_ZONE_MODULES * symbol.module
            left = symbol.x + (symbol.size - data) / 2
            beside = right <= left or each.x >= left + data
            over = bottom <= symbol.y + (symbol.size - data) / 2
            under = top >= symbol.y + (symbol.size + data) / 2
            assert beside or over or under, each
            if key == "round":
                for x in (each.x, right):
                    for y in (top, bottom):
                        assert ((x - ROUND / 2) ** 2 + (y - ROUND / 2) ** 2) ** 0.5 < 38, each
        for first, second in pairwise(sorted(texts, key=lambda each: (each.x // 30, each.y))):
            if first.x // 30 == second.x // 30 and second.y > first.y:
                assert second.y - 0.8 * second.size >= first.y - 0.05 * first.size, (first, second)


@pytest.mark.parametrize(
    "host", ["qiyema.credit-information.hangzhou.gov.cn", "a" * 60 + ".gov.cn"]
)
def test_the_official_domain_is_never_cut(typeface: Typeface, host: str) -> None:
    """One that ends in an ellipsis is that of a forger as well."""
    content = a_content(issuer=f"https://{host}")
    for drawing in (*drawings(content, typeface).values(), beside(content, typeface)):
        said = "".join(each.text for each in drawing.marks if isinstance(each, Text))
        assert host in said


def test_no_bracket_is_left_open_by_a_cut(typeface: Typeface) -> None:
    """Whatever the length at which the sign is cut."""
    for length in range(20, 40):
        [face] = [
            each
            for key, each in drawings(a_content("店" * length + "（滨江旗舰店）"), typeface).items()
            if key == "round"
        ]
        assert not any(each.text.endswith("（…") for each in face.marks if isinstance(each, Text))


def test_modules_are_never_under_the_smallest_size(typeface: Typeface) -> None:
    """A long address makes more of them; one that is too long is refused."""
    for length in (1, 5, 20):
        content = a_content(issuer=f"https://{'credit.' * length}gov.cn")
        for drawing in drawings(content, typeface).values():
            for mark in drawing.marks:
                assert not isinstance(mark, Symbol) or mark.module >= MIN_MODULE
    with pytest.raises(ModulesTooSmallError):
        drawings(a_content(issuer=f"https://{'credit.' * 150}gov.cn"), typeface)


def test_a_character_that_the_font_has_not_is_marked_and_named(typeface: Typeface) -> None:
    """〓 in its place, and its code point on the piece: never an empty box."""
    content = a_content(f"{NO_GLYPH}记面馆", "杭州\ue000面馆")
    assert not typeface.has(NO_GLYPH)
    for drawing in drawings(content, typeface).values():
        said = [each.text for each in drawing.marks if isinstance(each, Text)]
        assert "〓记面馆" in said
        assert any("U+323B0 U+E000" in each for each in said)
        assert all(typeface.has(each) for line in said for each in line)


def test_invisible_characters_are_not_drawn(typeface: Typeface) -> None:
    """Nor named as missing: line feeds, bidirectional marks, variation selectors."""
    content = a_content("云\u202e栖\ufe00\U000e0101\n小\u200b店", "甲\x00")
    [sign, name, *_] = [
        each.text
        for each in upright(content, typeface).marks
        if isinstance(each, Text) and each.text not in words.TITLE
    ]
    assert (sign, name) == ("云栖 小店", "甲")


def test_the_pictures_have_the_names_and_are_read(typeface: Typeface) -> None:
    """PNG at 300 dots per inch; SVG in millimetres, with its texts for screen readers."""
    drawing = upright(a_content("<b>&店"), typeface)
    png = Image.open(io.BytesIO(write_png(drawing, typeface)))
    assert png.size == (1240, 1748)
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    [read] = read_codes(png.resize((620, 874)))
    assert read.text == a_content().address
    svg = ET.fromstring(write_svg(drawing, typeface, title="<b>&店"))  # noqa: S314  # ours
    space = "{http://www.w3.org/2000/svg}"
    assert (svg.get("width"), svg.get("height")) == ("105.0mm", "148.0mm")
    assert svg.findtext(f"{space}title") == "<b>&店"
    assert "青山 白云" in str(svg.findtext(f"{space}desc"))
    drawn = {each.get("href") for each in svg.iter(f"{space}use")}
    outlines = {f"#{each.get('id')}" for each in svg.iter(f"{space}path")}
    assert {f"#u{ord(each):x}" for each in "<b>&店青山白云"} <= drawn <= outlines


def test_the_tables_of_a_font_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sticker's outlines do not look them up for each character."""
    read: list[str] = []

    def counted(name: str) -> Callable[[TTFont], Any]:
        whole = getattr(TTFont, name)

        def act(font: TTFont) -> Any:
            read.append(name)
            return whole(font)

        return act

    for name in ("getBestCmap", "getGlyphSet"):
        monkeypatch.setattr(TTFont, name, counted(name))
    assert FONT is not None
    fresh = Typeface(FONT, face_of(FONT))
    assert all(fresh.outline(each) for each in "云栖小店" if fresh.has(each))
    assert sorted(read) == ["getBestCmap", "getGlyphSet"]


def test_pieces_are_legible_in_grey(typeface: Typeface) -> None:
    """Every text has a contrast of at least 7 to what is behind it (WCAG 1.4.6)."""
    for drawing in drawings(a_content(), typeface).values():
        filled = [each for each in drawing.marks if isinstance(each, Box) and each.fill]
        for text in (each for each in drawing.marks if isinstance(each, Text)):
            behind = next(
                (box.fill for box in filled if box.fill and box.y < text.y < box.y + box.height),
                (255, 255, 255),
            )
            darker, lighter = sorted((luminance(text.colour), luminance(behind)))
            assert (lighter + 0.05) / (darker + 0.05) >= 7


def luminance(colour: tuple[int, int, int]) -> float:
    linear = [
        each / 255 / 12.92 if each <= 10 else ((each / 255 + 0.055) / 1.055) ** 2.4
        for each in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("云栖小店", "企业码-云栖小店-a6.pdf"),
        ('../..\\a/b:c*?"<>|.exe', "企业码-a_b_c_exe-a6.pdf"),
        ("店\r\nSet-Cookie: a=b\u202e\x00", "企业码-店Set-Cookie_a=b-a6.pdf"),
        ("...", "企业码-店-a6.pdf"),
        ("长" * 99, f"企业码-{'长' * 40}-a6.pdf"),
    ],
)
def test_file_names_say_the_sign_and_are_safe(sign: str, name: str) -> None:
    """No path, no header, no hidden file."""
    assert file_name(sign, "a6", "pdf") == name
    header = attachment(name, "ID-a6.pdf")
    assert header.isascii()
    assert header.isprintable()


def test_every_format_has_a_place_on_paper_and_a_purpose() -> None:
    """In both languages, under a name of its own."""
    assert [*BY_KEY, "sheet"] == list(PAPERS)
    for each in FORMATS:
        assert all((*each.name, *each.paper, *each.purpose))
