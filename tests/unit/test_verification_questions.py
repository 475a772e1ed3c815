"""Catalogue of questions: published content, required consent, validation of questions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from gateway.clients.terms import ON_A_PERSONS_ID
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.disclosure_class import DisclosureClass
from verification import (
    CATALOGUE_VERSION,
    QUESTIONS,
    Asked,
    Value,
    as_document,
    asserted_form,
    budget_charges,
    budgets_of,
    elements_of,
    find_question,
    problem_with,
)
from verification.questions_page import markdown

PAGE = Path(__file__).parents[2] / "docs" / "understand" / "questions.md"
VECTORS = Path(__file__).parents[1] / "vectors"
PUBLISHED = {
    "enterprise_name.v1",
    "legal_representative_name.v1",
    "enterprise_name.v2",
    "legal_representative_name.v2",
    "registered_address.v1",
    "legal_representative_id.v1",
    "is_active.v1",
    "not_on_serious_violation_list.v1",
    "not_abnormal.v1",
    "licence_valid.v1",
    "no_live_penalty.v1",
    "not_judgment_defaulter.v1",
    "commitment_fulfilled.v1",
    "rating_at_least.v1",
    "established_for.v1",
    "paid_social_insurance_on_time.v1",
    "three_elements.v1",
    "four_elements.v1",
    "registration_standing.v1",
    "is_individual_business.v1",
    "annual_report_filed.v1",
    "licence_number_valid.v1",
    "paid_tax_on_time.v1",
    "paid_housing_fund_on_time.v1",
    "employees_insured_at_least.v1",
    "representative_stable.v1",
    "is_small_or_micro.v1",
    "scope_includes.v1",
    "licence_item_valid.v1",
    "not_on_any_serious_list.v1",
    "no_enforcement_case.v1",
    "no_equity_freeze.v1",
    "not_in_liquidation.v1",
    "tax_credit_level_at_least.v1",
    "comprehensive_rating_at_least.v1",
}
THREE = elements_of({"name": "名", "legal_representative": "名"})
FOUR = elements_of({"name": "名", "legal_representative": "名", "id_number": "1"})
DECIDED_BY = (
    ("enterprise_name.v1", "名", "registration", "name"),
    ("legal_representative_name.v1", "名", "registration", "legal_representative"),
    ("enterprise_name.v2", "名", "registration", "name"),
    ("legal_representative_name.v2", "名", "registration", "legal_representative"),
    ("registered_address.v1", "路", "registration", "address"),
    ("legal_representative_id.v1", "1", "registration", "legal_representative_id_number"),
    ("is_active.v1", None, "registration", "status"),
    ("established_for.v1", "5", "registration", "established_on"),
    ("not_on_serious_violation_list.v1", None, "serious_violation", "reason"),
    ("not_abnormal.v1", None, "abnormal_listing", "reason"),
    ("licence_valid.v1", "普通", "licence", "category"),
    ("no_live_penalty.v1", None, "penalty", "valid_until"),
    ("no_live_penalty.v1", "严重", "penalty", "severity"),
    ("not_judgment_defaulter.v1", None, "judgment_defaulter", "basis"),
    ("commitment_fulfilled.v1", None, "commitment", "fulfilment"),
    ("rating_at_least.v1", "良好", "public_rating", "level"),
    ("paid_social_insurance_on_time.v1", "3", "tax_and_social", "on_time"),
    ("three_elements.v1", THREE, "registration", "name"),
    ("three_elements.v1", THREE, "registration", "legal_representative"),
    ("four_elements.v1", FOUR, "registration", "legal_representative_id_number"),
    ("registration_standing.v1", None, "registration", "status"),
    ("registration_standing.v1", None, "registration", "term_to"),
    ("is_individual_business.v1", None, "registration", "kind"),
    ("annual_report_filed.v1", None, "annual_report", "year"),
    ("licence_number_valid.v1", "浙许1号", "licence", "number"),
    ("licence_number_valid.v1", "浙许1号", "licence", "certificate"),
    ("paid_tax_on_time.v1", "6", "tax_and_social", "on_time"),
    ("paid_housing_fund_on_time.v1", "6", "tax_and_social", "on_time"),
    ("employees_insured_at_least.v1", "1", "tax_and_social", "insured"),
    ("representative_stable.v1", "6", "change", "item"),
    ("representative_stable.v1", "6", "change", "changed_on"),
    ("representative_stable.v1", "6", "registration", "approved_on"),
    ("is_small_or_micro.v1", None, "registration", "small_or_micro"),
    ("scope_includes.v1", "521", "registration", "scope_industries"),
    ("licence_item_valid.v1", "food_operation", "licence", "item_code"),
    ("not_on_any_serious_list.v1", None, "serious_violation", "added_on"),
    ("not_on_any_serious_list.v1", None, "judgment_defaulter", "published_on"),
    ("not_on_any_serious_list.v1", None, "untrustworthy_list", "added_on"),
    ("no_enforcement_case.v1", None, "enforcement_case", "filed_on"),
    ("no_equity_freeze.v1", None, "equity_freeze", "frozen_on"),
    ("not_in_liquidation.v1", None, "liquidation", "began_on"),
    ("tax_credit_level_at_least.v1", "B", "tax_credit_level", "level"),
    ("comprehensive_rating_at_least.v1", "B", "comprehensive_rating", "level"),
)
"""Question, value, and the dataset and field that decide its answer."""
UNDER_CONSENT = {
    "legal_representative_id.v1",
    "rating_at_least.v1",
    "paid_social_insurance_on_time.v1",
    "four_elements.v1",
    "paid_tax_on_time.v1",
    "paid_housing_fund_on_time.v1",
    "employees_insured_at_least.v1",
    "tax_credit_level_at_least.v1",
    "comprehensive_rating_at_least.v1",
}


def test_no_published_question_ever_leaves_the_catalogue() -> None:
    """Tags are append-only and unique."""
    tags = [each.tag for each in QUESTIONS]
    assert set(tags) >= PUBLISHED
    assert len(tags) == len(set(tags))


def test_a_published_question_keeps_its_place_and_its_rules() -> None:
    """Append only: a tag's kind, values, datasets, consent, comparison and budget never change.

    A new question adds a line to `questions-published.tsv`; a changed line would be a changed meaning.
    """
    lines = (VECTORS / "questions-published.tsv").read_text("utf-8").splitlines()
    published = [tuple(line.split("\t")) for line in lines]
    assert published == [
        (each["question"], rules_digest(each)) for each in as_document()["questions"]
    ]


def rules_digest(member: dict[str, object]) -> str:
    """Of all members but the wording."""
    rules = {name: value for name, value in member.items() if name not in {"title", "meaning"}}
    text = json.dumps(rules, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def test_only_what_rests_on_closed_fields_needs_consent() -> None:
    """Questions about public facts need none."""
    assert {each.tag for each in QUESTIONS if each.needs_consent} == UNDER_CONSENT


def test_a_question_with_a_severity_is_closed_and_without_one_open() -> None:
    """That there is a penalty is public; its severity is not."""
    asked = find_question("no_live_penalty.v1")
    assert asked is not None
    assert not asked.needs_consent_for(None)
    assert all(asked.needs_consent_for(severity) for severity in asked.values)
    assert {each.tag for each in QUESTIONS if each.value_needs_consent} == {asked.tag}


def test_every_question_is_among_those_whose_deciding_field_is_known() -> None:
    """A new question must be added to the comparison."""
    assert {tag for tag, *_ in DECIDED_BY} == {each.tag for each in QUESTIONS}


def test_a_question_needs_consent_if_its_fields_are_not_public() -> None:
    """By the classes of the deciding fields."""
    catalogue = load_catalogue()
    for tag, value, dataset, field in DECIDED_BY:
        found = find_question(tag)
        assert found is not None
        fields = {each.name: each for each in catalogue.dataset(dataset).fields}
        of_class = fields[field].disclosure
        assert found.needs_consent_for(value) == (of_class is not DisclosureClass.PUBLIC), (
            tag,
            value,
            field,
        )


def test_only_names_match_loosely() -> None:
    """Other questions have no level of match."""
    loose = {each.tag for each in QUESTIONS if each.loose}
    assert loose == {
        f"{name}.v{version}"
        for name in ("enterprise_name", "legal_representative_name")
        for version in (1, 2)
    }


def test_both_questions_on_a_name_have_one_budget_in_the_later_form() -> None:
    """Consent to the earlier question covers the later one, not the other way round."""
    for name in ("enterprise_name", "legal_representative_name"):
        first, second = find_question(f"{name}.v1"), find_question(f"{name}.v2")
        assert first is not None
        assert second is not None
        assert first.budget == second.budget == first.tag
        assert first.consented_by == (first.tag,)
        assert second.consented_by == (second.tag, first.tag)
        forms = {asserted_form(Asked(tag=each.tag, value="⻰．氏")) for each in (first, second)}
        assert forms == {"龙·氏"}
    (member,) = [
        each for each in as_document()["questions"] if each["question"] == "enterprise_name.v2"
    ]
    assert (member["normalisation"], member["shares_budget_with"]) == (
        "names.v2",
        ["enterprise_name.v1"],
    )


def test_no_question_takes_a_threshold_of_the_callers_choosing() -> None:
    """Values are texts to compare or from a closed list."""
    for each in QUESTIONS:
        assert (each.value in {"text", "elements"}) == (each.kind == "match")
        assert (each.value == "one_of") == bool(each.values)
        assert (each.value == "elements") == bool(each.elements)
        assert each.budgeted == (each.value != "none")


def test_the_document_is_plain_json_in_the_catalogues_order() -> None:
    """As served at `/v1/questions`."""
    document = json.loads(json.dumps(as_document()))
    assert document["catalogue_version"] == CATALOGUE_VERSION
    assert [each["question"] for each in document["questions"]] == [e.tag for e in QUESTIONS]
    by_tag = {each["question"]: each for each in document["questions"]}
    assert by_tag["no_live_penalty.v1"]["value"] == {
        "type": "one_of",
        "required": False,
        "needs_consent": True,
        "one_of": ["轻微", "一般", "严重"],
    }
    assert by_tag["is_active.v1"]["value"] == {"type": "none"}
    assert by_tag["enterprise_name.v1"]["value"]["max_length"] == 200
    assert by_tag["four_elements.v1"]["value"] == {
        "type": "elements",
        "required": True,
        "needs_consent": True,
        "max_length": 200,
        "members": ["name", "legal_representative", "id_number"],
    }
    assert by_tag["three_elements.v1"]["shares_budget_with"] == [
        "enterprise_name.v2",
        "legal_representative_name.v2",
    ]
    for each in document["questions"]:
        assert each["title"]["zh"]
        assert each["title"]["en"].endswith("?") or each["title"]["en"].startswith("Is ")
        assert each["meaning"]["zh"].endswith("。")
        assert each["meaning"]["en"].endswith(".")


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("enterprise_name.v1", "杭州云栖数据科技有限公司"),
        ("enterprise_name.v1", "名" * 200),
        ("is_active.v1", None),
        ("no_live_penalty.v1", None),
        ("no_live_penalty.v1", "严重"),
        ("licence_valid.v1", "普通"),
        ("rating_at_least.v1", "良好"),
        ("established_for.v1", "5"),
        ("paid_social_insurance_on_time.v1", "12"),
        ("paid_social_insurance_on_time.v1", "24"),
        ("three_elements.v1", THREE),
        ("four_elements.v1", FOUR),
        ("licence_number_valid.v1", "浙许〔2023〕1号"),
    ],
)
def test_a_well_formed_question_has_no_problem(tag: str, value: Value | None) -> None:
    """Every question of the catalogue with a valid value."""
    assert problem_with(Asked(tag=tag, value=value)) is None


@pytest.mark.parametrize(
    ("tag", "value", "sentence"),
    [
        ("favourite_colour.v1", None, "no such question"),
        ("enterprise_name.v9", "杭州", "no such question"),
        ("enterprise_name.v1", None, "needs a value"),
        ("enterprise_name.v1", "  \u200b", "not blank"),
        ("enterprise_name.v1", "名" * 201, "longer than 200"),
        ("enterprise_name.v1", "杭\ud800州", "well-formed"),
        ("enterprise_name.v1", "杭\0州", "well-formed"),
        ("is_active.v1", "yes", "takes no value"),
        ("licence_valid.v1", None, "needs a value"),
        ("licence_valid.v1", "特殊", "takes one of: 普通, "),
        ("established_for.v1", "7", "takes one of: 1, 3, 5, 10."),
        ("established_for.v1", " 5", "takes one of"),
        ("rating_at_least.v1", "", "takes one of"),
        ("no_live_penalty.v1", "", "takes one of"),
        ("three_elements.v1", None, "needs a value"),
        ("three_elements.v1", "名", "takes an object of texts: name, legal_representative."),
        ("three_elements.v1", FOUR, "takes an object of texts: name, legal_representative."),
        (
            "four_elements.v1",
            THREE,
            "takes an object of texts: name, legal_representative, id_number.",
        ),
        ("three_elements.v1", (), "takes an object of texts"),
        ("three_elements.v1", (("legal_representative", " "), ("name", "名")), "not blank"),
        (
            "three_elements.v1",
            (("legal_representative", "名"), ("name", "名" * 201)),
            "longer than 200",
        ),
        ("enterprise_name.v1", THREE, "takes a text"),
        ("rating_at_least.v1", THREE, "takes one of"),
        ("is_active.v1", THREE, "takes no value"),
        ("licence_number_valid.v1", " ", "not blank"),
        ("scope_includes.v1", "52", "is a group of GB/T 4754: three digits"),
        ("scope_includes.v1", "F5211", "is a group of GB/T 4754: three digits"),
        ("scope_includes.v1", "Z521", "is a group of GB/T 4754: three digits"),
        ("licence_item_valid.v1", "食品经营许可", "takes one of: food_operation, "),
    ],
)
def test_a_malformed_question_is_refused_with_the_reason(
    tag: str, value: Value | None, sentence: str
) -> None:
    """The sentence says what to change."""
    assert sentence in (problem_with(Asked(tag=tag, value=value)) or "")


def test_a_problem_never_repeats_what_was_sent() -> None:
    """Asserted values may be personal."""
    secret = "33010619900101123X" * 12
    group = elements_of({"name": secret, "legal_representative": "张三", "id_number": secret})
    for tag in ("legal_representative_id.v1", "is_active.v1", "four_elements.v1", secret):
        for value in (secret, group, elements_of({secret: secret})):
            assert "3301" not in (problem_with(Asked(tag=tag, value=value)) or "")


def test_two_spellings_of_one_value_cost_the_budget_once() -> None:
    """The budget counts normalised values."""
    full, ascii_ = (Asked(tag="enterprise_name.v1", value=f"云栖{b}") for b in ("（杭）", "(杭)"))
    assert asserted_form(full) == asserted_form(ascii_) == "云栖(杭)"
    assert asserted_form(Asked(tag="established_for.v1", value="5")) == "5"
    assert asserted_form(Asked(tag="legal_representative_id.v1", value="33 010x")) == "33010X"


def test_a_group_counts_as_one_value_and_each_element_in_its_own_budget() -> None:
    """Neither order, spelling nor a group gives further guesses."""
    one = Asked(tag="four_elements.v1", value=FOUR)
    spelt = elements_of({"id_number": "１", "legal_representative": " 名", "name": "名\u200b"})
    charges = budget_charges(one)
    assert charges == budget_charges(Asked(tag="four_elements.v1", value=spelt))
    assert charges[1:] == (
        ("enterprise_name.v1", "名"),
        ("legal_representative_name.v1", "名"),
        ("legal_representative_id.v1", "1"),
    )
    assert charges[0][0] == "four_elements.v1"
    assert budget_charges(Asked(tag="enterprise_name.v1", value="名")) == (charges[1],)
    for each in QUESTIONS:
        value = FOUR if "id_number" in {e.name for e in each.elements} else THREE
        asked = Asked(tag=each.tag, value=value if each.elements else "名")
        budgets = [budget for budget, _ in budget_charges(asked)]
        assert budgets == list(dict.fromkeys(budgets_of(each)))


def test_two_groups_of_other_values_are_two_values() -> None:
    """Moving a text from one member to another makes another value."""
    forms = {
        asserted_form(Asked(tag="three_elements.v1", value=elements_of(members)))
        for members in (
            {"name": "名", "legal_representative": "张三"},
            {"name": "张三", "legal_representative": "名"},
            {"name": '名"', "legal_representative": "张三"},
        )
    }
    assert len(forms) == 3


def test_a_question_on_a_persons_id_is_marked_as_one() -> None:
    """Agency licences, delegates and decisions in person use that list."""
    on_an_id = {
        each.tag
        for each in QUESTIONS
        if each.normalisation == "id_numbers.v1" or "id_number" in {e.name for e in each.elements}
    }
    assert on_an_id == ON_A_PERSONS_ID
    assert all(found.needs_consent for tag in on_an_id if (found := find_question(tag)))


def test_nothing_asserted_costs_nothing() -> None:
    """Questions without a value are not counted."""
    assert asserted_form(Asked(tag="is_active.v1")) is None
    assert asserted_form(Asked(tag="no_live_penalty.v1")) is None
    assert asserted_form(Asked(tag="unheard_of.v1", value="x")) is None


def test_the_page_of_the_questions_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run `make docs`"
    for each in QUESTIONS:
        assert f"## `{each.tag}`" in markdown()


def test_a_tag_finds_its_question() -> None:
    """Exact match."""
    assert find_question("is_active.v1") in QUESTIONS
    assert find_question("IS_ACTIVE.v1") is None
