"""The monthly bulletin: ranking, what is asked of each source, and its page, CSV and PDF."""

import csv
import io
import re
from collections.abc import Mapping

import pytest

from gateway.data_quality.bulletin import Bulletin, SourceMonth, make_bulletin
from gateway.data_quality.bulletin_text import document_of
from gateway.data_quality.document import Document
from gateway.data_quality.figures import Count, DatasetFigures, Fault, FaultKind
from gateway.data_quality.line_breaks import wrapped
from gateway.data_quality.month import Month
from gateway.data_quality.page import bulletin_page
from gateway.data_quality.pdf import bulletin_pdf
from gateway.data_quality.rules import published_rules
from gateway.data_quality.table import bulletin_csv
from gateway.pages.chinese_font import USUAL_FONTS, find_font
from tests.creditfile_builders import CATALOGUE

MONTH = Month(year=2026, month=11)
LATE = FaultKind(fault=Fault.LATE)
NO_FACTS = FaultKind(fault=Fault.MISSING, field="facts")


def some(records: int, whole: int = 0) -> Count:
    """Records of one enterprise each."""
    return Count(records=records, enterprises=records, others=max(whole - records, 0))


def penalties(received: int, faults: Mapping[FaultKind, int]) -> DatasetFigures:
    """Penalties of one enterprise each, all dated."""
    return DatasetFigures(
        dataset="penalty",
        received=some(received),
        dated=some(received),
        faults={kind: some(count, received) for kind, count in faults.items()},
    )


def source(
    name: str, *figures: DatasetFigures, before: tuple[DatasetFigures, ...] = ()
) -> SourceMonth:
    """A source of that name."""
    return SourceMonth(source_id=f"source-{name}", name=name, figures=figures, before=before)


def bulletin() -> Bulletin:
    """Of a source without a fault, a late one, one of too few enterprises, and one that is silent."""
    late = penalties(200, {LATE: 23, NO_FACTS: 60})
    return make_bulletin(
        MONTH,
        [
            source("丙局", penalties(4, {LATE: 2})),
            source("乙局", late, before=(penalties(200, {LATE: 100}),)),
            source("甲局", penalties(100, {LATE: 0})),
            source("丁局"),
        ],
        published_rules(),
    )


def text_of(document: Document) -> str:
    """Everything that the document says."""
    return repr(document)


def test_sources_are_ranked_by_score_and_small_ones_are_not() -> None:
    made = bulletin()
    assert [(each.rank, each.name) for each in made.reports] == [
        (1, "甲局"),
        (2, "乙局"),
        (None, "丁局"),
        (None, "丙局"),
    ]
    assert [each.name for each in made.unranked] == ["丙局"]
    assert [each.name for each in made.silent] == ["丁局"]


def test_sources_of_one_score_share_their_rank() -> None:
    whole = penalties(50, {LATE: 0})
    late = penalties(50, {LATE: 20})
    names = [source(name, whole) for name in "甲乙"]
    made = make_bulletin(MONTH, [source("丙", late), *names], published_rules())
    assert [each.rank for each in made.reports] == [1, 1, 3]


def test_the_score_is_weighed_as_the_rules_say() -> None:
    """177 of 200 in time, 60 of 1,800 recommended fields missing, nothing wrong."""
    second = bulletin().ranked[1]
    assert second.score.timely is not None
    assert f"{second.score.timely}" == "88.5"
    assert f"{second.score.complete}" == "96.7"
    assert f"{second.score.right}" == "100.0"
    assert f"{second.score.total}" == "94.4"
    assert f"{second.trend:+}" == "+14.4"
    assert second.score.level is not None
    assert second.score.level.zh == "良好"


def test_each_source_is_asked_to_mend_its_most_frequent_faults_first() -> None:
    made = document_of(bulletin(), CATALOGUE, "zh")
    lists = [each for section in made.sections for each in section.lists]
    assert [each.title for each in lists] == ["乙局"]
    assert [found for found, _ in lists[0].entries] == [
        "60条行政处罚缺“违法事实”",
        "23条行政处罚未在处罚决定日期后7个工作日内报送",
    ]


def test_a_fault_of_nearly_all_records_is_named_without_a_number() -> None:
    """Of 77 enterprises 72 are late: neither the 72 nor the 77 is said."""
    nearly_all = penalties(77, {LATE: 72})
    made = document_of(
        make_bulletin(MONTH, [source("甲局", nearly_all)], published_rules()), CATALOGUE, "zh"
    )
    (asked,) = [each for section in made.sections for each in section.lists]
    assert asked.entries[0][0] == "绝大部分行政处罚未在处罚决定日期后7个工作日内报送"


def test_a_hidden_count_is_on_no_page_and_in_no_file() -> None:
    """The bulletin is the same whether three enterprises are concerned or nine."""
    forms = []
    for count in (3, 9):
        made = make_bulletin(
            MONTH,
            [source("甲局", penalties(77, {LATE: count, NO_FACTS: 77 - count}))],
            published_rules(),
        )
        documents = [document_of(made, CATALOGUE, language) for language in ("zh", "en")]
        forms.append((bulletin_page(documents), bulletin_csv(made, CATALOGUE)))
    assert forms[0] == forms[1]
    assert "*" in forms[0][0]


def test_the_page_is_chinese_first_and_loads_nothing() -> None:
    made = bulletin()
    page = bulletin_page([document_of(made, CATALOGUE, language) for language in ("zh", "en")])
    assert page.index("2026年11月数据质量通报") < page.index("Data quality bulletin, November 2026")
    assert not re.search(r"https?:|src=|href=", page)


def test_a_source_named_as_markup_or_a_formula_is_text() -> None:
    made = make_bulletin(MONTH, [source("=1+1<b>", penalties(50, {LATE: 20}))], published_rules())
    page = bulletin_page([document_of(made, CATALOGUE, "zh")])
    assert "<b>" not in page
    assert "=1+1&lt;b&gt;" in page
    names = {row[2] for row in csv.reader(io.StringIO(bulletin_csv(made, CATALOGUE)))}
    assert "'=1+1<b>" in names


def test_the_csv_has_every_figure_and_says_which_are_suppressed() -> None:
    rows = list(
        csv.DictReader(io.StringIO(bulletin_csv(bulletin(), CATALOGUE).removeprefix("\ufeff")))
    )
    found = {(row["source"], row["dataset"], row["measure"]): row for row in rows}
    assert found["乙局", "penalty", "late"]["value"] == "23"
    assert found["乙局", "penalty", "missing:facts"]["value"] == "60"
    assert found["丙局", "penalty", "received"]["suppressed"] == "true"
    assert found["丙局", "penalty", "received"]["value"] == ""


def test_a_month_of_nothing_says_so() -> None:
    made = make_bulletin(MONTH, [source("丁局")], published_rules())
    assert "没有可以公布的数据" in text_of(document_of(made, CATALOGUE, "zh"))
    assert "Nothing of this month" in text_of(document_of(made, CATALOGUE, "en"))


def test_the_pdf_has_pages_in_both_languages() -> None:
    font = find_font(None)
    if font is None:
        pytest.skip(f"no font with Chinese at {USUAL_FONTS[0]}")
    made = bulletin()
    documents = [document_of(made, CATALOGUE, language) for language in ("zh", "en")]
    assert bulletin_pdf(documents, font).startswith(b"%PDF-")


def test_a_line_begins_with_no_closing_mark_and_breaks_no_number() -> None:
    text = "　　本月新收记录2,424条（合成），其中“超期”报送44条。"
    for width in range(6, 30):
        lines = wrapped(text, width, lambda each: sum(1 if c.isascii() else 2 for c in each))
        assert "".join(lines) == text
        for line in lines[1:]:
            assert line[0] not in "，。）”"
        assert any("2,424" in line for line in lines)
