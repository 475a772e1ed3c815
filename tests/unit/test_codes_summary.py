"""Sentences of the public summary: what an empty list leaves out, over a synthetic province (R1, R6)."""

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, Final

import pytest

from gateway.codes.public_page.sections import Section
from gateway.codes.public_page.summary import Summary, public_datasets, summary_of
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import is_disclosable
from gateway.creditfile.disclosure_terms import begins_at, ends_at, exemption
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import Record
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE, make_enterprise, make_record

TODAY = date(2026, 11, 23)
NOW = midnight(TODAY)
WARNINGS = [
    code for code in public_datasets(CATALOGUE) if CATALOGUE.dataset(code).page_part == "warning"
]


@cache
def enterprises() -> tuple[SyntheticEnterprise, ...]:
    """Some hundred enterprises, each special case among them."""
    return tuple(province(3, 300, today=TODAY, catalogue=CATALOGUE))


def summary(made: SyntheticEnterprise) -> Summary:
    """The public summary of a synthetic enterprise."""
    return summary_of(made.enterprise, made.records, CATALOGUE, now=NOW)


def empty_sections() -> list[tuple[Section, str, list[Record]]]:
    """Every empty list of warnings, the sentence that folds it, and the records that the file holds."""
    return [
        (
            section,
            shown.none_found.zh,
            [each for each in made.records if each.dataset == section.dataset],
        )
        for made in enterprises()
        for shown in (summary(made),)
        for section in shown.sections
        if section.state == "none" and section.part == "warning"
    ]


def reason_left_out(record: Record) -> str:
    """Why a record is not on the public page, in the words of the page's sentence."""
    dataset, rules = CATALOGUE.dataset(record.dataset), CATALOGUE.rules_of(record.dataset)
    if record.repaired_at is not None or record.withdrawn_at is not None:
        return "已修复"
    if record.suspended_at is not None:
        return "中止公示"
    if record.fields.get("appeal_state") == "under_appeal":
        return "正在复议诉讼"
    end, begin = ends_at(record, dataset, rules), begins_at(record)
    if exemption(record, rules, now=NOW) or (end is not None and end.year == 1):
        return "依法不予公示"
    if (end is not None and end <= NOW) or (begin is not None and begin > NOW):
        return "列入" if rules.until_removed else "在公示期内"
    return "nothing"


def test_an_empty_list_denies_no_record_that_the_file_holds() -> None:
    """Each record left out is of a kind that its sentence and the folded one name, or not in its period."""
    left_out = [(s, fold, record) for s, fold, records in empty_sections() for record in records]
    assert {record.dataset for _, _, record in left_out} >= {"penalty"}
    for section, folded, record in left_out:
        reason = reason_left_out(record)
        assert reason in section.statement.zh, (record.dataset, reason, section.statement.zh)
        assert reason in folded
        assert not is_disclosable(record, Audience.PUBLIC, CATALOGUE, NOW)


def test_a_list_whose_records_are_suspended_says_that_it_leaves_them_out() -> None:
    """As it does of repaired ones."""
    suspended = make_record("penalty", suspended_at=NOW)
    made = summary_of(make_enterprise(), (suspended,), CATALOGUE, now=NOW)
    section = next(each for each in made.sections if each.dataset == "penalty")
    assert section.state == "none"
    assert reason_left_out(suspended) in section.statement.zh
    assert "suspended" in section.statement.en
    folded = made.none_found
    assert reason_left_out(suspended) in folded.zh
    assert "suspended" in folded.en


def test_every_special_case_that_is_left_out_is_in_the_province() -> None:
    """Control: the reasons above really occur."""
    reasons = {reason_left_out(record) for _, _, records in empty_sections() for record in records}
    assert reasons >= {"已修复", "正在复议诉讼", "依法不予公示", "在公示期内"}


def test_no_sentence_says_that_there_are_no_violations() -> None:
    """R6: 未查询到, with the moment; of a list 列入."""
    for section, folded, _ in empty_sections():
        assert section.statement.zh.startswith("截至 2026-11-23 00:00 未查询到")
        assert "截至 2026-11-23 00:00 未查询到" in folded
        assert "没有" not in section.statement.zh + folded
        assert "no violation" not in section.statement.en.lower()


def test_the_status_counts_the_bad_records_that_are_public() -> None:
    """A broken commitment counts, a kept one does not."""
    records = (
        make_record("penalty", record_id="rec_1"),
        make_record("commitment", record_id="rec_2", number="诺2", fulfilment="broken"),
        make_record("commitment", record_id="rec_3"),
    )
    made = summary_of(make_enterprise(), records, CATALOGUE, now=NOW)
    assert made.status.text.zh == "有 2 条不良记录（行政处罚等）"
    assert [(each.dataset, each.disclosed.record.record_id) for each in made.alerts] == [
        ("penalty", "rec_1"),
        ("commitment", "rec_2"),
    ]


@pytest.mark.parametrize("dataset", WARNINGS)
def test_a_source_that_is_down_is_not_nothing_found(dataset: str) -> None:
    """The status line says so too."""
    made = summary_of(make_enterprise(unavailable=(dataset,)), (), CATALOGUE, now=NOW)
    section = next(each for each in made.sections if each.dataset == dataset)
    assert (section.state, section.statement.zh) == ("unavailable", "暂不可用")
    assert made.status.icon == "unknown"
    assert "部分来源暂不可用" in made.status.text.zh


def test_whatever_may_be_bad_and_public_is_on_the_page() -> None:
    """Else the status line would be green beside it."""
    may_be_bad = {
        each.code
        for each in CATALOGUE.datasets
        if each.is_ever_bad and CATALOGUE.fields_for(each.code, Audience.PUBLIC)
    }
    assert may_be_bad <= set(public_datasets(CATALOGUE))


BAD: Final[dict[str, dict[str, Any]]] = {
    "inspection": {"task": "抽1", "inspected_on": "2026-10-01", "result": "不合格"},
    "measure": {
        "number": "措1",
        "type": "失信惩戒",
        "valid_from": "2026-10-01",
        "valid_to": "2027-10-01",
        "published": True,
    },
}


@pytest.mark.parametrize("dataset", BAD)
def test_a_bad_record_of_a_neutral_dataset_is_no_green_page(dataset: str) -> None:
    """A failed inspection, a disciplinary measure that is published."""
    fields = BAD[dataset]
    record = replace(
        make_record("inspection"),
        dataset=dataset,
        decided_on=date(2026, 10, 1),
        valid_to=date(2027, 10, 1),
        level=fields.get("result"),
        category=fields.get("type"),
        fields=fields,
    )
    made = summary_of(make_enterprise(), (record,), CATALOGUE, now=NOW)
    assert made.status.icon == "alert"
    assert [each.dataset for each in made.alerts] == [dataset]


def test_a_register_that_is_down_is_no_green_page() -> None:
    """The enterprise may be gone by now."""
    made = summary_of(make_enterprise(unavailable=("registration",)), (), CATALOGUE, now=NOW)
    assert made.status.icon == "unknown"


@pytest.mark.parametrize(
    ("begins", "is_held"), [("2026-11-23", True), ("2026-11-24", False), (None, True)]
)
def test_a_licence_is_held_from_its_first_day_on(begins: str | None, is_held: bool) -> None:
    """One that begins tomorrow allows nothing today."""
    fields = {"number": "许1", "item_code": "food_operation", "valid_to": "2032-01-01"}
    if begins:
        fields["valid_from"] = begins
    licence = replace(
        make_record("commitment"), dataset="licence", valid_to=date(2032, 1, 1), fields=fields
    )
    made = summary_of(make_enterprise(industry="H6210"), (licence,), CATALOGUE, now=NOW)
    assert [each.is_held for each in made.trade_licences] == [is_held]


def test_the_public_page_shows_the_newest_months_in_their_order() -> None:
    """Of numbers by month, which have no day of decision; the ids are random."""
    months = [f"{year}-{month:02}" for year in (2025, 2026) for month in range(1, 13)][:22]
    held = [
        make_record("complaint", period=each, record_id=f"rec_{(7 * place) % 22}")
        for place, each in enumerate(months)
    ]
    shown = summary_of(make_enterprise(), held, CATALOGUE, now=NOW).sections
    records = next(each for each in shown if each.dataset == "complaint").records
    assert [each.record.period for each in records] == months[:1:-1]
