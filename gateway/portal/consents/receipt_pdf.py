"""Consent receipt as PDF, in Chinese and English, from the signed record.

Embeds a system font with Chinese; without one no PDF is offered, only the signed record.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import qrcode
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from gateway.pages.chinese_font import face_of
from gateway.pages.i18n import Translated

ALLOWED: Final = Translated("授权内容", "Authorised")
SEPARATE: Final = Translated("其中已单独同意", "Separately consented")
ASKED: Final = Translated("申请内容（未授权）", "Requested, not authorised")
SCAN: Final = Translated("扫码核对凭证和当前状态", "Scan to verify")
LABEL_WIDTH: Final = 44
TEXT_SIZE: Final = 10
QR_WIDTH: Final = 30
MARK: Final = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">\
<rect width="32" height="32" rx="8" fill="#0b5a8f"/>\
<path d="M5 22h22M7 22v-3a9 9 0 0 1 18 0v3M16 10v12M11.5 12v10M20.500 12v10" fill="none" \
stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>"""
"""The portal's mark."""
INK: Final = (23, 33, 43)
SOFT: Final = (82, 96, 109)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The contents of a receipt."""

    title: Translated
    facts: Sequence[tuple[Translated, Translated]]
    allowed: bool
    """True where `items` were granted, and not only requested."""
    items: Sequence[Translated]
    separate: Sequence[Translated]
    """Items of separate consent."""
    history: Sequence[tuple[str, Translated]]
    text: Sequence[str]
    proof: Sequence[str]
    check_url: str
    """The address behind the QR code."""
    synthetic: bool
    """True for demo data."""


class _Sheet(FPDF):
    """A4 pages with their numbers."""

    def footer(self) -> None:
        """Write the page's number."""
        self.set_y(-14)
        self.set_font("zh", size=TEXT_SIZE)
        self.set_text_color(*SOFT)
        number = self.page_no()
        self.cell(0, 6, f"第 {number} 页，共 {{nb}} 页  Page {number} of {{nb}}", align="C")


def draw_receipt(receipt: Receipt, font: Path) -> bytes:
    """Render the PDF; takes about a second, as a Chinese font is large."""
    sheet = _Sheet(format="A4")
    sheet.set_title(f"{receipt.title.zh} {receipt.title.en}")
    sheet.set_creator("Xinqiao")
    sheet.set_lang("zh-CN")
    sheet.add_font("zh", fname=font, collection_font_number=face_of(font))
    sheet.set_margins(20, 18)
    sheet.set_auto_page_break(auto=True, margin=20)
    sheet.add_page()
    top = sheet.get_y()
    sheet.image(io.BytesIO(MARK), x=sheet.l_margin, y=top, w=10)
    sheet.set_xy(sheet.l_margin + 13, top + 2)
    _line(sheet, "信桥 Xinqiao · 企业信用授权", 12, INK)
    _qr(sheet, receipt.check_url, top)
    sheet.set_xy(sheet.l_margin, top + 14)
    if receipt.synthetic:
        _line(sheet, "合成数据，仅供演示 · synthetic data of a demo", TEXT_SIZE, SOFT)
    _line(sheet, receipt.title.zh, 20, INK)
    _line(sheet, receipt.title.en, 12, SOFT)
    sheet.set_y(max(sheet.get_y() + 4, top + QR_WIDTH + 8))
    for label, value in receipt.facts:
        _fact(sheet, label, value)
    what = ALLOWED if receipt.allowed else ASKED
    _section(sheet, what, (_both(each) for each in receipt.items))
    _section(sheet, SEPARATE, (_both(each) for each in receipt.separate))
    _section(
        sheet,
        Translated("办理记录", "History"),
        (f"{when}   {_both(what)}" for when, what in receipt.history),
    )
    _section(sheet, Translated("决定前告知的内容", "The notice before the decision"), receipt.text)
    _section(sheet, Translated("如何核实", "How to verify"), receipt.proof)
    return bytes(sheet.output())


def _section(sheet: FPDF, title: Translated, lines: Iterable[str]) -> None:
    written = list(lines)
    if not written:
        return
    sheet.ln(3)
    _line(sheet, _both(title), 12, INK)
    for each in written:
        _line(sheet, each, TEXT_SIZE, INK)


def _fact(sheet: FPDF, label: Translated, value: Translated) -> None:
    top = sheet.get_y()
    sheet.set_font("zh", size=TEXT_SIZE)
    sheet.set_text_color(*SOFT)
    sheet.multi_cell(LABEL_WIDTH, 5, f"{label.zh}\n{label.en}", new_x=XPos.RIGHT, new_y=YPos.TOP)
    under_label = top + 10
    sheet.set_xy(sheet.l_margin + LABEL_WIDTH, top)
    sheet.set_font("zh", size=11)
    sheet.set_text_color(*INK)
    sheet.multi_cell(0, 6, _both(value), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    if sheet.get_y() > top:  # still on the same page
        sheet.set_y(max(sheet.get_y(), under_label) + 1)


def _qr(sheet: FPDF, address: str, top: float) -> None:
    """The QR code of an address at the right margin, with what it is for."""
    symbol = qrcode.QRCode(border=0)
    symbol.add_data(address)
    modules = symbol.get_matrix()
    size = QR_WIDTH / len(modules)
    left = sheet.w - sheet.r_margin - QR_WIDTH
    sheet.set_fill_color(0)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            if dark:
                sheet.rect(left + x * size, top + y * size, size, size, style="F")
    sheet.set_xy(left - 15, top + QR_WIDTH + 1)
    sheet.set_font("zh", size=TEXT_SIZE)
    sheet.set_text_color(*SOFT)
    sheet.multi_cell(QR_WIDTH + 15, 5, f"{SCAN.zh}\n{SCAN.en}", align="R")


def _line(sheet: FPDF, text: str, size: int, colour: tuple[int, int, int]) -> None:
    sheet.set_font("zh", size=size)
    sheet.set_text_color(*colour)
    sheet.multi_cell(0, size * 0.55, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _both(text: Translated) -> str:
    return text.zh if text.zh == text.en else f"{text.zh}  {text.en}"
