"""The bulletin as CSV: a line for each published figure, safe from formula injection."""

from collections.abc import Iterator

from gateway.creditfile.catalogue import Catalogue
from gateway.data_quality.bulletin import Bulletin, SourceReport
from gateway.data_quality.figures import ReportedFigures
from gateway.data_quality.wording import fault_name
from gateway.pages.csv_safe import BOM, as_csv

COLUMNS = (
    ("month", "月份"),
    ("source_id", "数源单位编号"),
    ("source", "数源单位"),
    ("dataset", "数据集"),
    ("dataset_name", "数据集名称"),
    ("measure", "指标"),
    ("measure_name", "指标名称"),
    ("value", "数值"),
    ("suppressed", "不公布"),
)
_SCORES = (
    ("rank", "名次"),
    ("score", "得分"),
    ("timely", "及时"),
    ("complete", "完整"),
    ("right", "准确"),
    ("change", "较上月"),
)
_FIGURES = (
    ("received", "新收记录"),
    ("dated", "计入及时性的记录"),
    ("decided", "异议办结"),
    ("corrected", "自行更正"),
    ("file_rows", "文件行数"),
)


def bulletin_csv(bulletin: Bulletin, catalogue: Catalogue) -> str:
    """The CSV, with two lines of headings."""
    lines = [tuple(name for name, _ in COLUMNS), tuple(title for _, title in COLUMNS)]
    for report in bulletin.reports:
        lines += _of_source(bulletin, report, catalogue)
    return BOM + as_csv(lines)


def _of_source(
    bulletin: Bulletin, report: SourceReport, catalogue: Catalogue
) -> Iterator[tuple[str, ...]]:
    source = (str(bulletin.month), report.source_id, report.name)
    score = report.score
    values = (report.rank, score.total, score.timely, score.complete, score.right, report.trend)
    for (name, title), value in zip(_SCORES, values, strict=True):
        yield (*source, "", "", name, title, "" if value is None else str(value), "")
    for figures in report.figures:
        dataset = catalogue.dataset(figures.dataset)
        for line in _of_dataset(figures, catalogue):
            yield (*source, figures.dataset, dataset.zh, *line)
    for code in report.withheld:
        dataset = catalogue.dataset(code)
        yield (*source, code, dataset.zh, "received", "新收记录", "", "true")


def _of_dataset(figures: ReportedFigures, catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for name, title in _FIGURES:
        yield name, title, str(getattr(figures, name)), ""
    for kind in sorted(figures.faults):
        measure = f"{kind.fault}:{kind.field}" if kind.field else kind.fault.value
        title = fault_name(kind, catalogue.dataset(figures.dataset)).zh
        is_hidden = kind in figures.hidden
        value = "" if is_hidden else str(figures.faults[kind])
        yield measure, title, value, "true" if is_hidden else ""
