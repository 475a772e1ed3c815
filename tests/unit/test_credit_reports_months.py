"""Months in an own report: what is summed up in a sentence, and what is listed."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pytest

from gateway.credit_reports.content import content_of
from gateway.credit_reports.months import FEWEST, sum_up
from gateway.credit_reports.view import sections_of
from gateway.creditfile.local_dates import months_after
from gateway.creditfile.records import Record
from tests.credit_report_builders import NOW, choice_of, make_report
from tests.creditfile_builders import CATALOGUE, make_enterprise, make_record

DATASET = "tax_and_social"
MONTHS = [f"{months_after(date(2023, 11, 1), each):%Y-%m}" for each in range(36)]


def payments(
    months: Iterable[str] = MONTHS, *, kind: str = "tax", late: Iterable[str] = (), **members: Any
) -> list[Record]:
    """Records of these months of one kind."""
    return [
        make_record(
            DATASET,
            kind=kind,
            period=each,
            on_time=each not in set(late),
            record_id=f"rec_{kind}_{each}",
            **members,
        )
        for each in months
    ]


def report_with(*records: Record) -> dict[str, Any]:
    """A report on months alone."""
    return make_report(make_enterprise(), records, choice_of([DATASET]))


def sentences(*records: Record) -> list[str]:
    """The sentences on these records, in Chinese."""
    months = sum_up(DATASET, report_with(*records)["records"], CATALOGUE)
    return [each.zh for each in months.sentences]


def test_months_that_were_all_paid_on_time_are_one_sentence_with_their_range() -> None:
    """In both languages; none is listed, each is folded."""
    months = sum_up(DATASET, report_with(*payments())["records"], CATALOGUE)
    assert months.sentences == [
        (
            "纳税：2023-11 至 2026-10，36 个月均按时缴纳",
            "Tax: 2023-11 to 2026-10, all 36 months paid on time",
        )
    ]
    assert (months.listed, len(months.summed_up)) == ([], 36)


def test_a_month_that_was_not_paid_on_time_is_listed() -> None:
    """So is one that does not say, and one under objection, though it counts as paid on time."""
    silent = make_record(DATASET, period="2026-11", on_time=None, record_id="rec_silent")
    objected = payments(["2026-10"], objection_since=datetime(2026, 11, 1, tzinfo=NOW.tzinfo))
    held = [*payments(MONTHS[:-1], late=["2025-01"]), silent, *objected]
    months = sum_up(DATASET, report_with(*held)["records"], CATALOGUE)
    assert [each["fields"]["period"] for each in months.listed] == ["2026-11", "2026-10", "2025-01"]
    assert [each.zh for each in months.sentences] == [
        "纳税：2023-11 至 2026-11，37 个月中 35 个月按时缴纳，其余列于下方"
    ]


def test_months_without_a_record_are_counted() -> None:
    """A gap is not passed over as if it were paid."""
    assert sentences(*payments(MONTHS[:10] + MONTHS[12:])) == [
        "纳税：2023-11 至 2026-10，34 个月均按时缴纳（其间 2 个月没有记录）"
    ]


def test_each_kind_has_its_own_sentence_and_a_few_months_have_none() -> None:
    """Those are listed, as records of every other dataset are."""
    few = payments(MONTHS[: FEWEST - 1], kind="utilities")
    held = [*payments(), *payments(kind="social_insurance"), *few]
    assert [each.partition("：")[0] for each in sentences(*held)] == ["纳税", "社保"]
    listed = sum_up(DATASET, report_with(*held)["records"], CATALOGUE).listed
    assert {each["fields"]["kind"] for each in listed} == {"utilities"}
    report = make_report(make_enterprise(), [make_record("penalty")], choice_of(["penalty"]))
    assert sum_up("penalty", report["records"], CATALOGUE).listed == report["records"]


def test_the_page_and_the_pdf_show_the_sentence_and_what_is_listed() -> None:
    """The page has the other months folded, the PDF says where they are and names their source."""
    report = report_with(*payments(late=["2025-01"]))
    [shown] = sections_of(report, "firm", CATALOGUE)
    assert (len(shown.shown), len(shown.folded)) == (1, 35)
    [drawn] = content_of(report, CATALOGUE).sections
    assert not drawn.is_empty
    assert len(drawn.records) == 1
    assert [re.sub(r"\d+", "N", each.zh) for each in drawn.summary] == [
        "纳税：N-N 至 N-N，N 个月中 N 个月按时缴纳，其余列于下方",
        "按时缴纳的各个月份，见报告页面和本 PDF 所附的签名文件",
    ]
    assert [each.zh for each in drawn.sources] == ["数源单位"]


@pytest.mark.parametrize("paid", [FEWEST - 1, FEWEST])
def test_few_months_are_listed_one_by_one(paid: int) -> None:
    """From the sixth on they are summed up."""
    assert len(sentences(*payments(MONTHS[:paid]))) == (paid == FEWEST)
