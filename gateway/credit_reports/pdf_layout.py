"""Layout of a report on A4 pages: title and symbol, facts, a table for each record, footers. Pure.

Texts wrap, and what does not fit a page goes on upon the next, under the name of what goes on.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from gateway.codes.printing.a4_head import WARNING, Head, draw_head
from gateway.codes.printing.a4_sheet import BODY, SMALL, Fact, Sheet
from gateway.codes.printing.a4_table import draw_table
from gateway.codes.printing.drawing import BRAND, SOFT, Page
from gateway.codes.printing.typeface import Typeface
from gateway.credit_reports.content import SOURCE, TITLE, Content, ReportedFacts, Section
from gateway.pages.i18n import Translated

NOW: Final = Translated(
    "是否仍然有效，以扫码页面为准：企业收回后，或所含记录更正、修复、中止、撤回、到期后，不再有效。",
    "Whether it still holds, its page says: it ends when the enterprise takes it back, and when a record "
    "in it is corrected, repaired, suspended or withdrawn, or runs out.",
)
SCAN: Final = Translated("扫码核验是否仍然有效", "Scan: does it still hold?")
WITH: Final = Translated("有记录的类别", "Records found")
WITHOUT: Final = Translated("未查询到记录的类别", "Nothing found")
NOTES: Final = Translated("说明", "Notes")
VERIFY: Final = Translated("如何核验", "How to verify")
GOES_ON: Final = "（续）"
EMPTY: Final = Translated("", "")
FEWEST_ROWS: Final = 3
"""Records from which a table is easier to read."""


def report_pages(content: Content, typeface: Typeface, *, synthetic: bool) -> list[Page]:
    """The pages of a report."""
    sheet = Sheet(typeface)
    head = Head(title=TITLE, address=content.address, scan=SCAN, synthetic=synthetic)
    draw_head(sheet, head)
    for fact in content.facts:
        sheet.row(fact)
    sheet.space(3)
    sheet.lines(NOW.zh, size=BODY, colour=BRAND, bold=True)
    sheet.lines(NOW.en, size=SMALL, colour=SOFT)
    _draw_overview(sheet, WITH, [each for each in content.sections if not each.is_empty])
    _draw_overview(sheet, WITHOUT, [each for each in content.sections if each.is_empty])
    for section in content.sections:
        if not section.is_empty:
            _draw_section(sheet, section)
    sheet.texts(NOTES, content.left_out)
    sheet.texts(VERIFY, _ways_to_verify(content))
    return sheet.finish(f"{content.report_id} · {head.domain}")


def _draw_overview(sheet: Sheet, title: Translated, sections: Sequence[Section]) -> None:
    """A line for each section, before any record, so that the first page tells of all of them."""
    if not sections:
        return
    sheet.space(6)
    sheet.bar(title, f"{len(sections)} 类")
    sheet.running = f"{title.zh}{GOES_ON}"
    for each in sections:
        sheet.row((each.name, each.statement))


def _draw_section(sheet: Sheet, section: Section) -> None:
    sheet.running = ""
    sheet.space(6)
    sheet.bar(section.name, section.statement.zh)
    if section.summary:
        sheet.paragraphs(section.summary)
        _draw_sources(sheet, section)
    if not _draw_table(sheet, section):
        for record in section.records:
            _draw_record(sheet, section, record)
    sheet.running = ""


def _draw_table(sheet: Sheet, section: Section) -> bool:
    """Several short records as one table, where it is not too wide."""
    if len(section.records) < FEWEST_ROWS:
        return False
    heads = list(dict.fromkeys(label for each in section.records for label, _ in each.fields))
    rows = [[dict(each.fields).get(head, EMPTY) for head in heads] for each in section.records]
    sheet.running = f"{section.name.zh}{GOES_ON}"
    if not draw_table(sheet, heads, rows):
        return False
    sheet.space(1)
    sheet.running = ""
    if not section.summary:
        _draw_sources(sheet, section)
    for each in section.records:
        if each.objection is not None:
            sheet.lines(f"{each.headline.zh}：{each.objection.zh}", size=SMALL, colour=WARNING)
    return True


def _draw_sources(sheet: Sheet, section: Section) -> None:
    for each in section.sources:
        sheet.lines(_origin_line([(SOURCE, each)]), size=SMALL, colour=SOFT)


def _draw_record(sheet: Sheet, section: Section, record: ReportedFacts) -> None:
    sheet.running = ""
    sheet.keep(34)
    sheet.space(3)
    sheet.lines(record.headline.zh, size=BODY, bold=True, colour=BRAND)
    sheet.running = f"{section.name.zh} · {record.headline.zh}{GOES_ON}"
    if record.objection is not None:
        sheet.lines(f"{record.objection.zh}  {record.objection.en}", size=SMALL, colour=WARNING)
    sheet.lines(_origin_line(record.origin), size=SMALL, colour=SOFT)
    sheet.space(0.8)
    sheet.rule()
    sheet.facts(record.fields)


def _ways_to_verify(content: Content) -> list[Translated]:
    domain = _domain(content)
    return [
        Translated(
            f"在线：扫描二维码，或打开 {content.address} ，并核对域名为 {domain}。",
            f"Online: scan the symbol or open the address, and see that its domain is {domain}.",
        ),
        Translated(
            f"离线：本 PDF 附有经签名的报告文件 {content.report_id}.json，PDF 本身也有签名，改动一个字节即可"
            "发现。可在上述页面选取文件核验，或用 xinqiao verify-report 命令和网关公布的公钥核验："
            f"{content.issuer}/.well-known/jwks.json",
            "Offline: the signed report is attached to this PDF, and the PDF itself is signed; one changed "
            "byte is found, on the page above or by the command xinqiao verify-report with the gateway's "
            "published keys.",
        ),
    ]


def _origin_line(origin: Sequence[Fact]) -> str:
    return "   ".join(f"{label.zh}：{value.zh}" for label, value in origin)


def _domain(content: Content) -> str:
    return urlsplit(content.issuer).netloc
