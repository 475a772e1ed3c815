"""Readable content of a report, from its signed document: names and values in both languages. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.codes.printing.a4_sheet import Fact
from gateway.codes.public_page.sections import none_found_text
from gateway.credit_reports.document import is_of_state
from gateway.credit_reports.labels import ANYONE
from gateway.credit_reports.months import sum_up
from gateway.creditfile import labels
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.records import INDIVIDUAL_BUSINESS
from gateway.pages.i18n import Translated
from gateway.pages.rendering import format_moment, format_term_end

TITLE: Final = Translated("专项信用报告", "Credit report, made by the enterprise itself")
UNAVAILABLE: Final = Translated(
    "数据来源暂不可用，未能查询，不代表没有记录",
    "The source was unavailable: not looked up, and nothing is said of records",
)
OBJECTION: Final = Translated(
    "企业对本条记录有异议，正在处理", "The enterprise objects to this record"
)
MONTH_BY_MONTH: Final = Translated(
    "按时缴纳的各个月份，见报告页面和本 PDF 所附的签名文件",
    "The months paid on time, one by one: on the report's page and in the document attached to this PDF",
)
SOURCE: Final = Translated("数据来源", "Source")
KINDS: Final[Mapping[str, str]] = {"92": INDIVIDUAL_BUSINESS, "93": "farmers_cooperative"}
"""Kinds of enterprises by the first characters of their USCC (GB 32100); all others are firms."""
FIRM: Final = "firm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFacts:
    """A record: its first line, its fields, and where it comes from."""

    headline: Translated
    fields: Sequence[Fact]
    origin: Sequence[Fact]
    objection: Translated | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A chosen dataset, with its records or what is said without any."""

    name: Translated
    statement: Translated
    summary: Sequence[Translated]
    """Sentences that stand for months that are not listed."""
    records: Sequence[ReportedFacts]
    sources: Sequence[Translated]
    """Names of the sources of all records, listed or not."""

    @property
    def is_empty(self) -> bool:
        """True without any record."""
        return not self.summary and not self.records


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A report as people read it."""

    report_id: str
    issuer: str
    address: str
    created: datetime
    facts: Sequence[Fact]
    sections: Sequence[Section]
    left_out: Sequence[Translated]


def content_of(report: Mapping[str, Any], catalogue: Catalogue) -> Content:
    """The content of the document's member `report`."""
    kind = KINDS.get(report["enterprise"]["uscc"][:2], FIRM)
    by_dataset: Mapping[str, list[Mapping[str, Any]]] = defaultdict(list)
    for record in report["records"]:
        by_dataset[record["dataset"]].append(record)
    known = [code for code in report["datasets"] if catalogue.has_dataset(code)]
    return Content(
        report_id=report["report_id"],
        issuer=report["issuer"],
        address=report["address"],
        created=datetime.fromisoformat(report["created"]),
        facts=list(_facts(report)),
        sections=[_section(code, by_dataset[code], report, catalogue, kind) for code in known],
        left_out=[Translated(each["zh"], each["en"]) for each in report["left_out"]],
    )


def _facts(report: Mapping[str, Any]) -> Iterator[Fact]:
    enterprise, span, recipient = report["enterprise"], report["span"], report["recipient"]
    yield Translated("企业名称", "Enterprise"), _same(enterprise["name"])
    yield Translated("统一社会信用代码", "USCC"), _same(enterprise["uscc"])
    yield Translated("出具给", "For"), ANYONE if recipient is None else _same(recipient)
    yield (
        Translated("所含期间", "Span"),
        _same(f"{span['from']} 至 {span['to']}"),
    )
    yield Translated("数据截至", "As of"), _same(_moment(report["as_of"]))
    yield (
        Translated("有效期至", "Valid until"),
        _same(format_term_end(report["valid_until"])),
    )
    yield Translated("报告编号", "Number"), _same(report["report_id"])


def _section(
    code: str,
    records: Sequence[Mapping[str, Any]],
    report: Mapping[str, Any],
    catalogue: Catalogue,
    kind: str,
) -> Section:
    count = len(records)
    statement = Translated(f"{count} 条", f"{count} record" if count == 1 else f"{count} records")
    if not records:
        is_known = code in report["nothing_found"]
        statement = none_found(report, code, catalogue, kind) if is_known else UNAVAILABLE
    months = sum_up(code, records, catalogue)
    return Section(
        name=labels.dataset_label(code, catalogue, kind),
        statement=statement,
        summary=[*months.sentences, MONTH_BY_MONTH] if months.sentences else [],
        records=[_record(each, catalogue, kind) for each in months.listed],
        sources=[_same(each) for each in dict.fromkeys(each["source"]["name"] for each in records)],
    )


def none_found(report: Mapping[str, Any], code: str, catalogue: Catalogue, kind: str) -> Translated:
    """The R6 wording of a dataset without records, with the span where it counts."""
    rules, moment = catalogue.rules_of(code), _moment(report["as_of"])
    said = none_found_text(catalogue.dataset(code), rules, kind, moment)
    if is_of_state(catalogue, code):
        return said
    first, last = report["span"]["from"], report["span"]["to"]
    return Translated(
        f"{said.zh}（期间：{first} 至 {last}）", f"{said.en} (span: {first} to {last})"
    )


def _record(record: Mapping[str, Any], catalogue: Catalogue, kind: str) -> ReportedFacts:
    code, fields = record["dataset"], record["fields"]
    parts = labels.headline(code, fields, catalogue, kind)
    return ReportedFacts(
        headline=Translated(
            " · ".join(each.zh for each in parts), " · ".join(each.en for each in parts)
        ),
        fields=[
            (
                labels.field_label(code, name, catalogue, kind),
                labels.field_value(code, name, fields, catalogue),
            )
            for name in _ordered(code, fields, catalogue)
        ],
        origin=list(_origin(record)),
        objection=OBJECTION if record.get("objection") else None,
    )


def _ordered(code: str, fields: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Names of the fields with a value, in the catalogue's order."""
    known = [each.name for each in catalogue.dataset(code).fields]
    names = [*(name for name in known if name in fields), *(fields.keys() - {*known})]
    return [name for name in names if fields[name] not in labels.EMPTY]


def _origin(record: Mapping[str, Any]) -> Iterator[Fact]:
    yield SOURCE, _same(record["source"]["name"])
    yield Translated("来源时间", "Source time"), _same(_moment(record["source_time"]))
    yield Translated("记录编号", "Record"), _same(f"{record['record_id']} v{record['version']}")


def _moment(text: str) -> str:
    return format_moment(datetime.fromisoformat(text))


def _same(text: str) -> Translated:
    return Translated(text, text)
