"""Consent receipt as PDF, in Chinese and English, from the signed record.

Embeds a system font with Chinese; without one no PDF is offered, only the signed record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from gateway.pages.i18n import Translated

# Debian's `fonts-noto-cjk`; index 2 of the collection is simplified Chinese.
USUAL_FONTS: Final = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
)
SIMPLIFIED: Final = 2
ALLOWED: Final = Translated("授权内容", "What was allowed")
SEPARATE: Final = Translated("其中单独同意", "Consented to separately")
ASKED: Final = Translated("申请内容（未授权）", "What was asked for, and not allowed")
LABEL_WIDTH: Final = 44
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
    synthetic: bool
    """True for demo data."""


def find_font(chosen: Path | None) -> Path | None:
    """The configured font, or one at a usual path; `None` if there is none."""
    paths = (chosen,) if chosen else USUAL_FONTS
    return next((each for each in paths if each.is_file()), None)


def draw_receipt(receipt: Receipt, font: Path) -> bytes:
    """Render the PDF; takes about a second, as a Chinese font is large."""
    sheet = FPDF(format="A4")
    sheet.set_title(f"{receipt.title.zh} {receipt.title.en}")
    sheet.set_creator("Xinqiao")
    sheet.set_lang("zh-CN")
    face = SIMPLIFIED if font.suffix == ".ttc" else 0
    sheet.add_font("zh", fname=font, collection_font_number=face)
    sheet.set_margins(20, 18)
    sheet.set_auto_page_break(auto=True, margin=18)
    sheet.add_page()
    if receipt.synthetic:
        _line(sheet, "合成数据，仅供演示 · synthetic data of a demo", 9, SOFT)
    _line(sheet, receipt.title.zh, 20, INK)
    _line(sheet, receipt.title.en, 12, SOFT)
    sheet.ln(4)
    for label, value in receipt.facts:
        _fact(sheet, label, value)
    what = ALLOWED if receipt.allowed else ASKED
    _section(sheet, what, (_both(each) for each in receipt.items))
    _section(sheet, SEPARATE, (_both(each) for each in receipt.separate))
    _section(
        sheet,
        Translated("经过", "History"),
        (f"{when}   {_both(what)}" for when, what in receipt.history),
    )
    _section(
        sheet, Translated("决定前所示文字", "The words shown before the decision"), receipt.text
    )
    _section(sheet, Translated("如何核实", "How to verify"), receipt.proof)
    return bytes(sheet.output())


def _section(sheet: FPDF, title: Translated, lines: Iterable[str]) -> None:
    written = list(lines)
    if not written:
        return
    sheet.ln(3)
    _line(sheet, _both(title), 12, INK)
    for each in written:
        _line(sheet, each, 9, INK)


def _fact(sheet: FPDF, label: Translated, value: Translated) -> None:
    top = sheet.get_y()
    sheet.set_font("zh", size=9)
    sheet.set_text_color(*SOFT)
    sheet.multi_cell(LABEL_WIDTH, 5, f"{label.zh}\n{label.en}", new_x=XPos.RIGHT, new_y=YPos.TOP)
    under_label = top + 10
    sheet.set_xy(sheet.l_margin + LABEL_WIDTH, top)
    sheet.set_font("zh", size=11)
    sheet.set_text_color(*INK)
    sheet.multi_cell(0, 6, _both(value), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    if sheet.get_y() > top:  # still on the same page
        sheet.set_y(max(sheet.get_y(), under_label) + 1)


def _line(sheet: FPDF, text: str, size: int, colour: tuple[int, int, int]) -> None:
    sheet.set_font("zh", size=size)
    sheet.set_text_color(*colour)
    sheet.multi_cell(0, size * 0.55, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _both(text: Translated) -> str:
    return text.zh if text.zh == text.en else f"{text.zh}  {text.en}"
