"""The PDF of an own report: what it says, its symbol, its pages, the document in it, and its bytes."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pypdf
import pypdfium2
import pytest
import zxingcpp

from gateway.codes.printing.a4_sheet import MARGIN, WIDTH
from gateway.codes.printing.drawing import Page, Text
from gateway.codes.printing.typeface import Typeface, open_typeface
from gateway.credit_reports.content import content_of
from gateway.credit_reports.document import signed_file
from gateway.credit_reports.pdf import draw_report
from gateway.credit_reports.pdf_layout import report_pages
from gateway.pages.chinese_font import find_font
from tests.credit_report_builders import NOW, REPORT_ID, choice_of, enterprises, make_report
from tests.creditfile_builders import CATALOGUE, make_enterprise, make_record
from tests.sdk_report_builders import KEY, KID, keys
from xinqiao import verify_report

FONT: Final = find_font(None)
pytestmark = pytest.mark.skipif(FONT is None, reason="no Chinese font")
ADDRESS: Final = f"https://gw.example/R/{REPORT_ID}"


class Signer:
    """The response-signing key of the tests."""

    kid = KID

    def sign(self, message: bytes) -> bytes:
        """Sign."""
        return KEY.sign(message)


def the_font() -> Path:
    """The Chinese font."""
    assert FONT is not None
    return FONT


@cache
def full_report() -> dict[str, Any]:
    """The report of the enterprise of the synthetic province with the most records."""
    made = max(enterprises(), key=lambda each: len(each.records))
    return make_report(made.enterprise, made.records)


def drawn(report: dict[str, Any]) -> bytes:
    """The PDF of a report."""
    return draw_report(
        content_of(report, CATALOGUE),
        signed_file(report, Signer()),
        font=the_font(),
        signer=Signer(),
        synthetic=True,
    )


@cache
def full_pdf() -> bytes:
    """The PDF of the full report."""
    return drawn(full_report())


def pages_of(report: dict[str, Any]) -> list[Page]:
    """The pages of a report, before they are written."""
    return report_pages(content_of(report, CATALOGUE), open_typeface(the_font()), synthetic=False)


def text_of(report: dict[str, Any]) -> str:
    """The lines of all pages, joined, without blanks."""
    lines = (text.text for page in pages_of(report) for text in texts_on(page))
    return re.sub(r"\s", "", "".join(lines))


def texts_on(page: Page) -> list[Text]:
    """The lines of a page."""
    (placement,) = page.placements
    return [each for each in placement.drawing.marks if isinstance(each, Text)]


def test_the_pdf_alone_verifies_and_the_document_in_it_is_the_signed_one() -> None:
    """Attached under its number, byte for byte; the SDK verifies both."""
    report = full_report()
    pdf = full_pdf()
    attached = pypdf.PdfReader(io.BytesIO(pdf)).attachments
    assert attached == {f"{REPORT_ID}.json": [signed_file(report, Signer())]}
    verified = verify_report(pdf, keys=keys(), now=NOW)
    assert verified == verify_report(signed_file(report, Signer()), keys=keys(), now=NOW)
    assert verified.report_id == REPORT_ID


def test_the_same_report_gives_the_same_bytes() -> None:
    """So that a file can be compared with what was issued."""
    assert drawn(full_report()) == full_pdf()


def test_its_symbol_leads_to_its_page() -> None:
    """As a phone reads it, with error correction M or better; on a screen it is a link."""
    picture = pypdfium2.PdfDocument(full_pdf())[0].render(scale=2).to_pil()
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text.upper() == ADDRESS.upper()
    assert found.ec_level in {"M", "Q", "H"}
    annotations: Any = pypdf.PdfReader(io.BytesIO(full_pdf())).pages[0]["/Annots"]
    (link,) = [each.get_object()["/A"]["/URI"] for each in annotations]
    assert link == ADDRESS


def test_its_first_page_names_the_datasets_with_records_too() -> None:
    """An adverse record is announced before the page is turned, and before what was not found."""
    report = make_report(
        make_enterprise(), [make_record("penalty")], choice_of(["penalty", "abnormal_listing"])
    )
    lines = [each.text for each in texts_on(pages_of(report)[0])]
    with_records, without = lines.index("有记录的类别"), lines.index("未查询到记录的类别")
    assert lines[with_records:without].count("行政处罚") == 1
    assert "1 条" in lines[with_records:without]
    assert "经营异常名录" not in lines[with_records:without]


def test_each_page_has_its_number_and_the_report_s_number_and_domain() -> None:
    """In the footer."""
    pages = pages_of(full_report())
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        lines = [each.text for each in texts_on(page)]
        assert f"{REPORT_ID} · gw.example" in lines
        assert f"第 {number} 页，共 {len(pages)} 页 Page {number} of {len(pages)}" in lines


def test_it_says_whose_it_is_for_whom_and_until_when() -> None:
    """With everything that was found and what was not, in the words of R6."""
    report = make_report(
        make_enterprise(), [make_record("penalty")], choice_of(["penalty", "abnormal_listing"])
    )
    said = text_of(report)
    for expected in (
        "专项信用报告",
        report["enterprise"]["name"],
        report["enterprise"]["uscc"],
        "示例银行",
        "2026-12-2224:00",
        "行政处罚",
        "截至2026-11-2300:00未查询到列入经营异常名录的信息",
        "企业收回后",
        *(each["zh"] for each in report["left_out"]),
    ):
        assert expected in said
    everything = replace(choice_of(["penalty"]), recipient=None)
    said = text_of(make_report(make_enterprise(), [], everything))
    assert "持有链接或二维码的任何人" in said
    assert "未查询到在公示期内的行政处罚记录" in said


def test_rare_characters_are_drawn_and_what_the_font_lacks_is_marked() -> None:
    """𠮷 and 䶮 are in the font; of a character that is in no font a printers' mark stands."""
    rare = "𠮷䶮龘"
    report = full_report() | {"recipient": f"{rare}\U000effff<b>行\u202e"}
    said = text_of(report)
    assert f"{rare}〓<b>行" in said
    assert "\u202e" not in said
    shown = pypdfium2.PdfDocument(drawn(report))[0].get_textpage().get_text_bounded()
    assert f"{rare}〓<b>行" in shown


def test_long_texts_wrap_and_go_on_upon_the_next_page() -> None:
    """Under the name of the record that goes on."""
    scope = "、".join(f"第{number}项技术开发与技术咨询" for number in range(400))
    report = make_report(replace(make_enterprise(), scope=scope), [], choice_of(["registration"]))
    pages = pages_of(report)
    second = [each.text for each in texts_on(pages[1])]
    assert second[0].startswith("登记信息")
    assert second[0].endswith("（续）")
    said = text_of(report)
    assert all(f"第{number}项技术开发" in said for number in (0, 199, 399))


def _boxes(page: Page, typeface: Typeface) -> Iterator[tuple[float, float, float, float, str]]:
    for each in texts_on(page):
        if each.text:
            top = each.y - each.size * 0.8
            width = typeface.width(each.text) * each.size
            yield each.x, top, each.x + width, top + each.size * 0.8, each.text


def test_no_text_leaves_the_page_or_lies_on_another() -> None:
    """Of the enterprises with the most and the oddest records."""
    typeface = open_typeface(the_font())
    chosen = sorted(enterprises(), key=lambda each: -len(each.records))[:6]
    for made in chosen:
        for page in pages_of(make_report(made.enterprise, made.records)):
            boxes = sorted(_boxes(page, typeface), key=lambda each: each[1])
            for place, (left, _, right, bottom, text) in enumerate(boxes):
                assert left >= MARGIN - 1, text
                assert right <= WIDTH - MARGIN + 1, text
                assert bottom <= 297 - 8, text
                for other in boxes[place + 1 :]:
                    if other[1] >= bottom:
                        break
                    is_beside = other[0] >= right or other[2] <= left
                    assert is_beside, (text, other[4])
