"""The document of an own report: what is chosen, and of persons what the public page says."""

import base64
from dataclasses import replace
from datetime import date, timedelta

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.credit_reports.choice_form import is_public
from gateway.credit_reports.document import (
    canonical,
    offered_datasets,
    reported_records,
    signed_file,
)
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_records
from gateway.creditfile.records import registration_of
from gateway.signing.keys import SigningKey
from tests.credit_report_builders import NOW, TODAY, choice_of, enterprises, make_report
from tests.creditfile_builders import CATALOGUE, make_enterprise, make_record


def a_key() -> SigningKey:
    """A signing key."""
    return SigningKey(
        kid="response-1",
        use="response",
        not_before=NOW,
        retired_at=None,
        public={},
        private=Ed25519PrivateKey.generate(),
    )


def test_the_signature_is_over_the_canonical_report_and_opens_with_the_public_key() -> None:
    """The file holds the report, the key's id and an unpadded base64url signature."""
    key, made = a_key(), enterprises()[0]
    report = make_report(made.enterprise, made.records)
    file = orjson.loads(signed_file(report, key))
    assert list(file) == ["report", "keyid", "signature"]
    assert file["keyid"] == "response-1"
    signature = base64.urlsafe_b64decode(file["signature"] + "==")
    key.private.public_key().verify(signature, canonical(file["report"]))


def test_a_penalty_before_the_span_is_left_out_and_a_listing_in_force_is_not() -> None:
    """The span is of what has happened; a list says how things stand."""
    penalty = make_record("penalty", decided_on="2026-08-01")
    listing = make_record("serious_violation", record_id="rec_2", added_on="2025-02-01")
    choice = replace(
        choice_of(["penalty", "serious_violation"]), span_from=date(2026, 8, 2), span_to=TODAY
    )
    report = make_report(make_enterprise(), [penalty, listing], choice)
    assert [each["dataset"] for each in report["records"]] == ["serious_violation"]
    assert report["nothing_found"] == ["penalty"]
    wider = replace(choice, span_from=date(2026, 8, 1))
    report = make_report(make_enterprise(), [penalty, listing], wider)
    assert {each["dataset"] for each in report["records"]} == {"penalty", "serious_violation"}


def test_a_repaired_record_is_no_part_of_it_and_the_sentence_says_so_in_general() -> None:
    """Repair ends it here as everywhere (R1, R6)."""
    penalty = replace(make_record("penalty"), repaired_at=NOW - timedelta(hours=1))
    report = make_report(make_enterprise(), [penalty], choice_of(["penalty"]))
    assert report["records"] == []
    assert report["nothing_found"] == ["penalty"]
    said = {each["code"]: each for each in report["left_out"]}
    assert said["not_published"]["datasets"] == ["penalty"]
    assert "已修复" in said["not_published"]["zh"]


def test_a_source_that_is_unavailable_is_not_nothing_found() -> None:
    """The two are never mixed up (R6)."""
    enterprise = make_enterprise(unavailable=("penalty",))
    report = make_report(enterprise, [], choice_of(["penalty", "honour"]))
    assert report["nothing_found"] == ["honour"]
    said = {each["code"]: each["datasets"] for each in report["left_out"]}
    assert said["source_unavailable"] == ["penalty"]


def test_the_operator_of_an_individual_business_is_masked_as_in_public() -> None:
    """R8a: whoever has the address can read it."""
    shop = make_enterprise(kind="individual_business", legal_representative="张三丰")
    report = make_report(shop, [], choice_of(["registration"]))
    assert report["records"][0]["fields"]["legal_representative"] == "张**"


def test_whatever_is_of_a_person_reads_as_on_the_public_page() -> None:
    """Over the synthetic province, firms and individual businesses."""
    seen = 0
    for made in enterprises():
        kind = made.enterprise.kind
        report = make_report(
            made.enterprise, made.records, choice_of(offered_datasets(CATALOGUE, kind))
        )
        held = (registration_of(made.enterprise), *made.records)
        public = {
            each.record.record_id: each.fields
            for each in disclosable_records(held, Audience.PUBLIC, CATALOGUE, NOW, kind=kind)
        }
        for each in report["records"]:
            of_persons = {
                field.name for field in CATALOGUE.dataset(each["dataset"]).fields if field.personal
            }
            for name in of_persons & set(each["fields"]):
                seen += 1
                assert each["fields"][name] == public[each["record_id"]][name]
    assert seen > 100


def test_what_no_condition_makes_public_is_not_offered_among_the_public() -> None:
    """No scheme of the comprehensive rating is published today; of the tax credit level A is."""
    shown = {code: is_public(CATALOGUE, code, "firm") for code in CATALOGUE.codes}
    assert not shown["comprehensive_rating"]
    assert not shown["public_rating"]
    assert shown["tax_credit_level"]
    assert shown["registration"]


def test_a_record_that_is_told_in_full_is_known_not_to_be_public_in_full() -> None:
    """An annual report whose operating part is not published."""
    enterprise, filed = next(
        (made.enterprise, each)
        for made in enterprises()
        for each in made.records
        if made.enterprise.kind == "firm" and "assets" in each.fields
    )
    shown = {}
    for published in (True, False):
        record = replace(filed, fields={**filed.fields, "published": published})
        choice = choice_of([filed.dataset])
        [told] = reported_records(enterprise, [record], choice, CATALOGUE, NOW)
        assert "assets" in told.fields
        shown[published] = told.is_public
    assert shown == {True: True, False: False}
