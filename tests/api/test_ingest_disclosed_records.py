"""Ingest to disclosure: encrypted fields under consent, ended records on no channel."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, load_catalogue
from gateway.creditfile.history import Change, mark_record
from gateway.creditfile.local_dates import day_of
from gateway.ingest import Source, ingest_rows
from tests import records_builders as department
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCE = Source(source_id="annual-reports", name="年报（合成）")
REPORT = {"year": "2019", "reported_on": "2020-03-01", "contact_phone": "15400000000"}


async def notices(gateway: GatewayFixture, bank: Caller, dataset: str) -> list[str]:
    """Kinds of the bank's notices on records of a dataset."""
    rows = await gateway.rows(
        "SELECT kind FROM tombstone WHERE client_id = :client AND dataset = :dataset"
        " ORDER BY occurred_at",
        client=bank.client_id,
        dataset=dataset,
    )
    return [row["kind"] for row in rows]


async def deliver(gateway: GatewayFixture, uscc: str) -> str:
    """Deliver a report; the record's id."""
    async with gateway.runtime.engine.begin() as connection:
        (taken,) = await ingest_rows(
            connection,
            SOURCE,
            "annual_report",
            [{"uscc": uscc, **REPORT}],
            now=gateway.clock(),
            catalogue=gateway.runtime.catalogue,
            vault=gateway.runtime.vault,
        )
    assert taken.record_id is not None
    return taken.record_id


async def test_an_encrypted_field_is_disclosed_under_consent_until_its_repair(
    gateway: GatewayFixture,
) -> None:
    """A repair holds from the next request."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc, datasets=["annual_report"])
    record_id = await deliver(gateway, uscc)
    told = {r["record_id"]: r for r in (await bank.query(uscc, "annual_report")).json()["records"]}
    assert told[record_id]["fields"] == REPORT
    async with gateway.runtime.engine.begin() as connection:
        await mark_record(
            connection,
            uscc,
            record_id,
            {"repaired_at": gateway.clock()},
            Change(kind="repaired", actor=SOURCE.source_id),
            now=gateway.clock(),
        )
    await deliver(gateway, uscc)
    again = (await bank.query(uscc, "annual_report")).json()["records"]
    assert record_id not in {each["record_id"] for each in again}


async def test_a_repeated_call_tells_no_field_that_a_new_catalogue_keeps(
    gateway: GatewayFixture,
) -> None:
    """The stored answer is filtered by the catalogue in force."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc, datasets=["registration"])
    key = {"Idempotency-Key": "before-the-catalogue"}
    first = await bank.query(uscc, "registration", headers=key)
    assert "address" in first.json()["records"][0]["fields"]
    before = gateway.runtime
    document = PUBLISHED_CATALOGUE.read_text(encoding="utf-8").replace(
        "en: Address, type: text, class: public,", "en: Address, type: text,"
    )
    gateway.app.state.runtime = replace(before, catalogue=load_catalogue(document))
    try:
        again = await bank.query(uscc, "registration", headers=key)
        anew = await bank.query(uscc, "registration")
    finally:
        gateway.app.state.runtime = before
    assert "address" not in anew.json()["records"][0]["fields"]
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")


async def test_no_answer_denies_what_the_page_shows_of_a_listed_enterprise(
    gateway: GatewayFixture,
) -> None:
    """Query and page agree while the list of serious violations prolongs retention; its end is notified."""
    datasets = frozenset({"commitment", "serious_violation"})
    source = await department.make_department(gateway, datasets=datasets)
    subject, platform = gateway.subject("middle_dot"), await gateway.client("platform")
    bank = await gateway.client()
    uscc = subject["uscc"]
    broken = {
        "uscc": uscc,
        "number": "浙信诺〔2018〕违1号",
        "committed_on": "2018-01-05",
        "fulfilment": "broken",
        "determined_on": "2018-03-05",
    }
    listed = {"uscc": uscc, "decision_number": "列入〔2026〕1号", "added_on": "2026-01-05"}

    async def disclosed() -> tuple[bool, str]:
        path = subject["code_url"].removeprefix(gateway.issuer)
        page = await gateway.http.get(path, headers={"Accept": "application/json"})
        question = ("commitment_fulfilled.v1",)
        answer = await platform.verify(uscc, *question, purpose="merchant_onboarding")
        return broken["number"] in page.text, answer.json()["answers"][0]["answer"]

    try:
        await department.deliver(source, "commitment", broken)
        assert await disclosed() == (False, "yes")  # after five years
        await department.deliver(source, "serious_violation", listed)
        assert await disclosed() == (True, "no")
        await gateway.grant(bank, uscc, datasets=["commitment"])
        assert broken["number"] in (await bank.query(uscc, "commitment")).text
        await department.deliver(
            source, "serious_violation", listed | {"removed_on": f"{day_of(gateway.clock())}"}
        )
        assert await disclosed() == (False, "yes")
        assert await notices(gateway, bank, "commitment") == ["record_ended"]
    finally:
        await department.forget(gateway)


async def test_a_record_off_its_list_has_ended_and_one_that_is_back_is_announced(
    gateway: GatewayFixture,
) -> None:
    """By a delivery or a correction; a removal that is corrected once more ends nothing again."""
    source = await department.make_department(gateway, datasets=frozenset({"abnormal_listing"}))
    bank, uscc = await gateway.client(), gateway.subject("middle_dot")["uscc"]
    await gateway.grant(bank, uscc, datasets=["abnormal_listing"])
    today = day_of(gateway.clock())
    listed = {
        "uscc": uscc,
        "decision_number": "列入〔2026〕9号",
        "reason": "未按期年报",
        "added_on": "2026-07-05",
    }

    async def is_told() -> bool:
        return listed["decision_number"] in (await bank.query(uscc, "abnormal_listing")).text

    async def latest() -> str | None:
        return next(iter((await notices(gateway, bank, "abnormal_listing"))[-1:]), None)

    try:
        await department.deliver(source, "abnormal_listing", listed)
        assert await is_told()
        await department.deliver(source, "abnormal_listing", listed | {"removed_on": f"{today}"})
        assert not await is_told()
        assert await latest() == "record_ended"
        yesterday = f"{today - timedelta(days=1)}"
        await department.deliver(source, "abnormal_listing", listed | {"removed_on": yesterday})
        assert await notices(gateway, bank, "abnormal_listing") == ["record_ended"]
        await department.deliver(source, "abnormal_listing", listed)
        assert await is_told()
        assert await latest() == "record_reinstated"
    finally:
        await department.forget(gateway)


async def test_a_failed_sample_ends_with_the_penalty_that_it_led_to(
    gateway: GatewayFixture,
) -> None:
    """In a query for samples alone and on the public page, which read the ended penalty too."""
    source = await department.make_department(
        gateway, datasets=frozenset({"sampling_result", "penalty"})
    )
    bank, subject = await gateway.client(), gateway.subject("middle_dot")
    uscc, number = subject["uscc"], "浙市监罚〔2026〕77号"
    await gateway.grant(bank, uscc, datasets=["sampling_result"])
    day = day_of(gateway.clock()) - timedelta(days=100)
    failed = {"uscc": uscc, "announced_on": f"{day}", "result": "不合格"}
    penalty = department.make_penalty(gateway, uscc, document_number=number, decided_on=f"{day}")

    async def told() -> list[str]:
        path = subject["code_url"].removeprefix(gateway.issuer)
        page = await gateway.http.get(path, headers={"Accept": "application/json"})
        answer = await bank.query(uscc, "sampling_result")
        return ["".join(n for n in "12" if f"抽{n}" in each.text) for each in (answer, page)]

    try:
        await department.deliver(
            source,
            "sampling_result",
            failed | {"number": "抽1", "related_document_number": f" {number}"},
            failed | {"number": "抽2"},
        )
        await department.deliver(source, "penalty", penalty)
        assert await told() == ["12", "12"]
        await department.act(source, department.make_act(penalty, "repair"))
        assert await told() == ["2", "2"]
        assert await notices(gateway, bank, "sampling_result") == ["record_ended"]
        (asked,) = await department.act(
            source, department.make_act(penalty, "revoke_repair", operator="0012")
        )
        await department.approve(source, asked["action_id"], operator="0013")
        assert await told() == ["12", "12"]
        assert await notices(gateway, bank, "sampling_result") == [
            "record_ended", "record_reinstated",
        ]  # fmt: skip
    finally:
        await department.forget(gateway)


@pytest.mark.parametrize(
    "ended", [{"appeal_state": "under_appeal"}, {"publicity_ends_on": "2026-01-01"}]
)
async def test_a_record_that_a_delivery_ends_and_brings_back_is_announced_both_times(
    gateway: GatewayFixture, ended: dict[str, str]
) -> None:
    """An appeal that was lodged and lost, a publicity that was shortened by mistake."""
    bank, source = await gateway.client(), await department.make_department(gateway)
    uscc = gateway.uscc("clean")
    await gateway.grant(bank, uscc, datasets=["penalty"])
    penalty = department.make_penalty(gateway, uscc)
    for delivered in (penalty, penalty | ended, penalty, penalty | ended):
        await department.deliver(source, "penalty", delivered)
        await bank.query(uscc, "penalty")
    assert await notices(gateway, bank, "penalty") == [
        "record_ended",
        "record_reinstated",
        "record_ended",
    ]


async def test_a_record_whose_term_was_over_is_announced_when_it_is_told_again(
    gateway: GatewayFixture,
) -> None:
    """Its own end is no change, as `use_until` has said it; a publicity that is prolonged later is one."""
    bank, source = await gateway.client(), await department.make_department(gateway)
    uscc = gateway.uscc("clean")
    await gateway.grant(bank, uscc, datasets=["penalty"])
    penalty = department.make_penalty(gateway, uscc)
    ends = {"publicity_ends_on": f"{day_of(gateway.clock())}"}
    await department.deliver(source, "penalty", penalty | ends)
    assert penalty["document_number"] in (await bank.query(uscc, "penalty")).text
    with gateway.clock.later(days=3):
        assert penalty["document_number"] not in (await bank.query(uscc, "penalty")).text
        assert await notices(gateway, bank, "penalty") == []
        await department.deliver(source, "penalty", penalty)
        assert penalty["document_number"] in (await bank.query(uscc, "penalty")).text
        assert await notices(gateway, bank, "penalty") == ["record_reinstated"]


async def test_a_correction_ends_what_depends_on_it_with_one_notice(
    gateway: GatewayFixture,
) -> None:
    """A failed sample whose penalty is corrected: one end of each record."""
    source = await department.make_department(
        gateway, datasets=frozenset({"sampling_result", "penalty"})
    )
    bank, uscc, number = await gateway.client(), gateway.uscc("middle_dot"), "浙市监罚〔2026〕78号"
    await gateway.grant(bank, uscc, datasets=["sampling_result", "penalty"])
    day = f"{day_of(gateway.clock()) - timedelta(days=100)}"
    penalty = department.make_penalty(gateway, uscc, document_number=number, decided_on=day)
    sample = {"uscc": uscc, "number": "抽3", "announced_on": day, "result": "不合格"}
    try:
        await department.deliver(source, "penalty", penalty)
        await department.deliver(
            source, "sampling_result", sample | {"related_document_number": number}
        )
        assert "抽3" in (await bank.query(uscc, "sampling_result", "penalty")).text
        fields = {"publicity_ends_on": day}
        await department.act(source, department.make_act(penalty, "correct", fields=fields))
        assert "抽3" not in (await bank.query(uscc, "sampling_result", "penalty")).text
        for dataset in ("sampling_result", "penalty"):
            assert await notices(gateway, bank, dataset) == ["record_ended"]
    finally:
        await department.forget(gateway)
