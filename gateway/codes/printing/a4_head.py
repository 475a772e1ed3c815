"""Head of a printed document: issuer, title, and at the right the QR symbol of its page."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gateway.codes import qr
from gateway.codes.printing.a4_sheet import BODY, HEADING, LEADING, MARGIN, SMALL, WIDTH, Sheet
from gateway.codes.printing.drawing import BRAND, SOFT, Colour, Link, Symbol
from gateway.pages.i18n import Translated

QR_WIDTH: Final = 36.0
WARNING: Final[Colour] = (170, 60, 20)
SYNTHETIC: Final = Translated("合成数据，仅供演示", "Synthetic data of a demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The contents of a head."""

    title: Translated
    address: str
    """The address in the symbol."""
    scan: Translated
    """Caption of the QR symbol."""
    synthetic: bool

    @property
    def domain(self) -> str:
        """The official domain, with its port if it has one."""
        return urlsplit(self.address).netloc.lower()


def draw_head(sheet: Sheet, head: Head) -> None:
    """Draw it at the top of the first page."""
    left, top = WIDTH - MARGIN - QR_WIDTH, MARGIN - 4
    sheet.marks.append(Symbol(x=left, y=top, size=QR_WIDTH, matrix=qr.matrix_of(head.address)))
    sheet.links.append(Link(x=left, y=top, width=QR_WIDTH, height=QR_WIDTH, address=head.address))
    under = top + QR_WIDTH
    for text in head.scan:
        middle = left + (QR_WIDTH - sheet.width(text, SMALL)) / 2
        sheet.line(text, middle, under, SMALL, SOFT)
        under += SMALL * LEADING
    wide = left - MARGIN - 6
    sheet.lines("信桥 Xinqiao", size=HEADING, width=wide, colour=BRAND, bold=True)
    sheet.lines(head.domain, size=SMALL, width=wide, colour=SOFT)
    sheet.space(5)
    sheet.lines(head.title.zh, size=8.4, width=wide, bold=True)
    sheet.lines(head.title.en, size=4, width=wide, colour=SOFT)
    if head.synthetic:
        sheet.lines(f"{SYNTHETIC.zh}  {SYNTHETIC.en}", size=BODY, width=wide, colour=WARNING)
    sheet.y = max(sheet.y, under) + 3
