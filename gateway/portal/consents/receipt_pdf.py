"""Consent receipt as PDF, in Chinese and English, from the signed record.

Embeds a system font with Chinese; without one no PDF is offered, only the signed record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.codes.printing.a4_head import Head, draw_head
from gateway.codes.printing.a4_sheet import Sheet
from gateway.codes.printing.pdf import write_pdf
from gateway.codes.printing.typeface import open_typeface
from gateway.pages.i18n import Translated

ALLOWED: Final = Translated("授权内容", "Authorised")
SEPARATE: Final = Translated("其中已单独同意", "Separately consented")
ASKED: Final = Translated("申请内容（未授权）", "Requested, not authorised")
HISTORY: Final = Translated("办理记录", "History")
NOTICE: Final = Translated("决定前告知的内容", "The notice before the decision")
VERIFY: Final = Translated("如何核实", "How to verify")
SCAN: Final = Translated("扫码核对凭证和当前状态", "Scan to verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The contents of a receipt."""

    title: Translated
    created: datetime
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


def draw_receipt(receipt: Receipt, font: Path) -> bytes:
    """Render the PDF; takes about a second, as a Chinese font is large."""
    typeface = open_typeface(font)
    sheet = Sheet(typeface)
    head = Head(
        title=receipt.title,
        address=receipt.check_url,
        scan=SCAN,
        synthetic=receipt.synthetic,
    )
    draw_head(sheet, head)
    for fact in receipt.facts:
        sheet.row(fact)
    for title, texts in _sections(receipt):
        if texts:
            sheet.texts(title, texts)
    return write_pdf(
        sheet.finish(head.domain),
        typeface,
        title=f"{receipt.title.zh} {receipt.title.en}",
        created=receipt.created,
    )


def _sections(receipt: Receipt) -> Sequence[tuple[Translated, Sequence[Translated]]]:
    history = [Translated(f"{when}  {what.zh}", what.en) for when, what in receipt.history]
    return (
        (ALLOWED if receipt.allowed else ASKED, receipt.items),
        (SEPARATE, receipt.separate),
        (HISTORY, history),
        (NOTICE, [Translated(each, each) for each in receipt.text]),
        (VERIFY, [Translated(each, each) for each in receipt.proof]),
    )
