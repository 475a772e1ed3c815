"""The bulletin written in one language, with the names of the catalogue: the text of page and PDF."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.data_quality.bulletin import Bulletin, SourceReport
from gateway.data_quality.document import Document, ListOf, Section, TableOf
from gateway.data_quality.figures import Fault, ReportedFigures
from gateway.data_quality.method_text import method_text, month_name
from gateway.data_quality.rules import Level, QualityRules
from gateway.data_quality.score import WRONG
from gateway.data_quality.wording import fault_sentence, how_to_mend
from gateway.pages.i18n import Language, Translated

DRAFT: Final = Translated("（草稿，不公布）", " (draft, not for publication)")
MOST_FAULTS: Final = 5
"""Faults that a source is named; the CSV has all."""


def document_of(
    bulletin: Bulletin, catalogue: Catalogue, language: Language, *, is_draft: bool = False
) -> Document:
    """The bulletin, with the names of the catalogue; a draft's title says that it is one."""
    return _Writer(bulletin, catalogue, language).document(is_draft=is_draft)


class _Writer:
    """Writes the sections in one language."""

    def __init__(self, bulletin: Bulletin, catalogue: Catalogue, language: Language) -> None:
        self._bulletin = bulletin
        self._rules: QualityRules = bulletin.rules
        self._catalogue = catalogue
        self._language = language

    def document(self, *, is_draft: bool) -> Document:
        month, mark = self._month(), DRAFT if is_draft else Translated("", "")
        return Document(
            language=self._language,
            title=self._text(
                f"{month}数据质量通报{mark.zh}", f"Data quality bulletin, {month}{mark.en}"
            ),
            subtitle=self._text(
                f"经营主体信用数据 · 计分规则 {self._rules.version}",
                f"Credit data of enterprises · scoring rules {self._rules.version}",
            ),
            sections=[
                self._overview(),
                self._ranking(),
                self._mending(),
                self._by_dataset(),
                self._method(),
            ],
        )

    def _overview(self) -> Section:
        bulletin, month = self._bulletin, self._month()
        figures = [each for report in bulletin.reports for each in report.figures]
        received, late = (
            f"{sum(each.received for each in figures):,}",
            f"{sum(each.of(Fault.LATE) for each in figures):,}",
        )
        lead = self._text(
            f"按照“谁产生、谁负责”的原则，现将{month}各数源单位信用数据的及时性、完整性、准确性情况通报如下。",
            f"Who produces data is responsible for it. This bulletin says how timely, complete and right "
            f"the data was that sources delivered in {month}.",
        )
        if bulletin.score.total is None:
            nothing = self._text(
                "本月没有可以公布的数据。", "Nothing of this month can be published."
            )
            return Section(
                title=self._text("一、总体情况", "1. Overview"), paragraphs=[lead, nothing]
            )
        total = self._text(
            f"本月参与计分的数源单位{len(bulletin.ranked)}家，新收记录{received}条，其中超期报送{late}条；"
            f"综合得分{bulletin.score.total}分，{self._compared()}。",
            f"{len(bulletin.ranked)} sources are scored. They delivered {received} new records, {late} of "
            f"them late. The overall score is {bulletin.score.total}, {self._compared()}.",
        )
        return Section(
            title=self._text("一、总体情况", "1. Overview"),
            paragraphs=[lead, total, *self._not_scored()],
        )

    def _compared(self) -> str:
        total, before = self._bulletin.score.total, self._bulletin.before
        if total is None or before is None:
            return self._text("上月无可比得分", "with none of the month before to compare it with")
        if total == before:
            return self._text("与上月持平", "the same as in the month before")
        gap = abs(total - before)
        return (
            self._text(f"比上月上升{gap}分", f"{gap} more than in the month before")
            if total > before
            else self._text(f"比上月下降{gap}分", f"{gap} less than in the month before")
        )

    def _not_scored(self) -> Iterator[str]:
        least, between = self._rules.least_enterprises, self._text("、", ", ")
        unranked = between.join(each.name for each in self._bulletin.unranked)
        if unranked:
            yield self._text(
                f"报送数据涉及经营主体不足{least}户、不公布得分的单位：{unranked}。",
                f"Delivered records of fewer than {least} enterprises, so that no score is published: "
                f"{unranked}.",
            )
        silent = between.join(each.name for each in self._bulletin.silent)
        if silent:
            yield self._text(
                f"本月没有报送新记录的单位：{silent}。", f"Delivered no new record: {silent}."
            )

    def _ranking(self) -> Section:
        columns = self._columns(
            "名次 数源单位 得分 等次 较上月 及时 完整 准确 新收记录",
            "Rank|Source|Score|Level|Change|Timely|Complete|Right|New records",
        )
        rows = [
            (
                f"{each.rank}",
                each.name,
                _points(each.score.total),
                self._level(each.score.level),
                self._trend(each),
                _points(each.score.timely),
                _points(each.score.complete),
                _points(each.score.right),
                f"{sum(figures.received for figures in each.figures):,}",
            )
            for each in self._bulletin.ranked
        ]
        return Section(
            title=self._text("二、各单位得分", "2. Scores by source"),
            table=TableOf(columns=columns, rows=rows, figures=7),
        )

    def _mending(self) -> Section:
        lists = [made for each in self._bulletin.ranked if (made := self._asked_of(each)).entries]
        none = self._text("本月没有需要整改的突出问题。", "There is nothing in particular to mend.")
        deadline = self._text(
            "请下列单位对照问题清单开展自查，在下月通报前完成整改。",
            "These sources are asked to look through their data and to mend it before the next bulletin.",
        )
        return Section(
            title=self._text("三、主要问题和整改要求", "3. What is to be mended"),
            paragraphs=[deadline if lists else none],
            lists=lists,
        )

    def _asked_of(self, report: SourceReport) -> ListOf:
        faults = [
            (count, kind, figures)
            for figures in report.figures
            for kind, count in figures.worst_first()
        ]
        faults.sort(key=lambda each: -each[0])
        items = []
        for count, kind, figures in faults[:MOST_FAULTS]:
            dataset = self._catalogue.dataset(figures.dataset)
            rules = self._rules.rules_of(figures.dataset)
            exact = None if kind in figures.hidden else count
            found = fault_sentence(kind, exact, dataset, rules).text(self._language)
            items.append((found, how_to_mend(kind, rules).text(self._language)))
        return ListOf(title=report.name, entries=items)

    def _by_dataset(self) -> Section:
        columns = self._columns(
            "数据集 数源单位 新收记录 超期 缺项 准确性差错 异议办结 自行更正 文件退回行",
            "Dataset|Source|New records|Late|Missing fields|Wrong|Objections decided|Own corrections"
            "|Rows not taken",
        )
        rows = [
            (self._text(dataset.zh, dataset.en), report.name, *_counts(figures))
            for dataset in self._catalogue.datasets
            for report in self._bulletin.ranked
            for figures in report.figures
            if figures.dataset == dataset.code
        ]
        return Section(
            title=self._text("四、分数据集情况", "4. By dataset"),
            paragraphs=[
                self._text(
                    "“*”：其中有因涉及户数过少而不公布准确数字的差错，见说明。",
                    "*: with faults whose exact count is not published, since it is of too few "
                    "enterprises; see the method.",
                )
            ],
            table=TableOf(columns=columns, rows=rows, figures=7),
        )

    def _method(self) -> Section:
        return Section(
            title=self._text("五、说明", "5. Method"),
            paragraphs=[each.text(self._language) for each in method_text(self._rules)],
        )

    def _level(self, level: Level | None) -> str:
        return "" if level is None else self._text(level.zh, level.en)

    def _trend(self, report: SourceReport) -> str:
        trend = report.trend
        if trend is None:
            return "—"
        return f"{trend:+}" if trend else self._text("持平", "same")

    def _month(self) -> str:
        return month_name(self._bulletin.month).text(self._language)

    def _text(self, zh: str, en: str) -> str:
        return Translated(zh, en).text(self._language)

    def _columns(self, zh: str, en: str) -> list[str]:
        return en.split("|") if self._language == "en" else zh.split()


def _points(points: Decimal | None) -> str:
    return "—" if points is None else f"{points:.1f}"


def _counts(figures: ReportedFigures) -> tuple[str, ...]:
    return (
        f"{figures.received:,}",
        _marked(figures, Fault.LATE),
        _marked(figures, Fault.MISSING),
        _marked(figures, *WRONG),
        f"{figures.decided:,}",
        f"{figures.corrected:,}",
        _marked(figures, Fault.REJECTED),
    )


def _marked(figures: ReportedFigures, *kinds: Fault) -> str:
    """The sum of some faults, marked where a part of it is hidden."""
    hidden = any(each.fault in kinds for each in figures.hidden)
    count = figures.of(*kinds)
    return f"{count:,}{'*' if hidden else ''}" if count or not hidden else "*"
