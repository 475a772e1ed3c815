"""Consent records (ISO/IEC TS 27560) and consent texts."""

import json

import pytest

from consent import Purpose, Status, give_up, grant
from consent.consent_text import PURPOSE_TEXTS, TEXT_VERSION, Recipient, paragraphs, text_digest
from consent.lifecycle import Transition
from consent.model import Act, Consent, Event
from consent.record import (
    DPV_PURPOSES,
    DPV_STATUS,
    DPV_STATUS_AFTER,
    Party,
    consent_record,
    record_bytes,
    record_digest,
)
from tests.consent_builders import (
    NOON,
    SHOWN,
    make_consent,
    make_event_of,
    make_person,
    make_request,
    make_scope,
)

BANK = Recipient(name="示例银行", contact="0571-00000000")
SUBJECTS = Party(identifier="operator", name="信桥", address="杭州", contact="https://example.test")
READERS = Party(identifier="bank-1", name="示例银行", address="杭州", contact="0571-00000000")


def granted() -> tuple[Consent, list[Event]]:
    """A consent and its two events."""
    outcome = grant(make_request(), scope=make_scope(), person=make_person(), shown=SHOWN, now=NOON)
    assert isinstance(outcome, Transition)
    return outcome.consent, [make_event_of(make_request()), outcome.event]


def written() -> bytes:
    """Record of that consent."""
    consent, events = granted()
    record = consent_record(
        consent,
        events,
        controller=SUBJECTS,
        recipient=READERS,
        withdraw_at="https://example.test/portal/consents",
        text_digest=b"\x02" * 32,
        now=NOON,
    )
    return record_bytes(record)


def test_the_same_consent_gives_the_same_bytes() -> None:
    """So that signatures can be checked against a new record."""
    assert written() == written()
    assert record_digest(written()).hex() == record_digest(written()).hex()


def test_a_record_has_the_four_parts_of_the_standard() -> None:
    """ISO/IEC TS 27560: header, processing, parties, events."""
    record = json.loads(written())
    assert record["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#record"
    assert record["dpv:hasDataSubject"]["dct:identifier"] == make_request().uscc
    process = record["dpv:hasProcess"]
    assert process["dpv:hasPurpose"]["@id"] == "xq:purpose:loan_approval"
    assert [datum["dct:identifier"] for datum in process["dpv:hasPersonalData"]] == [
        "registration",
        "penalty",
        "is_active.v1",
    ]
    assert process["dpv:hasDuration"] == [
        {"@type": "dpv:UntilTimeDuration", "rdf:value": "2027-03-02T20:00:00+08:00"},
        {"@type": "dpv:FixedOccurrencesDuration", "rdf:value": 10},
    ]
    assert [party["dct:identifier"] for party in record["dpv:hasEntity"]] == ["operator", "bank-1"]
    assert [event["xq:act"] for event in record["xq:events"]] == ["requested", "granted"]
    assert record["dpv:hasNotice"] == {
        "@type": "dpv:ConsentNotice",
        "dct:hasVersion": "2026.1",
        "dct:language": "zh",
        "xq:textSha256": "02" * 32,
    }


def test_each_word_of_ours_has_its_word_in_the_vocabulary() -> None:
    """Each purpose, status and act has a DPV term."""
    assert set(DPV_PURPOSES) == set(Purpose)
    assert set(DPV_STATUS) == set(Status)
    assert set(DPV_STATUS_AFTER) == set(Act)


def test_a_waiver_of_the_client_is_no_withdrawal_of_the_enterprise() -> None:
    """Requested or granted, the vocabulary distinguishes the two."""
    for held in (make_request(), make_consent()):
        given_up = give_up(held, client_id=held.client_id, now=NOON)
        assert isinstance(given_up, Transition)
        record = consent_record(
            given_up.consent,
            [given_up.event],
            controller=SUBJECTS,
            recipient=READERS,
            withdraw_at="https://example.test",
            text_digest=None,
            now=NOON,
        )
        assert record["dpv:hasConsentStatus"] == "dpv:ConsentRevoked"


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("individual", [True, False])
def test_each_text_names_recipient_and_purpose_in_both_languages(
    purpose: Purpose,
    individual: bool,
) -> None:
    """No placeholder is left, for any request and recipient."""
    shown = paragraphs(purpose, BANK, individual_business=individual, cool_down_days=30)
    assert "示例银行" in shown[0].zh
    assert PURPOSE_TEXTS[purpose] in shown
    assert not any(brace in text.zh + text.en for text in shown for brace in "{}")


def test_an_individual_business_is_asked_for_separate_consent() -> None:
    """PIPL Article 23: recipient, contact, purpose, method and kinds in one paragraph."""
    alone = paragraphs(Purpose.TENDER, BANK, individual_business=True, cool_down_days=30)
    firm = paragraphs(Purpose.TENDER, BANK, individual_business=False, cool_down_days=30)
    assert alone[:-1] == firm
    assert alone[-1].zh.startswith("单独同意")
    assert BANK.contact in alone[-1].zh


def test_a_recipients_name_cannot_open_a_placeholder() -> None:
    """Names are inserted literally, braces included."""
    odd = Recipient(name="{contact}", contact="x")
    shown = paragraphs(Purpose.TENDER, odd, individual_business=False, cool_down_days=30)
    assert shown[0].en.startswith("{contact} would like")


def test_a_changed_text_needs_a_new_version() -> None:
    """Changing a text requires a new `TEXT_VERSION` and this digest."""
    shown = [
        paragraph
        for purpose in Purpose
        for paragraph in paragraphs(purpose, BANK, individual_business=True, cool_down_days=30)
    ]
    pinned = {"2026.2": "702ad46e9d734e5267156880f9bfeb9e23d7c4cea9bae1ce7835e3a317883e57"}
    assert text_digest(tuple(shown)).hex() == pinned[TEXT_VERSION]
