"""Row validation by the catalogue: normal forms, problems, warnings, masking."""

from datetime import date
from typing import Any

import pytest

from gateway.ingest.results import AcceptedRow, RejectedRow, RowWarning
from gateway.ingest.validation.uscc_check import check_character_fits, normalise_code
from gateway.ingest.validation.validate_row import MAX_PROBLEMS, RowValidator
from gateway.privacy.redaction import ID_NUMBER_MASK
from tests.creditfile_builders import CATALOGUE, TODAY, USCC
from verification.uscc import ALPHABET, check_character

ID_NUMBER = "33010619900101123X"
PENALTY = RowValidator(CATALOGUE, "penalty", today=TODAY)
ROW: dict[str, Any] = {
    "uscc": USCC,
    "document_number": "浙市监罚〔2026〕0001号",
    "facts": "未按规定明码标价。",
    "kinds": ["罚款"],
    "fine": "1.2",
    "decided_on": "2026-08-01",
    "published_on": "2026-08-03",
    "severity": "一般",
}


def judged(**changed: Any) -> AcceptedRow | RejectedRow:
    return PENALTY.validate(ROW | changed)


def accepted(**changed: Any) -> AcceptedRow:
    verdict = judged(**changed)
    assert isinstance(verdict, AcceptedRow), verdict
    return verdict


def problems(**changed: Any) -> list[tuple[str, str]]:
    verdict = judged(**changed)
    assert isinstance(verdict, RejectedRow), verdict
    return [(each.field, each.reason) for each in verdict.problems]


def test_a_clean_row_is_accepted_in_its_one_form() -> None:
    """Decimals with six places, stripped texts."""
    row = accepted(authority=" 西湖区市场监督管理局\n")
    assert row.uscc == USCC
    assert row.key == ROW["document_number"]
    assert row.fields["fine"] == "1.200000"
    assert row.fields["authority"] == "西湖区市场监督管理局"
    assert row.warnings == ()
    assert accepted(fine="1.200000000").fields["fine"] == "1.200000"


def test_empty_members_count_as_left_out() -> None:
    """In any file format."""
    assert accepted(content="", authority=None, data_source=" ").fields == accepted().fields


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"uscc": None}, ("uscc", "missing")),
        ({"uscc": "91330106"}, ("uscc", "not a unified social credit code of a market entity")),
        ({"uscc": 91}, ("uscc", "not a unified social credit code")),
        ({"document_number": None}, ("document_number", "missing")),
        ({"document_number": "号" * 401},
         ("document_number", "a key longer than 400 characters")),
        ({"shoe_size": "43"}, ("?", "unknown")),
        ({"zhang_san_feng": "43"}, ("?", "unknown")),
        ({"decided_no": "43"}, ("decided_no", "unknown")),
        ({"13800138000": "43"}, ("?", "unknown")),
        ({"religion": "道教"}, ("?", "unknown")),
        ({"blood_type": "A"}, ("blood_type", "unknown")),
        ({"decided_on": "2026-11-23"}, ("decided_on", "in the future")),
        ({"decided_on": "2026-02-30"}, ("decided_on", "not a date as YYYY-MM-DD")),
        ({"decided_on": "2026-2/3"}, ("decided_on", "not a date as YYYY-MM-DD")),
        ({"decided_on": "2026023"}, ("decided_on", "not a date as YYYY-MM-DD")),
        ({"decided_on": "2026年2月"}, ("decided_on", "not a date as YYYY-MM-DD")),
        ({"decided_on": "2026-02-03 08:30"}, ("decided_on", "not a date as YYYY-MM-DD")),
        ({"decided_on": "0001-01-01"}, ("decided_on", "before the year 1800")),
        ({"fine": "-1"}, ("fine", "negative")),
        ({"fine": "1e3"}, ("fine", "not a decimal with at most 14 and 6 digits, as text")),
        ({"fine": "∞"}, ("fine", "not a decimal with at most 14 and 6 digits, as text")),
        ({"fine": 1.2}, ("fine", "not a decimal with at most 14 and 6 digits, as text")),
        ({"fine": "9" * 15}, ("fine", "not a decimal with at most 14 and 6 digits, as text")),
        ({"facts": "a\0b"}, ("facts", "has a NUL character")),
        ({"facts": "字" * 50_001}, ("facts", "longer than 50000 characters")),
        ({"facts": {"a": "b"}}, ("facts", "not a text")),
        ({"kinds": "罚款"}, ("kinds", "not a list of texts")),
        ({"kinds": ["鞭笞"]}, ("kinds", "not one of the values of the catalogue")),
        ({"kinds": []}, ("kinds", "missing")),
        ({"severity": "很重"}, ("severity", "not one of the values of the catalogue")),
        ({"key": "浙市监罚〔2026〕0002号"}, ("key", "says something else than the fields")),
        ({"source_time": "2026-11-22"}, ("source_time", "not a time with its offset (RFC 3339)")),
        ({"source_time": "2026-11-24T00:00:00+08:00"}, ("source_time", "in the future")),
    ],
)  # fmt: skip
def test_a_problem_is_named_by_field_and_reason(
    changed: dict[str, Any], problem: tuple[str, str]
) -> None:
    """Without the value."""
    assert problems(**changed) == [problem]


def test_every_problem_of_a_row_is_said_at_once() -> None:
    """All problems of a row are in one result."""
    assert len(problems(uscc="x", fine="-1", kinds=None)) == 3


def test_the_problems_of_a_row_are_limited() -> None:
    """At most so many problems of a row are reported."""
    assert len(problems(**{f"x{n}": "1" for n in range(100_000)})) == MAX_PROBLEMS
    assert len(problems(uscc="x", **{f"x{n}": "1" for n in range(100)})) == MAX_PROBLEMS


def test_dates_of_validity_and_of_an_end_may_lie_ahead() -> None:
    """Other dates may not be in the future."""
    row = accepted(valid_until="2099-12-31", publicity_ends_on="2027-08-03")
    assert row.fields["valid_until"] == "2099-12-31"


def test_the_catalogue_says_which_numbers_may_be_negative() -> None:
    """A profit may be negative; assets may not."""
    judge = RowValidator(CATALOGUE, "annual_report", today=TODAY)
    row = {"uscc": USCC, "year": "2025"}
    loss = judge.validate(row | {"profit": "-12.5"})
    assert isinstance(loss, AcceptedRow)
    assert loss.fields["profit"] == "-12.500000"
    assert isinstance(judge.validate(row | {"assets": "-12.5"}), RejectedRow)
    assert isinstance(judge.validate(row | {"employees": -1}), RejectedRow)


def test_a_key_beside_the_fields_may_stand_in_their_place() -> None:
    """Of one or several parts."""
    row = accepted(document_number=None, key="罚|1")
    assert (row.key, row.fields["document_number"]) == ("罚|1", "罚|1")
    paid = RowValidator(CATALOGUE, "tax_and_social", today=TODAY)
    verdict = paid.validate({"uscc": USCC, "key": "tax|2026-10", "on_time": True})
    assert isinstance(verdict, AcceptedRow)
    assert verdict.fields == {"kind": "tax", "period": "2026-10", "on_time": True}
    assert isinstance(paid.validate({"uscc": USCC, "key": "tax"}), RejectedRow)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("浙市监罚〔2026〕1号", "浙市监罚〔2026〕1号"),
        (" 浙市监罚 〔２０２６〕１号\u3000", "浙市监罚〔2026〕1号"),
        ("（甬）罚\u200b1\ufeff", "〔甬〕罚1"),
        ("浙市监罚(2026)1号", "浙市监罚〔2026〕1号"),
        ("浙市监罚［2026］1号", "浙市监罚〔2026〕1号"),
        ("浙市监罚【2026】1号", "浙市监罚〔2026〕1号"),
        ("JY-1", "jy-1"),
    ],
)
def test_a_key_has_one_form_however_it_is_typed(typed: str, key: str) -> None:
    """The field is stored as delivered, stripped."""
    row = accepted(document_number=typed)
    assert (row.key, row.fields["document_number"]) == (key, typed.strip())
    assert accepted(document_number=typed, key=key).key == key


def test_a_key_of_invisible_characters_is_refused() -> None:
    """An empty key is refused."""
    assert problems(document_number="\u200b\u2060") == [("document_number", "missing")]


def test_r2_the_end_of_publicity_is_computed_anew() -> None:
    """A mismatch is a warning; the delivered date is stored and prolongs nothing."""
    assert accepted(publicity_ends_on="2027-08-01").warnings == ()
    wrong = accepted(publicity_ends_on="2029-08-03")
    assert wrong.warnings == (RowWarning.PUBLICITY_END,)
    assert wrong.fields["publicity_ends_on"] == "2029-08-03"
    never = accepted(kinds=["警告"], severity=None, publicity_ends_on="2027-08-03")
    assert never.warnings == (RowWarning.PUBLICITY_END,)


def test_r5_personal_numbers_in_free_text_are_masked() -> None:
    """Counted once for each number."""
    row = accepted(facts="张某330106199001011234电话13800138000", content="李某330106199001011234")
    assert row.warnings == (RowWarning.ID_NUMBER, RowWarning.PHONE)
    assert "330106199001011234" not in f"{row.fields}"
    assert "13800138000" not in f"{row.fields}"


@pytest.mark.parametrize("name", ["violation_type", "authority", "data_source"])
def test_r5_an_identity_number_is_masked_in_a_short_text_too(name: str) -> None:
    """In any field."""
    row = accepted(**{name: f"张某{ID_NUMBER}"})
    assert row.warnings == (RowWarning.ID_NUMBER,)
    assert row.fields[name] == f"张某{ID_NUMBER_MASK}"


def test_r5_an_identity_number_is_masked_in_a_list_of_texts_too() -> None:
    """A former name; the other texts stay."""
    judge = RowValidator(CATALOGUE, "annual_report", today=TODAY)
    verdict = judge.validate(
        {"uscc": USCC, "year": "2025", "web_shops": ["a.example", f"店主{ID_NUMBER}"]}
    )
    assert isinstance(verdict, AcceptedRow)
    assert verdict.fields["web_shops"] == ["a.example", f"店主{ID_NUMBER_MASK}"]


@pytest.mark.parametrize("certificate", ["施工许可证330106201904120101", "JY13301060123456"])
def test_a_permits_number_is_no_identity_number(certificate: str) -> None:
    """Permit numbers also contain a division, a day and a serial number."""
    judge = RowValidator(CATALOGUE, "licence", today=TODAY)
    number = "330106202603020012"
    verdict = judge.validate({"uscc": USCC, "number": number, "certificate": certificate})
    assert isinstance(verdict, AcceptedRow)
    assert verdict.fields == {"number": number, "certificate": certificate}


@pytest.mark.parametrize("number", [ID_NUMBER, "张某330106–19900101–1234号", "138 0000 1234"])
def test_r5_a_personal_number_in_a_key_rejects_the_row(number: str) -> None:
    """Masking could merge two records; the reason is a wire name."""
    assert problems(document_number=number) == [("document_number", "personal_number_in_key")]
    assert problems(document_number=None, key=number) == [
        ("document_number", "personal_number_in_key")
    ]


def test_r5_each_masking_says_where_the_number_stood_in_the_text_as_delivered() -> None:
    """Counting white space at its ends and hidden characters, by list item."""
    row = accepted(facts=f"  张某{ID_NUMBER}，138\u200b0000-1234", authority=f"局\n{ID_NUMBER}\n")
    assert [each.as_document(7) for each in row.masked] == [
        {"row": 7, "field": "facts", "kind": "id", "start": 4, "length": 18},
        {"row": 7, "field": "facts", "kind": "phone", "start": 23, "length": 13},
        {"row": 7, "field": "authority", "kind": "id", "start": 2, "length": 18},
    ]
    judge = RowValidator(CATALOGUE, "annual_report", today=TODAY)
    shops = ["", " a.example", f" 店主{ID_NUMBER}"]
    verdict = judge.validate({"uscc": USCC, "year": "2025", "web_shops": shops})
    assert isinstance(verdict, AcceptedRow)
    assert [each.as_document(1) for each in verdict.masked] == [
        {"row": 1, "field": "web_shops", "item": 2, "kind": "id", "start": 3, "length": 18}
    ]


def test_r17_personal_fields_that_are_not_public_are_set_apart() -> None:
    """For encryption; their repr is hidden."""
    judge = RowValidator(CATALOGUE, "judgment_defaulter", today=TODAY)
    verdict = judge.validate(
        {
            "uscc": USCC,
            "case_number": "（2026）浙0106执1号",
            "published_on": "2026-10-01",
            "person_id_number": "330106199001011234",
        }
    )
    assert isinstance(verdict, AcceptedRow)
    assert verdict.personal == {"person_id_number": "330106199001011234"}
    assert "person_id_number" not in verdict.fields
    assert "330106199001011234" not in repr(verdict)


def test_a_permanent_residence_number_is_no_code() -> None:
    """If the code's check character fits as well it is accepted, with a warning."""
    assert problems(uscc="933840198503150011") == [
        ("uscc", "a personal ID number, not a unified social credit code")
    ]
    assert accepted(uscc="933840198503010828").warnings == (RowWarning.LIKE_AN_ID_NUMBER,)
    assert accepted(uscc="933840198503150013").warnings == (RowWarning.CHECK_CHARACTER,)


def test_a_wrong_check_character_is_a_warning_only() -> None:
    """Some codes issued before 2016 have one."""
    wrong = USCC[:-1] + ("A" if USCC[-1] != "A" else "B")
    assert accepted(uscc=wrong).warnings == (RowWarning.CHECK_CHARACTER,)
    assert all(
        check_character_fits(USCC[:-1] + last) == (last == check_character(USCC[:-1]))
        for last in ALPHABET
    )


def test_a_code_is_taken_however_it_was_typed() -> None:
    """Full width, lower case, spaces."""
    typed = f" {USCC[:4]} {USCC[4:].lower()}"
    assert normalise_code(typed) == USCC
    assert accepted(uscc=typed).uscc == USCC


def test_todays_date_is_the_judges_own() -> None:
    """An argument, not the machine's date."""
    early = RowValidator(CATALOGUE, "penalty", today=date(2026, 7, 31))
    assert isinstance(early.validate(ROW), RejectedRow)
