"""The catalogue: published content, and refusal of invalid catalogues at start-up."""

import pytest

from gateway.codes.public_page.summary import public_datasets
from gateway.creditfile.catalogue import (
    PUBLISHED_CATALOGUE,
    CatalogueError,
    UnknownDatasetError,
    load_catalogue,
)
from gateway.creditfile.disclosure_class import Audience, DisclosureClass
from tests.creditfile_builders import CATALOGUE
from verification.catalogue import LICENCE_CATEGORIES, QUESTIONS, RATING_LEVELS, SEVERITIES
from verification.record_questions import (
    LICENSING_ITEMS,
    NATIONAL_LEVELS,
    PROVINCIAL_LEVELS,
    TAX_LEVELS,
)

DATASETS = {
    "registration", "licence", "penalty", "abnormal_listing", "serious_violation",
    "judgment_defaulter", "commitment", "inspection", "honour", "public_rating",
    "industry_rating", "third_party_rating", "annual_report", "pledge", "tax_and_social",
    "supervision", "untrustworthy_list", "administrative_coercion", "measure",
    "comprehensive_rating", "tax_credit_level", "customs_level", "judgment_case",
    "enforcement_case", "consumption_limit", "equity_freeze", "shareholder", "key_person",
    "change", "branch", "liquidation", "arrears_notice", "sampling_result",
    "contract_performance", "complaint",
}  # fmt: skip


def test_the_published_catalogue_has_all_datasets() -> None:
    """Version 2026.3, as the domain describes it."""
    assert CATALOGUE.version == "2026.3"
    assert set(CATALOGUE.codes) == DATASETS
    assert len(DATASETS) == 35


def test_every_field_has_a_class_two_names_and_a_description() -> None:
    """R4: the class limits disclosure."""
    for dataset in CATALOGUE.datasets:
        for field in dataset.fields:
            assert field.disclosure is not None, (dataset.code, field.name)


def test_government_and_never_reach_no_client() -> None:
    """The appeal state is only compared; the supervision class is not used at all."""
    told = {field.name for field in CATALOGUE.fields_for("penalty", Audience.AUTHORISED)}
    compared = {field.name for field in CATALOGUE.fields_for("penalty", Audience.VERIFICATION)}
    assert "appeal_state" not in told
    assert "appeal_state" in compared
    for audience in Audience:
        assert CATALOGUE.fields_for("supervision", audience) == ()


def test_identity_numbers_are_never_disclosed() -> None:
    """R5: fields with ID numbers or home addresses have the class `never`."""
    for dataset in CATALOGUE.datasets:
        for field in dataset.fields:
            if "id_number" in field.name or field.name == "home_address":
                assert field.disclosure is DisclosureClass.NEVER
                assert field.personal


def test_a_question_asks_only_for_datasets_and_values_of_the_catalogue() -> None:
    """Questions and catalogue use the same names."""
    for question in QUESTIONS:
        assert set(question.datasets) <= DATASETS
    fields = {(d.code, f.name): f.values for d in CATALOGUE.datasets for f in d.fields}
    assert fields["licence", "category"] == LICENCE_CATEGORIES
    assert fields["penalty", "severity"] == SEVERITIES
    assert fields["tax_credit_level", "level"] == TAX_LEVELS
    assert fields["comprehensive_rating", "level"] == (*PROVINCIAL_LEVELS, *NATIONAL_LEVELS)
    assert {"法定代表人变更", "经营者变更"} < set(fields["change", "item"] or ())
    assert CATALOGUE.licensing_items is not None
    assert tuple(each.code for each in CATALOGUE.licensing_items.items) == LICENSING_ITEMS
    assert fields["public_rating", "level"] == RATING_LEVELS == CATALOGUE.rating_levels


def test_an_unknown_dataset_is_an_error_with_its_own_type() -> None:
    """So that callers can tell it from a defect."""
    with pytest.raises(UnknownDatasetError):
        CATALOGUE.dataset("horoscope")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('version: "2026.3"', "", "version"),
        ("tone: neutral", "tone: lukewarm", "tone"),
        ("class: government", "class: secret", "class"),
        ("column: severity", "column: nonsense", "there is no column nonsense"),
        ("values: [警告, 通报批评, 罚款,", "values: [书面警告, 通报批评, 罚款,", "its clock goes by 警告"),
        ("under_appeal: [under_appeal]", "under_appeal: [appealing]", "its clock goes by appealing"),
        ("values: [简易, 普通]", "values: [普通]", "its clock goes by 简易"),
        ("values: [轻微, 一般, 严重]", "values: [轻微, 严重]", "its clock goes by 一般"),
        ("values: [broken]", "values: [failed]", "its clock goes by failed"),
        ('column: decided_on,\n         required: true, description: "The day of the entry."',
         'description: "The day of the entry."', "its retention needs a day that is required"),
        ("clock: penalty", "clock: cuckoo", "there is no clock cuckoo"),
        ("key: document_number", "key: nonsense", "no such field"),
        ("code: licence", "code: penalty", "stands twice"),
        ("public_when: published", "public_when: level", "a condition is no value of ['level']"),
        ("values: [A]}", "values: [AAA]}", "a condition is no value of ['level']"),
        ("required: true, personal: true,\n         masked: true", "required: true,\n         masked: true",
         "masked, and not personal"),
        ("headline: [name, status]", "headline: [nickname]", "no such field"),
        ("zh: 曾用名", "zh: 曾患疾病", "illness is not collected (R3)"),
        ("en: Former names", "en: Religion", "religion is not collected (R3)"),
        ("en: Scope of business, type: free_text", "en: Income, personal: true, type: free_text",
         "income of a person"),
        ("clocks:", "clocks: {}\nclocks:", "a key stands twice"),
        ("datasets:", "datasets: [", "not readable YAML"),
    ],
)  # fmt: skip
def test_a_catalogue_that_is_not_well_formed_is_refused_with_a_sentence(
    old: str,
    new: str,
    said: str,
) -> None:
    """Start-up fails with a sentence."""
    text = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(CatalogueError) as refused:
        load_catalogue(text.replace(old, new))
    assert said in str(refused.value)


def test_a_field_without_a_class_is_never_served() -> None:
    """It is stored and not disclosed."""
    text = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    unclassed = load_catalogue(
        text.replace(
            "{name: facts, zh: 违法事实, en: Facts, type: free_text, class: public",
            "{name: facts, zh: 违法事实, en: Facts, type: free_text",
        )
    )
    field = next(each for each in unclassed.dataset("penalty").fields if each.name == "facts")
    assert field.disclosure is None
    for audience in Audience:
        assert field not in unclassed.fields_for("penalty", audience)


def test_what_names_a_person_is_masked_or_kept_back() -> None:
    """Names of shareholders, officers and liquidators; their identity numbers are never told."""
    masked = {
        (dataset.code, field.name)
        for dataset in CATALOGUE.datasets
        for field in dataset.fields
        if field.masked
    }
    assert masked == {
        ("shareholder", "name"), ("key_person", "name"), ("change", "before"), ("change", "after"),
        ("liquidation", "leader"), ("liquidation", "members"), ("equity_freeze", "holder"),
        ("consumption_limit", "limited_person"),
    }  # fmt: skip


def test_licensing_items_have_a_source_a_version_and_codes_of_their_own() -> None:
    """The list that `licence.item_code` is chosen from."""
    items = CATALOGUE.licensing_items
    assert items is not None
    assert items.source
    assert items.version
    assert len(items.by_code) == len(items.items) >= 30
    assert items.by_code["food_operation"].zh == "食品经营许可"


def test_warnings_come_first_on_the_public_page() -> None:
    """Lists, arrears, samples and liquidation before licences, levels and honours."""
    parts = [CATALOGUE.dataset(code).page_part for code in public_datasets(CATALOGUE)]
    assert parts == sorted(parts, key=["warning", "other", "folded"].index)
    assert {"untrustworthy_list", "arrears_notice", "sampling_result", "liquidation"} <= {
        code
        for code in public_datasets(CATALOGUE)
        if CATALOGUE.dataset(code).page_part == "warning"
    }
    assert {"customs_level", "industry_rating"} <= {
        code for code in public_datasets(CATALOGUE) if CATALOGUE.dataset(code).page_part == "other"
    }


def test_what_the_catalogue_calls_public_is_on_the_public_page() -> None:
    """Every dataset with a public field, but the registration, which the page has by itself."""
    public = {
        each.code for each in CATALOGUE.datasets if CATALOGUE.fields_for(each.code, Audience.PUBLIC)
    }
    assert set(public_datasets(CATALOGUE)) == public - {"registration"}
    assert {"annual_report", "shareholder", "pledge"} <= public
