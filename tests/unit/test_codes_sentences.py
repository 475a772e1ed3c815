"""Sentences of the public page: status line, and one plain sentence about each kind of record."""

import re
from typing import Any

import pytest

from gateway.codes.public_page.status_line import Found, status_line
from gateway.codes.public_page.wording import MAX_VALUE, record_sentence
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.value_labels import VALUES
from tests.creditfile_builders import CATALOGUE

MOMENT = "2026-11-23 00:00"
WITH_SENTENCES = [each for each in CATALOGUE.datasets if each.sentence is not None]


@pytest.mark.parametrize(
    ("found", "icon", "zh"),
    [
        (Found(registration_status="active"), "ok", f"截至 {MOMENT} 未查询到在公示期内的不良记录"),
        (
            Found(registration_status="active", is_complete=False),
            "unknown",
            f"部分来源暂不可用；其余来源截至 {MOMENT} 未查询到在公示期内的不良记录",
        ),
        (
            Found(registration_status="active", bad=["serious_violation"], is_complete=False),
            "alert",
            "有 1 条严重违法失信名单记录；部分来源暂不可用",
        ),
        (
            Found(registration_status="suspended", is_complete=False),
            "unknown",
            f"歇业；部分来源暂不可用；其余来源截至 {MOMENT} 未查询到在公示期内的不良记录",
        ),
        (
            Found(registration_status="deregistered", bad=["penalty"], is_complete=False),
            "ended",
            "企业已注销；有 1 条行政处罚记录；部分来源暂不可用",
        ),
        (
            Found(registration_status="deregistered", is_complete=False),
            "ended",
            "企业已注销；部分来源暂不可用",
        ),
        (
            Found(registration_status="active", bad=["serious_violation", "penalty", "penalty"]),
            "alert",
            "有 3 条不良记录（严重违法失信名单等）",
        ),
        (
            Found(registration_status="active", bad=["sampling_result"]),
            "alert",
            "有 1 条不良记录（食品和产品抽检）",
        ),
        (
            Found(registration_status="active", notices=["enforcement_case"]),
            "notice",
            "有 1 条需要留意的信息（被执行人）",
        ),
        (Found(registration_status="deregistered"), "ended", "企业已注销"),
        (
            Found(registration_status="revoked_not_deregistered", bad=["penalty"]),
            "ended",
            "企业已被吊销营业执照；有 1 条行政处罚记录",
        ),
        (
            Found(registration_status="suspended"),
            "notice",
            f"歇业；截至 {MOMENT} 未查询到在公示期内的不良记录",
        ),
    ],
)
def test_the_status_line_sums_up(found: Found, icon: str, zh: str) -> None:
    """A gone enterprise first, then what is bad; a green one only where nothing speaks against it."""
    status = status_line(found, CATALOGUE, "firm", MOMENT)
    assert (status.icon, status.text.zh) == (icon, zh)
    assert not re.search(r"[\u4e00-\u9fff]", status.text.en)


def test_every_registration_state_but_active_is_never_green() -> None:
    """Also one that the catalogue may get later."""
    states = CATALOGUE.dataset("registration").field_by_name["status"].values
    for state in (*states, "something_new"):
        line = status_line(Found(registration_status=state), CATALOGUE, "firm", MOMENT)
        assert (line.icon == "ok") is (state == "active")


@pytest.mark.parametrize("dataset", WITH_SENTENCES, ids=lambda each: each.code)
def test_a_sentence_names_public_fields_only(dataset: Any) -> None:
    """None that `disclosure_policy` would not give to the public."""
    public = {each.name for each in CATALOGUE.fields_for(dataset.code, Audience.PUBLIC)}
    for kind in ("firm", "individual_business"):
        sentence = dataset.sentence_for(kind)
        assert sentence.fields <= public


@pytest.mark.parametrize("dataset", WITH_SENTENCES, ids=lambda each: each.code)
def test_a_sentence_is_whole_whichever_field_is_missing(dataset: Any) -> None:
    """No bracket without its partner, no placeholder, nothing twice, in both languages."""
    values = {name: _value(dataset.field_by_name[name]) for name in dataset.sentence.fields}
    optional = [name for name in values if not dataset.field_by_name[name].required]
    for missing in (None, *optional):
        fields = {name: value for name, value in values.items() if name != missing}
        for text in record_sentence(dataset.code, fields, CATALOGUE):
            assert text
            assert not set("{}") & set(text)
            assert text.count("（") == text.count("）")
            assert text.count("(") == text.count(")")
            assert text[0] not in "，：,:（("


def test_a_record_of_no_words_is_named_by_its_dataset() -> None:
    """Rather than by nothing."""
    assert record_sentence("penalty", {}, CATALOGUE).zh == "行政处罚"


def test_a_long_reason_is_cut_in_the_sentence() -> None:
    """The record below it has it whole."""
    told = record_sentence(
        "serious_violation", {"added_on": "2026-01-02", "reason": "长" * 900}, CATALOGUE
    )
    assert told.zh.endswith("长…")
    assert told.zh.count("长") == MAX_VALUE - 1


def test_a_penalty_reads_as_one_would_say_it() -> None:
    """When, why, what, by whom."""
    fields = {
        "decided_on": "2026-08-06",
        "violation_type": "未按规定明码标价",
        "kinds": ["罚款"],
        "fine": "1.200000",
        "authority": "杭州市某区市场监督管理局",
    }
    told = record_sentence("penalty", fields, CATALOGUE)
    assert told.zh == (
        "2026-08-06 因未按规定明码标价受到行政处罚：罚款（1.2 万元），杭州市某区市场监督管理局"
    )


def test_every_closed_value_that_the_public_may_read_has_english_words() -> None:
    """Letters of a grade say themselves."""
    lacking = {
        (dataset.code, field.name, value)
        for dataset in CATALOGUE.datasets
        for field in CATALOGUE.fields_for(dataset.code, Audience.PUBLIC)
        for value in field.values
        if value not in VALUES and not value.isascii()
    }
    assert lacking == set()


def _value(field: Any) -> Any:
    if field.type == "texts":
        return [field.values[0] if field.values else "甲"]
    if field.type == "date":
        return "2026-03-02"
    if field.type == "decimal":
        return "1.500000"
    return field.values[0] if field.values else "某"
