"""Report of a comparison: table lines, CSV, and a self-contained HTML page."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from typing import IO, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.ingest.comparison.compare import Comparison, DifferenceKind, Finding
from gateway.ingest.comparison.partition import ComparisonJob
from gateway.pages.csv_safe import escape_formula

SHOWN_FINDINGS: Final = 200
"""Maximum findings on the page; the CSV has all."""
KINDS_ZH: Final = {
    DifferenceKind.MISSING: "缺失",
    DifferenceKind.DIFFERS: "不一致",
    DifferenceKind.LATE: "超期",
    DifferenceKind.WRONG_END: "公示截止期有误",
}
_page: Final = Environment(
    loader=PackageLoader("gateway.ingest.comparison"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Line = tuple[str, str, str]


def summary_lines(counts: Comparison) -> Iterator[Line]:
    """Count of each kind of finding with its share, for both sources."""
    left, right = counts.left, counts.right
    yield "两源合计 facts known to either", f"{counts.facts:,}", f"{counts.facts:,}"
    yield "记录 rows", f"{left.rows:,}", f"{right.rows:,}"
    for title, name, whole in (
        ("缺失 missing here", "missing", (counts.facts, counts.facts)),
        ("超期 late", "late", (left.rows, right.rows)),
        ("公示截止期有误 wrong publicity end", "wrong_end", (left.rows, right.rows)),
        ("公示日期不详 publication not known", "unknown_publication", (left.rows, right.rows)),
    ):
        one, other = (
            with_share(getattr(side, name), total)
            for side, total in zip((left, right), whole, strict=True)
        )
        yield title, one, other
    yield "重复 delivered twice", f"{left.twice:,}", f"{right.twice:,}"
    yield "无法读取 unreadable", f"{left.unreadable:,}", f"{right.unreadable:,}"
    both = with_share(counts.differing, counts.pairs)
    yield "成对而不一致 pairs that differ", both, both


def field_lines(counts: Comparison, dataset: DatasetDefinition) -> Iterator[Line]:
    """Number of pairs in which each field differs, the most frequent first."""
    names = {field.name: field.zh for field in dataset.fields}
    for name, pairs in counts.fields.most_common():
        yield name, names.get(name, ""), with_share(pairs, counts.pairs)


def with_share(count: int, whole: int) -> str:
    """A count and its share in percent."""
    return f"{count:,} ({count / whole:.2%})" if whole else f"{count:,}"


def write_findings(findings: Iterable[Finding], file: IO[str]) -> Iterator[Finding]:
    """Write each finding as CSV, safe from formula injection in spreadsheets, and yield it."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(each.name for each in fields(Finding))
    for finding in findings:
        writer.writerow(escape_formula(str(each)) for each in astuple(finding))
        yield finding


def comparison_page(
    job: ComparisonJob, counts: Comparison, dataset: DatasetDefinition, findings: Iterable[Finding]
) -> str:
    """The HTML page: everything is escaped, no external resources."""
    return _page.get_template("comparison.html").render(
        job=job,
        counts=counts,
        dataset=dataset,
        lines=list(summary_lines(counts)),
        fields=list(field_lines(counts, dataset)),
        findings=list(findings),
        zh=KINDS_ZH,
        most=SHOWN_FINDINGS,
    )
