"""POST /v1/queries: disclosed and withheld records, uses, paging, refusals, repeats."""

import asyncio
import base64
import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import httpx2
import pytest

import consent
from gateway.creditfile.catalogue import load_catalogue
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, query_body

pytestmark = pytest.mark.asyncio(loop_scope="session")

BAD = ("penalty", "abnormal_listing", "serious_violation", "judgment_defaulter")
MANY = ("registration", "licence", "commitment", "inspection", "honour", "annual_report", "pledge")


async def disclosed_record(
    gateway: GatewayFixture, trait: str, *datasets: str, **members: Any
) -> dict[str, Any]:
    """First record of this kind disclosed under a consent for these datasets."""
    bank, uscc = await gateway.client(), gateway.uscc(trait)
    await gateway.grant(bank, uscc, datasets=datasets)
    response = await bank.query(uscc, *datasets, **members)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def pages_of(bank: Caller, uscc: str, *datasets: str, size: int) -> list[httpx2.Response]:
    """All pages of a query."""
    pages: list[httpx2.Response] = []
    cursor = None
    while not pages or cursor:
        page = {"size": size, "cursor": cursor}
        pages.append(await bank.query(uscc, *datasets, page=page))
        assert pages[-1].status_code == 200, pages[-1].text
        cursor = pages[-1].json()["page"]["cursor"]
    return pages


async def refusal(response: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refused query."""
    return response.status_code, response.json()["code"]


async def test_an_answer_has_the_shape_of_the_wire(gateway: GatewayFixture) -> None:
    """Consent, provenance, recipient, pages and promise, without further members."""
    bank, of = await gateway.client(), gateway.entity("penalised")
    consent_id = await gateway.grant(bank, of.enterprise.uscc, max_uses=10)
    response = await bank.query(of.enterprise.uscc, consent_id=consent_id)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", body.pop("disclosure_id"))
    assert body.pop("log_promise").keys() == {"leaf_hash", "log", "merge_by"}
    records = body.pop("records")
    for moment in (body.pop("as_of"), body["consent"].pop("valid_until")):
        assert datetime.fromisoformat(moment).utcoffset() is not None
    withheld = body.pop("withheld")
    assert body == {
        "enterprise": {"uscc": of.enterprise.uscc},
        "purpose": "loan_approval",
        "recipient": bank.client_id,
        "consent": {
            "consent_id": consent_id,
            "uses_left": 9,
            "separate_consents": [
                {"dataset": "registration", "fields": ["phone"], "given_by": "enterprise"}
            ],
        },
        "page": {"cursor": None},
    }
    assert {each["dataset"] for each in records} == {"registration", "licence", "penalty"}
    for each in records:
        assert each.keys() == {
            "dataset", "record_id", "version", "source", "source_time", "catalogue_version",
            "use_until", "delete_by", "fields",
        }  # fmt: skip
        assert each["source"].keys() == {"name", "uscc"}
    assert {(each["dataset"], each["reason"]) for each in withheld} == {
        ("registration", "class_never"),
        ("licence", "class_never"),
        ("penalty", "class_never"),
    }


async def test_a_field_is_disclosed_by_its_class_alone(gateway: GatewayFixture) -> None:
    """No field of class `never` or `government` in any record."""
    bank, catalogue = await gateway.client(), load_catalogue()
    open_to_clients = {
        dataset: {f.name for f in catalogue.dataset(dataset).fields if f.disclosure in
                  {"public", "authorised"}}
        for dataset in catalogue.codes
    }  # fmt: skip
    datasets = tuple(sorted(gateway_datasets()))
    for of in gateway.entities[:58]:
        if not of.enterprise.code_ok:
            continue
        await gateway.grant(bank, of.enterprise.uscc, datasets=datasets)
        response = await bank.query(of.enterprise.uscc, *datasets)
        for each in response.json()["records"]:
            assert each["fields"].keys() <= open_to_clients[each["dataset"]]
        for private in ("legal_representative_id_number", "home_address"):
            assert of.personal[private] not in response.text


def gateway_datasets() -> frozenset[str]:
    """Datasets of the bank's agreement."""
    from gateway.synthetic.demo.clients import BANK_DATASETS

    return BANK_DATASETS


@pytest.mark.parametrize(
    ("trait", "found"),
    [
        ("clean", []),
        ("penalised", ["penalty"]),
        ("expires_today", ["penalty"]),
        ("penalty_expired", []),
        ("repaired", []),
        ("withdrawn", []),
        ("under_appeal", []),
        ("warning_only", []),
        ("simplified_procedure", []),
        ("disputed", ["penalty"]),
        ("abnormal", ["abnormal_listing"]),
        ("judgment_defaulter", ["judgment_defaulter"]),
    ],
)
async def test_bad_information_is_disclosed_while_it_counts(
    gateway: GatewayFixture, trait: str, found: list[str]
) -> None:
    """After its term the answer does not differ, `withheld` included."""
    body = await disclosed_record(gateway, trait, *BAD)
    assert [each["dataset"] for each in body["records"]] == found
    assert body["withheld"] == [
        {
            "dataset": "penalty",
            "fields": [
                "procedure", "determined_on", "published_on", "publish_decided", "fulfilled",
                "conduct_ended_on", "appeal_state",
            ],
            "reason": "class_never",
        },
        {"dataset": "judgment_defaulter", "fields": ["person_id_number"], "reason": "class_never"},
    ]  # fmt: skip


async def test_the_list_of_serious_violations_is_disclosed(gateway: GatewayFixture) -> None:
    """With reason and decision."""
    body = await disclosed_record(gateway, "serious_violation", "serious_violation")
    assert [each["dataset"] for each in body["records"]] == ["serious_violation"]
    assert body["records"][0]["fields"]["decision_number"]


async def test_a_disputed_record_carries_its_mark(gateway: GatewayFixture) -> None:
    """Other records have none."""
    body = await disclosed_record(gateway, "disputed", "penalty", "licence", "registration")
    marked = [each for each in body["records"] if "objection" in each]
    assert [each["dataset"] for each in marked] == ["penalty"]
    assert datetime.fromisoformat(marked[0]["objection"]["since"]).utcoffset() is not None


async def test_personal_numbers_in_free_text_are_masked(gateway: GatewayFixture) -> None:
    """Masked in the facts of a penalty, also with spaces."""
    of = gateway.entity("id_number_in_free_text")
    body = await disclosed_record(gateway, "id_number_in_free_text", "penalty")
    facts = body["records"][0]["fields"]["facts"]
    assert "身份证号码已隐去" in facts
    assert "电话号码已隐去" in facts
    number = of.personal["legal_representative_id_number"]
    assert number not in facts.replace(" ", "")
    assert of.personal["phone"] not in facts


async def test_a_phone_number_is_disclosed_under_consent_only(gateway: GatewayFixture) -> None:
    """Decrypted for clients with consent."""
    of = gateway.entity("clean")
    with_it = await disclosed_record(gateway, "clean", "registration")
    assert with_it["records"][0]["fields"]["phone"] == of.personal["phone"]
    without = await disclosed_record(gateway, "clean", "licence")
    assert of.personal["phone"] not in str(without)


# Withheld


async def test_each_reason_to_withhold_a_dataset_is_named(gateway: GatewayFixture) -> None:
    """Agreement, consent, purpose, catalogue and source, in this order."""
    everything = set(load_catalogue().codes)
    bank = await gateway.client(datasets=frozenset(everything - {"pledge"}),
                              purposes=frozenset({"loan_approval", "tender"}))  # fmt: skip
    uscc = gateway.uscc("source_unavailable")
    granted = ["registration", "pledge", "supervision", "tax_and_social"]
    for purpose in ("loan_approval", "tender"):
        await gateway.grant(bank, uscc, purpose=purpose, datasets=granted)
    asked = ("registration", "pledge", "honour", "supervision", "tax_and_social")
    reasons = {
        purpose: {
            each["dataset"]: each["reason"]
            for each in (await bank.query(uscc, *asked, purpose=purpose)).json()["withheld"]
            if "fields" not in each
        }
        for purpose in ("loan_approval", "tender")
    }
    assert reasons["loan_approval"] == {
        "pledge": "not_in_agreement",
        "honour": "not_in_consent",
        "supervision": "class_never",
        "tax_and_social": "source_unavailable",
    }
    assert reasons["tender"] == reasons["loan_approval"] | {"tax_and_social": "not_for_purpose"}


@pytest.mark.parametrize(
    ("asked", "reasons"),
    [
        (["tax_and_social"], {"tax_and_social": "not_for_purpose"}),
        (["supervision"], {"supervision": "class_never"}),
        (["pledge", "honour"], {"pledge": "not_in_agreement", "honour": "not_in_consent"}),
    ],
)
async def test_a_query_with_everything_withheld_gives_the_reasons(
    gateway: GatewayFixture, asked: list[str], reasons: dict[str, str]
) -> None:
    """An answer with reasons, since there is a consent."""
    everything = set(load_catalogue().codes)
    bank = await gateway.client(datasets=frozenset(everything - {"pledge"}),
                              purposes=frozenset({"tender"}))  # fmt: skip
    uscc = gateway.uscc("clean")
    granted = ["pledge", "supervision", "tax_and_social"]
    await gateway.grant(bank, uscc, purpose="tender", datasets=granted)
    answer = await bank.query(uscc, *asked, purpose="tender")
    assert answer.status_code == 200, answer.text
    assert answer.json()["records"] == []
    assert {each["dataset"]: each["reason"] for each in answer.json()["withheld"]} == reasons


async def test_no_record_and_no_source_are_never_mixed_up(gateway: GatewayFixture) -> None:
    """An empty list, or withheld."""
    silent = await disclosed_record(gateway, "source_unavailable", "tax_and_social", "pledge")
    assert silent["records"] == []
    assert silent["withheld"] == [{"dataset": "tax_and_social", "reason": "source_unavailable"}]


# Filter and pages


async def test_a_filter_takes_both_of_its_days(gateway: GatewayFixture) -> None:
    """By the day of the decision, both days included."""
    bank, of = await gateway.client(), gateway.entity("penalised")
    await gateway.grant(bank, of.enterprise.uscc)
    day = next(r.decided_on for r in of.records if r.dataset == "penalty")
    assert day is not None
    one = timedelta(days=1)

    async def found(**wanted: date) -> list[str]:
        chosen = {name: value.isoformat() for name, value in wanted.items()}
        response = await bank.query(of.enterprise.uscc, "penalty", filter=chosen)
        return [each["dataset"] for each in response.json()["records"]]

    assert await found(decided_from=day, decided_to=day) == ["penalty"]
    assert await found(decided_from=day) == ["penalty"]
    assert await found(decided_to=day) == ["penalty"]
    assert await found(decided_from=day + one) == []
    assert await found(decided_to=day - one) == []


async def test_all_pages_together_are_the_whole_and_one_use(gateway: GatewayFixture) -> None:
    """For any page size; each page has the same remaining uses."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, datasets=MANY, max_uses=10)
    whole = (await bank.query(uscc, *MANY)).json()["records"]
    assert len(whole) > 6
    for spent, size in enumerate((1, 2, 3), start=2):
        pages = await pages_of(bank, uscc, *MANY, size=size)
        assert [each for page in pages for each in page.json()["records"]] == whole
        assert all(len(page.json()["records"]) <= size for page in pages)
        assert {page.json()["consent"]["uses_left"] for page in pages} == {10 - spent}
        assert await gateway.uses(consent_id) == spent


async def test_the_pages_of_the_last_use_are_still_disclosed(gateway: GatewayFixture) -> None:
    """The first page paid for them; a new query is refused."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc, datasets=MANY, max_uses=1)
    pages = await pages_of(bank, uscc, *MANY, size=3)
    assert len(pages) > 2
    assert {page.json()["consent"]["uses_left"] for page in pages} == {0}
    assert await refusal(await bank.query(uscc, *MANY)) == (403, "consent_exhausted")


async def test_each_page_is_in_the_log_with_its_own_records(gateway: GatewayFixture) -> None:
    """So that withdrawal notices reach the right disclosures."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, datasets=MANY)
    pages = await pages_of(bank, uscc, *MANY, size=4)
    log = {row["disclosure_id"]: row for row in await gateway.log_of(bank)}
    assert len(log) == len(pages)
    for page in pages:
        body = page.json()
        row = log[body["disclosure_id"]]
        assert row["consent_id"] == consent_id
        assert row["leaf_hash"].hex() == body["log_promise"]["leaf_hash"]
        assert sorted(map(tuple, row["relied_on"])) == sorted(
            (each["record_id"], each["version"]) for each in body["records"]
        )
        told = Counter(each["dataset"] for each in body["records"])
        assert row["items"] == [{"code": code, "records": told[code]} for code in MANY]


async def make_cursor(bank: Caller, uscc: str) -> str:
    """Cursor of a second page."""
    first = await bank.query(uscc, *MANY, page={"size": 2})
    return str(first.json()["page"]["cursor"])


async def test_a_cursor_continues_only_what_it_came_from(gateway: GatewayFixture) -> None:
    """Not for another client, query or enterprise, after 15 minutes, or tampered with."""
    bank, other = await gateway.client(), await gateway.client()
    uscc, elsewhere = gateway.uscc("clean"), gateway.uscc("penalised")
    for client in (bank, other):
        for code in (uscc, elsewhere):
            await gateway.grant(client, code, datasets=MANY)
    cursor = await make_cursor(bank, uscc)
    page = {"size": 2, "cursor": cursor}
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[-3] ^= 1
    tampered = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    answers = [
        await other.query(uscc, *MANY, page=page),
        await bank.query(elsewhere, *MANY, page=page),
        await bank.query(uscc, *MANY[:-1], page=page),
        await bank.query(uscc, *MANY, page=page, filter={"decided_from": "2020-01-01"}),
        await bank.query(uscc, *MANY, page=page | {"cursor": tampered}),
        await bank.query(uscc, *MANY, page=page | {"cursor": "not a cursor ☃"}),
        await bank.query(uscc, *MANY, page=page | {"cursor": ""}),
    ]
    with gateway.clock.later(minutes=16):
        answers.append(await bank.query(uscc, *MANY, page=page))
    assert [await refusal(each) for each in answers] == [(400, "invalid_request")] * len(answers)
    assert len({each.json()["detail"] for each in answers}) == 1
    assert (await bank.query(uscc, *MANY, page=page)).status_code == 200


async def test_a_cursor_goes_no_further_under_another_consent(gateway: GatewayFixture) -> None:
    """A newer consent needs a new query."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    first = await gateway.grant(bank, uscc, datasets=MANY)
    cursor = await make_cursor(bank, uscc)
    second = await gateway.grant(bank, uscc, datasets=MANY)
    page = {"size": 2, "cursor": cursor}
    refused = await bank.query(uscc, *MANY, page=page, consent_id=second)
    assert await refusal(refused) == (403, "not_available")
    assert (await bank.query(uscc, *MANY, page=page, consent_id=first)).status_code == 200


@pytest.mark.parametrize(
    ("act", "code"), [(consent.withdraw, "consent_withdrawn"), (consent.pause, "consent_paused")]
)
async def test_a_withdrawal_between_two_pages_ends_the_query(
    gateway: GatewayFixture, act: object, code: str
) -> None:
    """The next page is refused and logged."""
    assert callable(act)
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, datasets=MANY)
    cursor = await make_cursor(bank, uscc)
    await gateway.act(act, consent_id)
    refused = await bank.query(uscc, *MANY, page={"size": 2, "cursor": cursor})
    assert await refusal(refused) == (403, code)
    assert [row["reason"] for row in await gateway.log_of(bank)] == [None, code]


# Consent


async def test_a_client_gets_the_state_of_its_own_consent(gateway: GatewayFixture) -> None:
    """Withdrawn, paused, expired, exhausted: each has its code, by id and without."""
    bank = await gateway.client()
    states = {
        "consent_withdrawn": ("clean", {}, consent.withdraw),
        "consent_paused": ("penalised", {}, consent.pause),
        "consent_expired": ("repaired", {"days": 5, "granted_days_ago": 6}, None),
        "consent_exhausted": ("disputed", {"max_uses": 1}, None),
    }
    for code, (trait, scope, act) in states.items():
        uscc = gateway.uscc(trait)
        consent_id = await gateway.grant(bank, uscc, **scope)  # type: ignore[arg-type]  # of each state its own
        if code == "consent_exhausted":
            assert (await bank.query(uscc)).status_code == 200
        if act is not None:
            await gateway.act(act, consent_id)
        assert await refusal(await bank.query(uscc)) == (403, code)
        assert await refusal(await bank.query(uscc, consent_id=consent_id)) == (403, code)


async def test_a_paused_consent_goes_on_after_it_is_resumed(gateway: GatewayFixture) -> None:
    """From the next request."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    await gateway.act(consent.pause, consent_id)
    assert (await bank.query(uscc)).status_code == 403
    await gateway.act(consent.resume, consent_id)
    assert (await bank.query(uscc)).status_code == 200


async def test_without_a_consent_all_enterprises_are_alike(gateway: GatewayFixture) -> None:
    """Unknown, without consent, another client's, another purpose, an invalid id."""
    bank, other, uscc = await gateway.client(), await gateway.client(), gateway.uscc("clean")
    theirs = await gateway.grant(other, uscc)
    await gateway.grant(bank, uscc, purpose="post_loan_management")
    request_id: dict[str, str | None] = {"X-Request-Id": "the-same"}
    answers = [
        await bank.query(UNKNOWN, headers=request_id),
        await bank.query(UNKNOWN, consent_id="cst_nobody", headers=request_id),
        await bank.query(gateway.uscc("penalised"), headers=request_id),
        await bank.query(uscc, headers=request_id),
        await bank.query(uscc, consent_id=theirs, headers=request_id),
        await bank.query(gateway.uscc("penalised"), consent_id=theirs, headers=request_id),
        await bank.query(uscc, consent_id="cst_nobody", headers=request_id),
    ]
    assert {each.content for each in answers} == {answers[0].content}
    assert await refusal(answers[0]) == (403, "not_available")
    assert {tuple(each.headers) for each in answers} == {tuple(answers[0].headers)}
    assert [row["reason"] for row in await gateway.log_of(bank)] == ["not_available"] * len(answers)


async def test_a_consent_for_none_of_the_datasets_gives_nothing(gateway: GatewayFixture) -> None:
    """Refused, and no use is spent."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, datasets=["licence"])
    assert await refusal(await bank.query(uscc, "penalty")) == (403, "not_available")
    assert await gateway.uses(consent_id) == 0


async def test_as_many_uses_are_disclosed_as_were_allowed(gateway: GatewayFixture) -> None:
    """Sixty concurrent queries on twenty uses: 20 answers, 40 refusals, 60 log rows."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, max_uses=20)
    await bank.token()
    answers = await asyncio.gather(*(bank.query(uscc) for _ in range(60)))
    codes = Counter(each.json().get("code", "told") for each in answers)
    assert codes == {"told": 20, "consent_exhausted": 40}
    left = sorted(each.json()["consent"]["uses_left"] for each in answers if not each.is_error)
    assert left == list(range(20))
    assert await gateway.uses(consent_id) == 20
    assert len(await gateway.log_of(bank)) == 60


async def test_no_disclosure_follows_a_concurrent_withdrawal(
    gateway: GatewayFixture,
) -> None:
    """Disclosures before the withdrawal are uses; there is none after it."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, max_uses=None)
    await bank.token()
    racing = [asyncio.create_task(bank.query(uscc)) for _ in range(30)]
    await asyncio.wait(racing[:3])
    await gateway.act(consent.withdraw, consent_id)
    spent = await gateway.uses(consent_id)
    answers = await asyncio.gather(*racing)
    codes = Counter(each.json().get("code", "told") for each in answers)
    assert codes["told"] == spent == await gateway.uses(consent_id)
    assert codes["told"] + codes["consent_withdrawn"] == 30


# Once only


async def test_the_same_query_again_gets_the_same_bytes_and_spends_nothing(
    gateway: GatewayFixture,
) -> None:
    """Even after the last use."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc, max_uses=1)
    key: dict[str, str | None] = {"Idempotency-Key": "the-same"}
    first = await bank.query(uscc, headers=key)
    again = await bank.query(uscc, headers=key)
    assert first.content == again.content
    assert first.json()["consent"]["uses_left"] == 0
    assert await gateway.uses(consent_id) == 1
    assert len(await gateway.log_of(bank)) == 1


async def test_the_same_query_many_times_at_once_is_one_use(gateway: GatewayFixture) -> None:
    """With the same bytes."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    key: dict[str, str | None] = {"Idempotency-Key": "at-once"}
    await bank.token()
    answers = await asyncio.gather(*(bank.query(uscc, headers=key) for _ in range(12)))
    assert {each.status_code for each in answers} == {200}
    assert len({each.content for each in answers}) == 1
    assert await gateway.uses(consent_id) == 1


async def test_a_withdrawn_consent_gives_a_kept_answer_no_more(gateway: GatewayFixture) -> None:
    """Stored answers included."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    key: dict[str, str | None] = {"Idempotency-Key": "kept"}
    assert (await bank.query(uscc, headers=key)).status_code == 200
    await gateway.act(consent.withdraw, consent_id)
    assert await refusal(await bank.query(uscc, headers=key)) == (403, "consent_withdrawn")


async def test_a_key_stands_for_one_query(gateway: GatewayFixture) -> None:
    """Other datasets or enterprises are a conflict, known or not."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    key = {"Idempotency-Key": "one", "X-Request-Id": "the-same"}
    assert (await bank.query(uscc, headers=dict(key))).status_code == 200
    answers = [
        await bank.send("/v1/queries", body, headers=key)
        for body in (
            query_body(uscc, "licence"), query_body(gateway.uscc("penalised")), query_body(UNKNOWN),
        )
    ]  # fmt: skip
    assert {await refusal(each) for each in answers} == {(409, "idempotency_conflict")}
    assert len({each.content for each in answers}) == 1


async def test_a_repeated_query_tells_no_record_that_was_repaired_since(
    gateway: GatewayFixture,
) -> None:
    """The stored answer is discarded once one of its records has ended."""
    bank, uscc = await gateway.client(), gateway.uscc("penalised")
    await gateway.grant(bank, uscc, datasets=["penalty"], max_uses=5)
    key = {"Idempotency-Key": "before-the-repair"}
    first = await bank.query(uscc, "penalty", headers=key)
    disclosed_record = [record["record_id"] for record in first.json()["records"]]
    assert disclosed_record
    repair = (
        "UPDATE record SET repaired_at = :at WHERE uscc = :uscc AND dataset = 'penalty' RETURNING 1"
    )
    undo = "UPDATE record SET repaired_at = NULL WHERE uscc = :uscc AND record_id = ANY(:told) RETURNING 1"
    await gateway.rows(repair, uscc=uscc, at=gateway.clock())
    try:
        again = await bank.query(uscc, "penalty", headers=key)
    finally:
        await gateway.rows(undo, uscc=uscc, told=disclosed_record)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")
