"""Printed codes over the synthetic province: names, number and fixed sentences, and nothing else."""

import io
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

import pypdfium2
import pytest
import zxingcpp
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from gateway.codes.ids import code_id_from, code_url, phrase_from
from gateway.codes.model import is_operators_name
from gateway.codes.printing import content as words
from gateway.codes.printing.content import Content
from gateway.codes.printing.downloads import content_for
from gateway.codes.printing.formats import FORMATS, sheet_pages
from gateway.codes.printing.layouts import upright
from gateway.codes.printing.pdf import write_pdf
from gateway.codes.printing.png import write_png
from gateway.codes.printing.svg import write_svg
from gateway.codes.printing.typeface import Typeface, open_typeface
from gateway.codes.store import Code
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Enterprise
from gateway.pages.chinese_font import find_font
from gateway.pages.i18n import Translated
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE
from tests.sampling import sampled

FONT: Final = find_font(None)
pytestmark = pytest.mark.skipif(FONT is None, reason="no Chinese font is installed")

NOW: Final = datetime(2026, 11, 23, 4, tzinfo=UTC)
ISSUER: Final = "https://credit.zhejiang.gov.cn"
PROVINCE: Final = tuple(province(3, 150, today=date(2026, 11, 23), catalogue=CATALOGUE))
INDIVIDUALS: Final = tuple(e for e in PROVINCE if e.enterprise.kind == INDIVIDUAL_BUSINESS)
SENTENCES: Final = sorted(
    {
        text
        for each in vars(words).values()
        for text in ((*each,) if isinstance(each, Translated) else ())
    },
    key=len,
    reverse=True,
)
PHASES: Final = (Phase.explicit, Phase.reuse, Phase.generate)
"""Not to shrink: drawing takes seconds, and each enterprise is as simple as another."""


def code_of(uscc: str, sign_name: str, place: int) -> Code:
    """A code of this enterprise."""
    return Code(
        uscc=uscc,
        code_id=code_id_from(place.to_bytes(16, "big")),
        sign_name=sign_name,
        label="仓库后门",
        check_phrase=phrase_from(bytes([place, 255 - place])),
        issued_at=NOW,
        issued_by="idp:person-4711",
    )


def content(enterprise: Enterprise, code: Code) -> Content:
    """The content of a download."""
    return content_for(code, enterprise, CATALOGUE, issuer=ISSUER, now=NOW)


def plain(text: str) -> str:
    """Letters and digits alone, in one form: lines are broken where there is room."""
    return "".join(each for each in unicodedata.normalize("NFKC", text) if each.isalnum())


def pdf_of(printed: Content, typeface: Typeface) -> bytes:
    """Every format in one file."""
    pages = [page for each in FORMATS for page in each.pages(printed, typeface)]
    pages += sheet_pages([printed], typeface)
    return write_pdf(pages, typeface, title=printed.sign_name, created=NOW)


def read_pdf(written: bytes) -> Iterator[str]:
    """The text of each page, and the file's own data."""
    document = pypdfium2.PdfDocument(written)
    yield " ".join(document.get_metadata_dict().values())
    for page in document:
        yield page.get_textpage().get_text_bounded()


def streams(written: bytes) -> Iterator[bytes]:
    """The file, and its streams decompressed."""
    yield written
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", written, re.DOTALL):
        try:
            yield zlib.decompress(part)
        except zlib.error:
            yield part


def left_over(text: str, printed: Content) -> str:
    """Letters and digits that are neither of a public value nor of a fixed sentence."""
    own = (printed.address, printed.sign_name, printed.name, printed.check_phrase, printed.number)
    text = plain(text)
    for known in sorted(
        map(plain, (*own, printed.host, *SENTENCES, "12315")), key=len, reverse=True
    ):
        text = text.replace(known, "") if known else text
    return text


@given(st.integers(0, len(PROVINCE) - 1))
@settings(max_examples=sampled(4, full=60), deadline=None, phases=PHASES)
def test_nothing_but_public_values_is_on_any_piece(place: int) -> None:
    """No label, person, number, address or USCC in any text, stream, title or picture."""
    check_pieces(PROVINCE[place], PROVINCE[place].enterprise, place)


@given(st.integers(0, len(INDIVIDUALS) - 1))
@settings(max_examples=sampled(2, full=30), deadline=None, phases=PHASES)
def test_no_piece_names_the_operator_of_an_individual_business_without_a_name(place: int) -> None:
    """Its registered name is the operator's, which the licence and the page have, and no paper of ours."""
    generated = INDIVIDUALS[place]
    operator = generated.enterprise.legal_representative
    for name in (operator, f"{operator}（个体工商户）"):
        enterprise = replace(generated.enterprise, name=name)
        assert content(enterprise, code_of(generated.uscc, "小店", place)).name == ""
    check_pieces(generated, enterprise, place)


def check_pieces(generated: SyntheticEnterprise, enterprise: Enterprise, place: int) -> None:
    """Print every format of a code, read it again, and look for what is not public."""
    assert FONT is not None
    typeface = open_typeface(FONT)
    printed = content(enterprise, code_of(generated.uscc, generated.sign_name, place))
    hidden = {*generated.personal.values(), generated.uscc, "仓库后门", "idp:person-4711"}
    if enterprise.kind == INDIVIDUAL_BUSINESS:
        hidden.add(enterprise.legal_representative)
    pdf, drawing = pdf_of(printed, typeface), upright(printed, typeface)
    svg = write_svg(drawing, typeface, title=printed.sign_name)
    png = write_png(drawing, typeface)
    for text in (*read_pdf(pdf), svg.decode()):
        assert not [each for each in hidden if plain(each) in plain(text)]
    for data in (*streams(pdf), svg, png):
        assert not [each for each in hidden if each.encode() in data]
        assert not [each for each in hidden if each.encode("utf-16-be") in data]
    for text in list(read_pdf(pdf))[1:]:
        assert not left_over(text, printed), "a text that is no public value and no fixed sentence"
    [described] = re.findall("<desc>(.*?)</desc>", svg.decode())
    assert not left_over(described, printed)
    picture = Image.open(io.BytesIO(png))
    assert not {*picture.info} - {"dpi", "gamma"}
    [symbol] = zxingcpp.read_barcodes(picture)
    assert symbol.text == code_url(ISSUER, printed.code_id)


def test_a_name_that_only_holds_the_operators_is_a_name_of_its_own() -> None:
    """A 字号 made of it was chosen for trade; a firm's representative is no operator."""
    assert is_operators_name("张三丰", "张三丰")
    assert is_operators_name("张三丰（个体工商户）", "张三丰")
    assert not is_operators_name("杭州张三丰小吃店", "张三丰")
    assert not is_operators_name("张三丰", None)
