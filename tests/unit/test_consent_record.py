"""Consent records (ISO/IEC TS 27560) and consent texts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from consent import Bilingual, Giver, Purpose, SeparateConsent, Status, give_up, grant
from consent.consent_text import (
    PURPOSE_TEXTS,
    TEXT_VERSION,
    ConsentText,
    Recipient,
    SeparateItem,
    compose,
    text_digest,
)
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

BANK = Recipient(
    name=Bilingual(zh="示例银行", en="Example Bank"),
    contact=Bilingual(zh="0571-00000000", en="0571-00000000"),
    retention_days=30,
)
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


def test_a_record_names_each_separate_consent_with_its_giver() -> None:
    """In the process and in the event that gave it; a request has none yet."""
    phone = SeparateConsent(item="registration.phone", giver=Giver.ENTERPRISE)
    scope = make_scope(separate_consents=(phone,))
    shown = replace(SHOWN, retention_days=30)
    outcome = grant(make_request(), scope=scope, person=make_person(), shown=shown, now=NOON)
    assert isinstance(outcome, Transition)
    record = consent_record(
        outcome.consent,
        [make_event_of(make_request()), outcome.event],
        controller=SUBJECTS,
        recipient=READERS,
        withdraw_at="https://example.test",
        text_digest=None,
        now=NOON,
    )
    named = [{"dct:identifier": "registration.phone", "xq:giver": "enterprise"}]
    asked, given = record["xq:events"]
    assert "xq:separateConsents" not in asked
    assert given["xq:separateConsents"] == record["dpv:hasProcess"]["xq:separateConsents"] == named
    assert "P30D" in {
        each.get("xq:afterEndOfUse") for each in record["dpv:hasProcess"]["dpv:hasStorageCondition"]
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


RATING = Bilingual(
    zh="公共信用评价是否达到对方指定的等级（优秀、良好）", en="Is it good (excellent, good)?"
)
DATASETS = (Bilingual(zh="登记信息", en="Registration"), Bilingual(zh="行政处罚", en="Penalty"))
PHONE = SeparateItem(name=Bilingual(zh="登记信息：联系电话", en="Registration: Phone"))
ID_NUMBER = SeparateItem(name=Bilingual(zh="证件号码", en="ID number"), on_id_number=True)
WITHDRAWAL_ZH = "撤回不影响此前已依授权完成的处理；系统将通知对方停止使用。"
WITHDRAWAL_EN = (
    "A withdrawal does not affect processing that was completed under the consent before; the system will "
    "notify the recipient to stop using the data."
)


def text_of(
    purpose: Purpose = Purpose.TENDER, bank: Recipient = BANK, **changed: Any
) -> ConsentText:
    """The text of a request for two datasets, with a phone and an ID number."""
    usual: dict[str, Any] = {
        "datasets": DATASETS,
        "questions": (RATING,),
        "separate": (PHONE, ID_NUMBER),
        "cool_down_days": 30,
    }
    return compose(purpose, bank, **(usual | changed))


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("separate", [(), (PHONE,), (PHONE, ID_NUMBER)])
def test_each_text_names_what_the_law_asks_for_in_both_languages(
    purpose: Purpose, separate: tuple[SeparateItem, ...]
) -> None:
    """PIPL Articles 17 and 23: recipient, contact, purpose, means, kinds, retention, rights."""
    text = text_of(purpose, separate=separate)
    assert text.who.zh.startswith("示例银行")
    assert text.who.en.startswith("Example Bank")
    assert "示例银行" not in "".join(each.en for each in text.paragraphs)
    assert text.why == PURPOSE_TEXTS[purpose]
    assert "登记信息、行政处罚、所列核验问题的答案" in text.kinds.zh
    assert "Registration, Penalty, answers" in text.kinds.en
    assert "使用期限届满后 30 日内删除" in text.retention.zh
    assert "within 30 days" in text.retention.en
    assert all(BANK.contact.zh in each for each in (text.rights.zh, text.rights.en))
    assert "不得向第三方提供" in text.limits.zh
    assert WITHDRAWAL_ZH in text.withdrawal.zh
    assert WITHDRAWAL_EN in text.withdrawal.en
    assert not any(brace in each.zh + each.en for each in text.paragraphs for brace in "{}")


def test_a_separate_consent_names_each_item_and_why_an_id_number_is_needed() -> None:
    """PIPL Articles 23, 29 and 30; nothing of it where nothing is asked for separately."""
    text = text_of()
    assert text.separate is not None
    assert BANK.contact.zh in text.separate.zh
    assert text.items == (PHONE.name, ID_NUMBER.name)
    assert {*text.items, RATING} <= set(text.paragraphs)
    assert text.necessity is not None
    assert text.effect is not None
    assert text.necessity.zh.startswith("为什么需要")
    assert text.effect.zh.startswith("对您的影响")
    phone = text_of(separate=(PHONE,))
    assert (phone.necessity, phone.effect) == (None, None)
    assert text_of(separate=()).separate is None


@pytest.mark.parametrize(
    ("declared", "words"), [(True, "声明会利用"), (False, "声明不利用"), (None, "没有声明")]
)
def test_a_text_says_what_the_client_declares_on_automated_decisions(
    declared: bool | None, words: str
) -> None:
    """PIPL Article 24; without a declaration the text says that there is none."""
    assert words in text_of(bank=replace(BANK, automated_decisions=declared)).automated.zh


@pytest.mark.parametrize(
    ("days", "words"), [(None, "不能同意"), (0, "使用期限届满即删除"), (7, "届满后 7 日内")]
)
def test_a_text_names_the_recipients_retention(days: int | None, words: str) -> None:
    """Without an agreement in force it cannot be named."""
    assert words in text_of(bank=replace(BANK, retention_days=days)).retention.zh


def test_a_recipients_name_cannot_open_a_placeholder() -> None:
    """Names are inserted literally, braces included."""
    shown = text_of(bank=replace(BANK, name=Bilingual(zh="{contact}", en="{contact}")))
    assert shown.who.en.startswith("{contact} requests")


def test_a_changed_text_needs_a_new_version() -> None:
    """Changing a text requires a new `TEXT_VERSION` and this digest."""
    banks = [
        replace(BANK, retention_days=days, automated_decisions=declared)
        for days, declared in ((None, None), (0, True), (30, False))
    ]
    shown = [
        paragraph
        for purpose in Purpose
        for bank in banks
        for paragraph in text_of(purpose, bank).paragraphs
    ]
    pinned = {"2026.5": "fa32d36da0ed05062aa0e65c168b350496495c86e1014ea9a28c15c446d167c7"}
    assert text_digest(tuple(shown)).hex() == pinned[TEXT_VERSION]
