"""Facts for questions, from disclosable records only."""

import json
from datetime import date

import pytest

from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.catalogue.notices import EARLIER_CATALOGUES
from gateway.creditfile.facts import facts_of
from gateway.creditfile.personal_fields import id_number_digest, seal_enterprise
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import (
    CATALOGUE,
    NOON,
    TODAY,
    USCC,
    keeping_back,
    make_enterprise,
    make_record,
)
from verification import Asked, Facts, evaluate


def _answer(facts: Facts, tag: str, value: str | None = None) -> str:
    asked = Asked(tag=tag, value=value)
    told = evaluate([asked], facts, allowed={asked}, digest=lambda _: b"", today=TODAY)
    return told[0].answer


def test_the_clocks_are_applied_before_a_question_is_answered() -> None:
    """A live penalty counts; a repaired one and one under appeal do not."""
    live = facts_of(make_enterprise(), [make_record()], CATALOGUE, NOON)
    repaired = facts_of(make_enterprise(), [make_record(repaired_at=NOON)], CATALOGUE, NOON)
    appealed = facts_of(
        make_enterprise(), [make_record(appeal_state="under_appeal")], CATALOGUE, NOON
    )
    assert _answer(live, "no_live_penalty.v1") == "no"
    assert _answer(live, "no_live_penalty.v1", "严重") == "yes"
    assert _answer(repaired, "no_live_penalty.v1") == "yes"
    assert _answer(appealed, "no_live_penalty.v1") == "yes"


def test_answers_rest_on_the_registration_and_the_records_by_id_and_version() -> None:
    """So that withdrawal notices reach the recipients."""
    facts = facts_of(make_enterprise(version=3), [make_record(version=2)], CATALOGUE, NOON)
    ids = {(each.dataset, each.record_id, each.version) for each in facts.records}
    assert ids == {("registration", "reg_1", 3), ("penalty", "rec_1", 2)}


def test_the_latest_rating_answers() -> None:
    """By the day of the rating."""
    old = make_record("public_rating", date="2025-01-01", level="优秀")
    new = make_record("public_rating", date="2026-10-01", level="中等", record_id="rec_2")
    facts = facts_of(make_enterprise(), [old, new], CATALOGUE, NOON)
    assert _answer(facts, "rating_at_least.v1", "良好") == "no"
    assert _answer(facts, "rating_at_least.v1", "中等") == "yes"


def test_a_dataset_not_read_or_whose_source_is_silent_is_not_available() -> None:
    """No record and no source are different (R6)."""
    firm = make_enterprise(unavailable=("penalty",))
    assert "penalty" not in facts_of(firm, [], CATALOGUE, NOON).available
    read = facts_of(make_enterprise(), [], CATALOGUE, NOON, datasets=["licence"])
    assert read.available == {"registration", "licence"}
    assert _answer(facts_of(firm, [], CATALOGUE, NOON), "no_live_penalty.v1") == "not_determined"


def test_fields_closed_by_the_catalogue_answer_no_question() -> None:
    """An answer that there is no penalty could be false."""
    catalogue = keeping_back("penalty")
    facts = facts_of(make_enterprise(), [make_record()], catalogue, NOON)
    assert _answer(facts, "no_live_penalty.v1") == "not_determined"


@pytest.mark.parametrize(
    ("field", "tag", "value"),
    [
        ("name", "enterprise_name.v1", make_enterprise().name),
        ("legal_representative", "legal_representative_name.v1", "张三"),
        ("address", "registered_address.v1", "某地"),
        ("status", "is_active.v1", None),
        ("established_on", "established_for.v1", "1"),
    ],
)
def test_a_field_of_the_registration_is_compared_only_as_its_class_allows(
    field: str, tag: str, value: str | None
) -> None:
    """As any record's field."""
    held = make_enterprise(address="某地", established_on=date(2020, 1, 1))
    before = facts_of(held, [], CATALOGUE, NOON)
    assert _answer(before, tag, value) != "not_determined"
    kept = facts_of(held, [], keeping_back("registration", field), NOON)
    assert _answer(kept, tag, value) == "not_determined"


def test_an_identity_number_is_not_compared_where_its_class_forbids_it() -> None:
    """The facts have no digest of it."""
    held = make_enterprise(digests={"legal_representative_id": "00" * 32})
    assert facts_of(held, [], CATALOGUE, NOON).digests
    kept = keeping_back("registration", "legal_representative_id_number")
    assert not facts_of(held, [], kept, NOON).digests


def test_an_identity_number_is_compared_by_its_keyed_digest() -> None:
    """The facts do not have the number."""
    vault = Vault(VaultKeys.parse(Vault.generate_keys()))
    _, digests = seal_enterprise(
        vault, USCC, {"legal_representative_id_number": "33010619900101123X"}
    )
    facts = facts_of(make_enterprise(digests=json.loads(digests)), [], CATALOGUE, NOON)
    for value, answer in (("33010619900101123x", "yes"), ("330106199001011231", "no")):
        asked = Asked(tag="legal_representative_id.v1", value=value)
        told = evaluate(
            [asked],
            facts,
            allowed={asked},
            digest=lambda number: id_number_digest(vault, number),
            today=date(2026, 11, 22),
        )
        assert told[0].answer == answer
    assert "33010619900101123X" not in repr(facts)


def test_a_dataset_that_the_catalogue_lacks_is_not_available() -> None:
    """Its questions are not determined."""
    earlier = load_catalogue((EARLIER_CATALOGUES / "2026.1.yaml").read_text(encoding="utf-8"))
    asked = ["enforcement_case", "licence"]
    facts = facts_of(make_enterprise(), [], earlier, NOON, datasets=asked)
    assert facts.available == {"registration", "licence"}
    assert _answer(facts, "no_enforcement_case.v1") == "not_determined"
    now = facts_of(make_enterprise(), [], CATALOGUE, NOON, datasets=asked)
    assert _answer(now, "no_enforcement_case.v1") == "yes"
