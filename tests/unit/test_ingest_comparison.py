"""Comparison of two sources: missing, different, late and wrong records."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.comparison.compare import (
    Comparison,
    DifferenceKind,
    Finding,
    Period,
    Row,
    Side,
    compare_rows,
)
from gateway.ingest.comparison.partition import ComparisonJob, PartitionedComparison
from gateway.ingest.comparison.report import (
    comparison_page,
    summary_lines,
    with_share,
    write_findings,
)
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE, USCC

TODAY = date(2026, 11, 23)
ONE, OTHER = "信用浙江", "公示系统"


def make_penalty(number: str = "浙罚1", **changed: Any) -> dict[str, Any]:
    return {
        "uscc": USCC,
        "document_number": number,
        "kinds": ["罚款"],
        "fine": "5.000000",
        "decided_on": "2026-10-12",
        "published_on": "2026-10-20",
        "severity": "一般",
        "publicity_ends_on": "2027-10-12",
        **changed,
    }


def run(
    left: Iterable[object],
    right: Iterable[object],
    *,
    dataset: str = "penalty",
    period: Period | None = None,
) -> tuple[list[Finding], Comparison]:
    comparing = PartitionedComparison(
        ComparisonJob(dataset=dataset, names=(ONE, OTHER), period=period or Period()),
        left,
        right,
        catalogue=CATALOGUE,
        today=TODAY,
    )
    return list(comparing), comparing.counts


def test_two_deliveries_that_agree_give_no_finding() -> None:
    """In any row order and number spelling."""
    left = [make_penalty("浙罚1"), make_penalty("浙罚2")]
    right = [make_penalty("浙罚2"), make_penalty("浙罚1", fine="5.0")]
    findings, counts = run(left, right)
    assert findings == []
    assert (counts.facts, counts.pairs, counts.differing) == (2, 2, 0)


def test_however_its_number_is_typed_a_pair_does_not_differ() -> None:
    """Pairs are matched by normalised number."""
    findings, counts = run([make_penalty("浙罚〔2026〕3-1号")], [make_penalty("浙罚[2026]3—1号")])
    assert (findings, counts.pairs, counts.differing) == ([], 1, 0)


def test_a_record_of_one_source_only_is_missing_in_the_other() -> None:
    """By USCC and number, counted for each side."""
    findings, counts = run([make_penalty("浙罚1"), make_penalty("浙罚2")], [make_penalty("浙罚2")])
    assert findings == [Finding(kind=DifferenceKind.MISSING, uscc=USCC, key="浙罚1", side=OTHER)]
    assert (counts.left.missing, counts.right.missing) == (0, 1)


def test_the_same_number_of_two_enterprises_is_no_pair() -> None:
    """Pairs have the same USCC."""
    findings, counts = run([make_penalty()], [make_penalty(uscc="91330106MA2CXXXX16")])
    assert {each.kind for each in findings} == {DifferenceKind.MISSING}
    assert counts.pairs == 0


def test_fields_that_differ_are_named_with_both_values() -> None:
    """One finding for each field."""
    findings, counts = run([make_penalty()], [make_penalty(fine="6", kinds=["罚款", "没收"])])
    assert [(each.field, each.left, each.right) for each in findings] == [
        ("fine", "5.000000", "6.000000"),
        ("kinds", "罚款", "罚款;没收"),
    ]
    assert counts.fields == {"fine": 1, "kinds": 1}
    assert counts.differing == 1


@pytest.mark.parametrize(("published", "late"), [("2026-10-21", False), ("2026-10-22", True)])
def test_late_is_counted_in_working_days(published: str, late: bool) -> None:
    """Decided on a Monday, published on the Wednesday of the next week: seven working days."""
    row = make_penalty(published_on=published)
    findings, counts = run([row], [row])
    assert counts.left.late == counts.right.late == late
    assert {each.kind for each in findings} == ({DifferenceKind.LATE} if late else set())


def test_without_a_day_of_publication_the_sources_own_time_counts() -> None:
    """Without both, the lateness is reported as unknown."""
    licence = {"uscc": USCC, "number": "浙许1", "decided_on": "2026-10-12"}
    _, counts = run(
        [{**licence, "source_time": "2026-11-02T09:00:00+08:00"}], [licence], dataset="licence"
    )
    assert (counts.left.late, counts.left.unknown_publication) == (1, 0)
    assert (counts.right.late, counts.right.unknown_publication) == (0, 1)


def test_a_wrong_end_of_publicity_is_the_fault_of_its_source() -> None:
    """R2: recomputed and reported."""
    findings, counts = run([make_penalty(publicity_ends_on="2029-10-20")], [make_penalty()])
    assert {(each.kind, each.side) for each in findings} == {
        (DifferenceKind.WRONG_END, ONE),
        (DifferenceKind.DIFFERS, ""),
    }
    assert (counts.left.wrong_end, counts.right.wrong_end) == (1, 0)


def test_only_the_period_is_compared() -> None:
    """Both days included."""
    rows = [make_penalty(f"浙罚{n}", decided_on=f"2026-09-{n:02}") for n in (9, 10, 20, 21)]
    period = Period(first=date(2026, 9, 10), last=date(2026, 9, 20))
    findings, counts = run(rows, [], period=period)
    assert counts.facts == 2
    assert {each.key for each in findings if each.kind is DifferenceKind.MISSING} == {
        "浙罚10",
        "浙罚20",
    }


def test_unreadable_and_duplicate_rows_are_counted() -> None:
    """The last duplicate is used, as in ingest."""
    left = [make_penalty(fine="1"), make_penalty(), make_penalty("浙罚2", fine="much"), "no row"]
    findings, counts = run(left, [make_penalty()])
    assert findings == []
    assert (counts.left.rows, counts.left.unreadable, counts.left.twice) == (1, 2, 1)


def test_personal_fields_are_compared_without_their_values() -> None:
    """R5, R17: values are in neither findings nor temporary files."""
    report = {"uscc": USCC, "year": "2025", "contact_phone": "15400000000"}
    findings, _ = run(
        [report], [{**report, "contact_phone": "15400000001"}], dataset="annual_report"
    )
    [found] = findings
    assert (found.field, found.left, found.right) == (
        "contact_phone", "(personal)", "(personal)"
    )  # fmt: skip
    assert run([report], [report], dataset="annual_report")[0] == []


def test_an_identity_number_in_free_text_is_masked_in_findings() -> None:
    """R5."""
    facts = "当事人身份证号330106199001011237未明码标价"
    findings, _ = run([make_penalty(facts=facts)], [make_penalty(facts="未明码标价")])
    assert "330106199001011237" not in str(findings)
    assert findings[0].field == "facts"


def test_a_province_and_its_damaged_copy_are_told_apart_row_by_row() -> None:
    """Every injected loss, change and delay is found, and nothing else."""
    rows = [
        {"uscc": each.uscc, **row.fields, "source_time": f"{row.day}T09:00:00+08:00"}
        for each in province(1, 600, today=TODAY, catalogue=CATALOGUE)
        for row in each.deliveries
        if row.dataset == "licence"
    ]
    copy = [dict(row) for number, row in enumerate(rows) if number % 10]
    for number, row in enumerate(copy):
        if number % 7 == 0:
            row["content"] = "另一内容"
        if number % 11 == 0:
            day = date.fromisoformat(row["decided_on"]) + timedelta(days=29)
            row["source_time"] = f"{day}T09:00:00+08:00"
    findings, counts = run(rows, copy, dataset="licence")
    changed = len(range(0, len(copy), 7))
    assert (counts.left.missing, counts.right.missing) == (0, len(rows) - len(copy))
    assert counts.fields == {"content": changed}
    assert counts.right.late == len(range(0, len(copy), 11))
    assert counts.left.late == 0
    assert len(findings) == len(rows) - len(copy) + changed + counts.right.late


keys = st.sets(st.tuples(st.sampled_from(["A", "B"]), st.sampled_from("123456")))


@given(left=keys, right=keys)
def test_every_fact_is_a_pair_or_missing_on_one_side(
    left: set[tuple[str, str]], right: set[tuple[str, str]]
) -> None:
    """Swapping the sides swaps the counts."""

    def counted(one: set[tuple[str, str]], other: set[tuple[str, str]]) -> Comparison:
        counts = Comparison(left=Side(name=ONE), right=Side(name=OTHER))
        rows = [
            {key: Row(uscc=key[0], key=key[1], fields={}) for key in each} for each in (one, other)
        ]
        list(compare_rows(rows[0], rows[1], counts, late_after=7))
        return counts

    there, back = counted(left, right), counted(right, left)
    assert there.facts == there.pairs + there.left.missing + there.right.missing
    assert there.left.rows + there.left.missing == there.facts
    assert (there.left.missing, there.right.missing) == (back.right.missing, back.left.missing)


def test_the_shares_are_of_the_facts_the_rows_or_the_pairs() -> None:
    """Zero denominators are handled."""
    _, counts = run(
        [make_penalty("浙罚1"), make_penalty("浙罚2")], [make_penalty("浙罚2", fine="1")]
    )
    lines = {title.split(" ")[1]: (left, right) for title, left, right in summary_lines(counts)}
    assert lines["missing"] == ("0 (0.00%)", "1 (50.00%)")
    assert lines["pairs"] == ("1 (100.00%)", "1 (100.00%)")
    assert with_share(0, 0) == "0"


def test_the_csv_holds_every_finding_and_no_formula() -> None:
    """CSV cells are neutralised."""
    findings, _ = run(
        [make_penalty(content='=HYPERLINK("http://x")')], [make_penalty(content="@SUM(1)")]
    )
    text = io.StringIO()
    assert list(write_findings(findings, text)) == findings
    [row] = csv.DictReader(io.StringIO(text.getvalue()))
    assert row["left"] == '\'=HYPERLINK("http://x")'
    assert row["right"] == "'@SUM(1)"


def test_no_formula_behind_a_space_or_in_wide_characters_either() -> None:
    """Also after spaces and in full width."""
    findings, _ = run([make_penalty(content="＝1+1")], [make_penalty(content="某\n=1+1")])
    text = io.StringIO()
    list(write_findings((*findings, replace(findings[0], left=" =1+1", right="\n＋1")), text))
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert [row["left"] for row in rows] == ["'＝1+1", "' =1+1"]
    assert [row["right"] for row in rows] == ["某\n=1+1", "'\n＋1"]


def test_the_page_escapes_what_sources_write_and_fetches_nothing() -> None:
    """HTML-escaped, without external resources."""
    findings, counts = run([make_penalty(content="<script>alert(1)</script>")], [make_penalty()])
    question = ComparisonJob(dataset="penalty", names=("<b>", OTHER))
    page = comparison_page(question, counts, CATALOGUE.dataset("penalty"), findings)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "处罚内容" in page
